// Seals letters and opens envelopes, in order, and hands both to the router. Cryptography is asynchronous;
// letters keep the order in which they were written, and envelopes that in which they arrived.
//
// Invariants: queues are bounded both ways; a letter reaches `deliver` only when it is verified, new and for
// us. A session is written to under the keys that it last wrote under: it may have slept through a change.

import {
  openEnvelope,
  sealEnvelope,
  type EnvelopeKeys,
  type Letter,
  type OpenedLetter,
  type SignalBody,
} from '../../../core/links/envelope.ts';
import { newLinkId, type LinkId, type SessionId } from '../../../core/links/link-ids.ts';
import type { Addressee, Route, SignalRouter, Source } from '../../../core/links/signal-router.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import type { Clock, Cryptography, Identity, Random } from '../../../core/ports.ts';

/** Envelopes that wait to be opened: a full room's announces and candidates together. */
const MAX_INBOUND_COUNT = 2_048;
/** Sessions that write under earlier keys; the one heard longest ago is forgotten first. */
const MAX_EARLIER_SESSIONS = 256;
/** From one relay connection or link: a flood from one must not keep others out. */
const MAX_INBOUND_PER_SOURCE = 256;
/** Letters that wait to be sealed: an offer and some candidates for everyone in a full room. */
const MAX_OUTBOUND_COUNT = 4_096;

export interface CourierOptions {
  /** The current ones first. */
  readonly keys: () => readonly [EnvelopeKeys, ...EnvelopeKeys[]];
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
  /** Takes an envelope, sealed with `keys`, on its way; the callee does not keep `envelope`. */
  carry(route: Route, envelope: Uint8Array, keys: EnvelopeKeys): void;
  rejected(rejection: Rejection): void;
}

export class Courier {
  readonly #options: CourierOptions;
  readonly #events: CourierEvents;
  readonly #inbound: WorkQueue;
  readonly #outbound: WorkQueue;
  /** Envelopes that wait, by where they came from. */
  readonly #waiting = new Map<string, number>();
  /** The keys that a session wrote under, if those are not the current ones. */
  readonly #earlier = new Map<SessionId, EnvelopeKeys>();
  #seq = 0;

  constructor(options: CourierOptions, events: CourierEvents) {
    this.#options = options;
    this.#events = events;
    this.#inbound = new WorkQueue(MAX_INBOUND_COUNT, events, options.onBug);
    this.#outbound = new WorkQueue(MAX_OUTBOUND_COUNT, events, options.onBug);
  }

  /** Writes a letter to one session, or to everyone. */
  post(to: Addressee | null, link: LinkId, body: SignalBody): void {
    const letter = this.#letter(to, link, body);
    this.#outbound.add(async () => {
      const keys = this.#keysFor(to);
      const envelope = await this.#seal(letter, keys);
      for (const route of this.#options.router.routesTo(to)) this.#events.carry(route, envelope, keys);
    });
  }

  /** Tells everyone in the room of earlier keys that this device is here. */
  announceIn(keys: EnvelopeKeys): void {
    // An answer begins an attempt of its own.
    const letter = this.#letter(null, newLinkId(this.#options.session, 0), { kind: 'announce' });
    this.#outbound.add(async () => {
      this.#events.carry({ kind: 'relay', to: null }, await this.#seal(letter, keys), keys);
    });
  }

  #letter(to: Addressee | null, link: LinkId, body: SignalBody): Letter {
    this.#seq += 1;
    return {
      fromSession: this.#options.session,
      toSession: to?.session ?? null,
      link,
      seq: this.#seq,
      body,
    };
  }

  #seal(letter: Letter, keys: EnvelopeKeys): Promise<Uint8Array<ArrayBuffer>> {
    const { identity, cryptography, random } = this.#options;
    return sealEnvelope(letter, keys, identity, cryptography, random);
  }

  #keysFor(to: Addressee | null): EnvelopeKeys {
    const known = this.#options.keys();
    const earlier = to === null ? undefined : this.#earlier.get(to.session);
    return known.find(({ poolId }) => poolId === earlier?.poolId) ?? known[0];
  }

  /** Takes an envelope that arrived, and ownership of its bytes. `keys`: those that may have sealed it. */
  take(envelope: Uint8Array, source: Source, keys: readonly EnvelopeKeys[]): void {
    const { clock, router } = this.#options;
    const from = nameOf(source);
    const count = this.#waiting.get(from) ?? 0;
    if (count >= MAX_INBOUND_PER_SOURCE) {
      this.#events.rejected(TOO_MUCH);
      return;
    }
    const isTaken = this.#inbound.add(async () => {
      this.#countDown(from);
      const [letter, used] = await this.#open(envelope, keys);
      const { forUs, onward } = router.take(clock.monotonicMs(), letter, source);
      for (const route of onward) this.#events.carry(route, envelope, used);
      if (forUs) this.#wroteUnder(used, letter.fromSession);
      if (forUs) this.#events.deliver(letter, source);
    });
    if (isTaken) this.#waiting.set(from, count + 1);
  }

  async #open(envelope: Uint8Array, keys: readonly EnvelopeKeys[]): Promise<[OpenedLetter, EnvelopeKeys]> {
    let refusal: unknown;
    for (const each of keys) {
      try {
        return [await openEnvelope(envelope, each, this.#options.cryptography), each];
      } catch (error) {
        if (!isPalmError(error, 'bad-message')) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  }

  #wroteUnder(keys: EnvelopeKeys, session: SessionId): void {
    this.#earlier.delete(session);
    if (keys.poolId === this.#options.keys()[0].poolId) return;
    this.#earlier.set(session, keys);
    const [oldest] = this.#earlier.keys();
    if (this.#earlier.size > MAX_EARLIER_SESSIONS && oldest !== undefined) this.#earlier.delete(oldest);
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

function nameOf(source: Source): string {
  switch (source.kind) {
    case 'relay':
      return `relay/${source.from}`;
    case 'wire':
      return source.wire;
    case 'link':
      return `link/${source.device}`;
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
