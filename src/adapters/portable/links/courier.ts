// Seals letters and opens envelopes, in order, and hands both to the router. Cryptography is asynchronous;
// letters keep the order in which they were written, and envelopes that in which they arrived.
//
// Invariants: queues are bounded both ways; a letter reaches `deliver` only when it is verified, new and for
// us.

import {
  openEnvelope,
  sealEnvelope,
  type EnvelopeKeys,
  type OpenedLetter,
  type SignalBody,
} from '../../../core/links/envelope.ts';
import type { LinkId, SessionId } from '../../../core/links/link-ids.ts';
import type { Addressee, Route, SignalRouter, Source } from '../../../core/links/signal-router.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import type { Clock, Cryptography, Identity, Random } from '../../../core/ports.ts';

/** Envelopes that wait to be opened: a full room's announces and candidates together. */
const MAX_INBOUND_COUNT = 2_048;
/** From one relay connection or link: a flood from one must not keep others out. */
const MAX_INBOUND_PER_SOURCE = 256;
/** Letters that wait to be sealed: an offer and some candidates for everyone in a full room. */
const MAX_OUTBOUND_COUNT = 4_096;

export interface CourierOptions {
  readonly keys: EnvelopeKeys;
  readonly session: SessionId;
  readonly identity: Identity;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly clock: Clock;
  readonly router: SignalRouter;
  /** Is told exceptions that are bugs; the next letters continue. */
  readonly onBug: (error: unknown) => void;
}

export interface CourierEvents {
  deliver(letter: OpenedLetter, source: Source): void;
  /** Takes a sealed envelope on its way; the callee does not keep `envelope`. */
  carry(route: Route, envelope: Uint8Array): void;
  rejected(rejection: Rejection): void;
}

export class Courier {
  readonly #options: CourierOptions;
  readonly #events: CourierEvents;
  readonly #inbound: WorkQueue;
  readonly #outbound: WorkQueue;
  /** Envelopes that wait, by where they came from. */
  readonly #waiting = new Map<string, number>();
  #seq = 0;

  constructor(options: CourierOptions, events: CourierEvents) {
    this.#options = options;
    this.#events = events;
    this.#inbound = new WorkQueue(MAX_INBOUND_COUNT, events, options.onBug);
    this.#outbound = new WorkQueue(MAX_OUTBOUND_COUNT, events, options.onBug);
  }

  /** Writes a letter to one session, or to everyone. */
  post(to: Addressee | null, link: LinkId, body: SignalBody): void {
    this.#seq += 1;
    const { session, keys, identity, cryptography, random, router } = this.#options;
    const letter = { fromSession: session, toSession: to?.session ?? null, link, seq: this.#seq, body };
    this.#outbound.add(async () => {
      const envelope = await sealEnvelope(letter, keys, identity, cryptography, random);
      for (const route of router.routesTo(to)) this.#events.carry(route, envelope);
    });
  }

  /** Takes an envelope that arrived, and ownership of its bytes. */
  take(envelope: Uint8Array, source: Source): void {
    const { keys, cryptography, clock, router } = this.#options;
    const from = source.kind === 'relay' ? `relay/${source.from}` : `link/${source.device}`;
    const count = this.#waiting.get(from) ?? 0;
    if (count >= MAX_INBOUND_PER_SOURCE) {
      this.#events.rejected(TOO_MUCH);
      return;
    }
    const isTaken = this.#inbound.add(async () => {
      this.#countDown(from);
      const letter = await openEnvelope(envelope, keys, cryptography);
      const { forUs, onward } = router.take(clock.monotonicMs(), letter, source);
      for (const route of onward) this.#events.carry(route, envelope);
      if (forUs) this.#events.deliver(letter, source);
    });
    if (isTaken) this.#waiting.set(from, count + 1);
  }

  #countDown(from: string): void {
    const count = this.#waiting.get(from) ?? 0;
    if (count <= 1) this.#waiting.delete(from);
    else this.#waiting.set(from, count - 1);
  }

  /** Drops what waits, and takes nothing more. */
  close(): void {
    this.#inbound.close();
    this.#outbound.close();
  }
}

const TOO_MUCH: Rejection = { kind: 'too-much-signaling' };

/** Asynchronous work, one at a time. */
class WorkQueue {
  readonly #maxCount: number;
  readonly #events: CourierEvents;
  readonly #onBug: (error: unknown) => void;
  #tail: Promise<void> = Promise.resolve();
  #count = 0;
  #isClosed = false;

  constructor(maxCount: number, events: CourierEvents, onBug: (error: unknown) => void) {
    this.#maxCount = maxCount;
    this.#events = events;
    this.#onBug = onBug;
  }

  /** Returns whether there was room. */
  add(work: () => Promise<void>): boolean {
    if (this.#isClosed) return false;
    if (this.#count >= this.#maxCount) {
      this.#events.rejected(TOO_MUCH);
      return false;
    }
    this.#count += 1;
    this.#tail = this.#tail.then(() => this.#run(work));
    return true;
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(work: () => Promise<void>): Promise<void> {
    try {
      if (!this.#isClosed) await work();
    } catch (error) {
      if (isPalmError(error)) this.#events.rejected({ kind: 'failure', failure: error.failure });
      // A bug here must show as one, and must not stop the next letters.
      else this.#onBug(error);
    } finally {
      this.#count -= 1;
    }
  }
}
