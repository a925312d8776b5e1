// Pairing without a relay: two codes make a connection (core/pairing), which carries an invite, if one of the
// devices is in no pool, and envelopes, from which the ordinary transports make ordinary links.
//
// Invariants: one pairing at a time. A code that cannot be used ends nothing. What the other device sends is
// believed as little as what the relay does: envelopes are sealed and signed, an invite proves its pool. That
// it is a device that is linked already proves nothing, and neither does a link of any but who came in by
// this pairing's invite. A pairing that is over has no timer, wire or connection, and nobody comes in by it.

import { isPalmError, PalmError } from '../../core/model/errors.ts';
import type { Failure } from '../../core/model/failures.ts';
import type { PairingEnd } from '../../core/model/meeting-failures.ts';
import type { WireId } from '../../core/links/link-ids.ts';
import type { DeviceId, PoolId } from '../../core/model/ids.ts';
import type { WallMs } from '../../core/model/time.ts';
import {
  encodePairCode,
  isOutside,
  pairCodeDigest,
  poolTag,
  readPairCode,
} from '../../core/pairing/pair-code.ts';
import type { PairCode } from '../../core/pairing/pair-code.ts';
import { decodePairMessage, encodePairMessage, type PairMessage } from '../../core/pairing/pair-message.ts';
import type { PairConnection, PairingPorts } from '../../core/pairing/pair-port.ts';
import { checkAnswer, checkLetIn, checkOffer } from '../../core/pairing/pair-rules.ts';
import type { PairEnd } from '../../core/pairing/pair-sdp.ts';
import type { SignalWires } from '../../core/pairing/signal-wires.ts';
import type { Clock } from '../../core/ports.ts';
import type { LettingIn, PairAnswerOptions, PairingStatus, PairOptions } from '../pair-api.ts';

/** An invite that was made for the device at the other end. */
export interface PairInvite {
  readonly url: string;
  /** Who came in by it; undefined in a pool without a charter, whose one invite nobody can tell apart. */
  admitted(): readonly DeviceId[] | undefined;
  /** Nobody comes in by it from now on. One that was used stays so. */
  withdraw(): Promise<void>;
}

/** The device that pairs. */
export interface PairingDevice {
  readonly clock: Clock;
  /** @throws PalmError while it is locked; 'unsupported' without connections. */
  ports(): Promise<PairingPorts>;
  id(): DeviceId;
  /** The pool that it is in. */
  pool(): PoolId | undefined;
  mayInvite(): boolean;
  /** An invite for one device. */
  invite(): Promise<PairInvite>;
  join(invite: string, deviceName: string | undefined): Promise<unknown>;
  isLinked(device: DeviceId): boolean;
  changed(): void;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

/**
 * How long a code is shown and can be used, ms: people need a minute for two scans, and an offer was measured
 * to work after 400 s, an answer after 330.
 */
export const CODE_MS = 300_000;
/** From the second scan to an open channel, ms: as long as an attempt of a link, twice. */
export const CONNECT_MS = 20_000;
/** From an open channel to a link in the pool, ms: a door, an act on the disk, and two links. */
export const LINK_MS = 60_000;
/** After this device is linked, ms: the other may be a moment behind, and still need the wire. */
export const LINGER_MS = 3_000;
/** Finding all of its own addresses takes a browser a second at most, ms. */
const GATHER_MS = 10_000;

type Step = 'offering' | 'answering' | 'linking' | 'linked' | 'failed';

interface Attempt {
  readonly connection: PairConnection;
  readonly wires: SignalWires;
  readonly deviceName: string | undefined;
  step: Step;
  /** What this device shows, once it is made. */
  own: PairCode | undefined;
  text: string | undefined;
  untilMs: WallMs;
  cancelTimer: () => void;
  peerCode: PairCode | undefined;
  /** The other device, as it says. */
  peer: DeviceId | undefined;
  /** That device was linked before this pairing, and still is: no link came of it. */
  wasLinked: boolean;
  /** What the other device was sent, if it is a newcomer. */
  invite: PairInvite | undefined;
  wire: WireId | undefined;
  isJoining: boolean;
  isOver: boolean;
  failure: Failure | undefined;
  settle: { resolve(): void; reject(error: unknown): void } | undefined;
}

export class Pairing {
  readonly #device: PairingDevice;
  #attempt: Attempt | undefined;

  constructor(device: PairingDevice) {
    this.#device = device;
  }

  get status(): (Omit<PairingStatus, 'problem'> & { readonly failure?: Failure }) | undefined {
    const attempt = this.#attempt;
    if (attempt === undefined) return undefined;
    const { step, text, untilMs, peer, failure } = attempt;
    const isShown = text !== undefined && (step === 'offering' || step === 'answering');
    return {
      step,
      ...(isShown ? { code: text } : {}),
      ...(step === 'linked' || step === 'failed' ? {} : { untilMs }),
      ...(step === 'linked' && peer !== undefined ? { deviceId: peer } : {}),
      ...(failure === undefined ? {} : { failure }),
    };
  }

  /** @throws PalmError 'pairing-failed', and what `PairingDevice.ports` throws. */
  async offer({ deviceName }: PairOptions = {}): Promise<{ code: string }> {
    const ports = await this.#device.ports();
    const attempt = this.#begin('offering', ports, deviceName);
    return this.#show(attempt, () => attempt.connection.offer(), undefined);
  }

  /** @throws PalmError 'bad-pair-code', and as `offer`. */
  async answer(
    text: string,
    { deviceName, letIn = true }: PairAnswerOptions = {},
  ): Promise<{ code: string }> {
    const ports = await this.#device.ports();
    const offer = readPairCode(text, 'offer');
    checkOffer(offer, this.#device.pool(), this.#shown());
    checkLetIn(offer, this.#device.pool(), letIn);
    const attempt = this.#begin('answering', ports, deviceName);
    attempt.peerCode = offer;
    return this.#show(attempt, () => attempt.connection.answer(offer), pairCodeDigest(offer));
  }

  /** @throws PalmError 'bad-pair-code', 'pairing-failed', and what ends the join. */
  async accept(text: string, { letIn = true }: LettingIn = {}): Promise<void> {
    const answer = readPairCode(text, 'answer');
    const attempt = this.#attempt;
    checkAnswer(answer, this.#device.pool(), this.#shown());
    checkLetIn(answer, this.#device.pool(), letIn);
    if (attempt === undefined) throw new PalmError({ code: 'bad-pair-code', reason: 'no-offer' });
    attempt.peerCode = answer;
    const linked = new Promise<void>((resolve, reject) => (attempt.settle = { resolve, reject }));
    this.#enter(attempt, 'linking', CONNECT_MS, 'not-connected');
    attempt.connection.accept(answer).catch((error: unknown) => this.#fail(attempt, error));
    return linked;
  }

  /** Gives it up, or forgets how it ended. Returns at once. */
  cancel(): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#attempt = undefined;
    this.#end(attempt, new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
    this.#device.changed();
  }

  /** Something of the device's pool has changed: perhaps the link is there. */
  look(): void {
    const attempt = this.#attempt;
    if (attempt?.step !== 'linking' || attempt.peer === undefined) return;
    if (attempt.wasLinked && !this.#device.isLinked(attempt.peer)) attempt.wasLinked = false;
    const linked = this.#linkedBy(attempt, attempt.peer);
    if (linked === undefined) return;
    attempt.peer = linked;
    attempt.step = 'linked';
    this.#say(attempt, { kind: 'done' });
    attempt.settle?.resolve();
    attempt.cancelTimer();
    attempt.cancelTimer = this.#device.clock.after(LINGER_MS, () => this.#end(attempt, undefined));
    this.#device.changed();
  }

  /** The device with which this pairing made a link; `peer`: who the one at the other end says that it is. */
  #linkedBy(attempt: Attempt, peer: DeviceId): DeviceId | undefined {
    if (!this.#isForNewcomer(attempt)) {
      return !attempt.wasLinked && this.#device.isLinked(peer) ? peer : undefined;
    }
    const admitted = attempt.invite === undefined ? [] : (attempt.invite.admitted() ?? [peer]);
    return admitted.find(
      (device) => !(device === peer && attempt.wasLinked) && this.#device.isLinked(device),
    );
  }

  /** Whether this device is in a pool, and the other in none. */
  #isForNewcomer({ peerCode }: Attempt): boolean {
    return peerCode !== undefined && isOutside(peerCode) && this.#device.pool() !== undefined;
  }

  /** The code that this device shows, and that can be answered. */
  #shown(): PairCode | undefined {
    return this.#attempt?.step === 'offering' ? this.#attempt.own : undefined;
  }

  #begin(step: Step, { connect, wires }: PairingPorts, deviceName: string | undefined): Attempt {
    this.cancel();
    const connection = connect({
      connected: () => this.#connected(attempt),
      frame: (frame) => this.#hear(attempt, frame),
      closed: () => {
        if (attempt.step === 'linking') this.#fail(attempt, failed('lost'));
      },
    });
    const attempt: Attempt = {
      connection,
      wires,
      deviceName,
      step,
      own: undefined,
      text: undefined,
      untilMs: 0,
      cancelTimer: () => undefined,
      peerCode: undefined,
      peer: undefined,
      wasLinked: false,
      invite: undefined,
      wire: undefined,
      isJoining: false,
      isOver: false,
      failure: undefined,
      settle: undefined,
    };
    this.#attempt = attempt;
    this.#enter(attempt, step, GATHER_MS, 'no-address');
    return attempt;
  }

  async #show(
    attempt: Attempt,
    describe: () => Promise<PairEnd>,
    offer: Uint8Array | undefined,
  ): Promise<{ code: string }> {
    const timeout = new Promise<never>((_resolve, reject) => {
      attempt.settle = { resolve: () => undefined, reject };
    });
    try {
      const end = await Promise.race([describe(), timeout]);
      attempt.settle = undefined;
      const pool = poolTag(this.#device.pool(), end.fingerprint);
      const kind = offer === undefined ? 'offer' : 'answer';
      const text = encodePairCode({ ...end, kind, pool, offer });
      // As others read it: addresses that did not fit are not in it.
      const own = readPairCode(text, kind);
      if (own.addresses.length === 0) throw failed('no-address');
      [attempt.own, attempt.text] = [own, text];
      if (attempt.step !== 'linking') this.#enter(attempt, attempt.step, CODE_MS, 'too-late');
      return { code: text };
    } catch (error) {
      this.#fail(attempt, error);
      throw error;
    }
  }

  #enter(attempt: Attempt, step: Step, withinMs: number, otherwise: PairingEnd): void {
    if (attempt.isOver) return;
    const { clock } = this.#device;
    attempt.step = step;
    attempt.untilMs = clock.wallMs() + withinMs;
    attempt.cancelTimer();
    attempt.cancelTimer = clock.after(withinMs, () =>
      this.#fail(attempt, failed(attempt.wasLinked ? 'already-linked' : otherwise)),
    );
    this.#device.changed();
  }

  #connected(attempt: Attempt): void {
    if (attempt.isOver || attempt.own === undefined) return;
    this.#enter(attempt, 'linking', LINK_MS, 'not-linked');
    this.#say(attempt, { kind: 'hello', device: this.#device.id() });
  }

  #hear(attempt: Attempt, frame: Uint8Array<ArrayBuffer>): void {
    if (attempt.isOver) return;
    try {
      this.#take(attempt, decodePairMessage(frame));
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#fail(attempt, failed('not-understood'));
    }
  }

  #take(attempt: Attempt, message: PairMessage): void {
    switch (message.kind) {
      case 'hello':
        if (attempt.peer !== undefined) break;
        attempt.peer = message.device;
        attempt.wasLinked = this.#device.isLinked(message.device);
        this.#meet(attempt);
        this.look();
        break;
      case 'invite':
        this.#join(attempt, message.invite);
        break;
      case 'refused':
        this.#fail(attempt, failed(message.reason));
        break;
      case 'envelope':
        if (attempt.wire !== undefined) attempt.wires.deliver(attempt.wire, message.room, message.envelope);
        break;
      case 'done':
        // This device is about to see the same link, unless its timer ends first.
        this.look();
        break;
    }
  }

  /** What the two are to each other: members of one pool, or a member and a newcomer. */
  #meet(attempt: Attempt): void {
    // A newcomer waits for its invite.
    if (this.#device.pool() === undefined) return;
    if (!this.#isForNewcomer(attempt)) this.#wire(attempt);
    else if (this.#device.mayInvite()) {
      this.#invite(attempt).catch((error: unknown) => this.#fail(attempt, error));
    } else {
      this.#say(attempt, { kind: 'refused', reason: 'may-not-invite' });
      this.#fail(attempt, failed('may-not-invite'));
    }
  }

  async #invite(attempt: Attempt): Promise<void> {
    const invite = await this.#device.invite();
    if (attempt.isOver) return invite.withdraw();
    attempt.invite = invite;
    // This device waits at the invite's door by now, and hears the newcomer over the wire.
    this.#wire(attempt);
    this.#say(attempt, { kind: 'invite', invite: invite.url });
  }

  #join(attempt: Attempt, invite: string): void {
    if (attempt.isJoining || this.#device.pool() !== undefined) return;
    attempt.isJoining = true;
    this.#wire(attempt);
    this.#device.join(invite, attempt.deviceName).then(
      () => this.look(),
      (error: unknown) => this.#fail(attempt, error),
    );
  }

  #wire(attempt: Attempt): void {
    attempt.wire ??= attempt.wires.open((room, envelope) => {
      this.#say(attempt, { kind: 'envelope', room, envelope });
    });
  }

  #say(attempt: Attempt, message: PairMessage): void {
    attempt.connection.write(encodePairMessage(message));
  }

  #fail(attempt: Attempt, error: unknown): void {
    if (attempt.isOver || attempt.step === 'linked') return;
    const failure = isPalmError(error) ? error : failed('not-connected', error);
    attempt.step = 'failed';
    attempt.failure = failure.failure;
    this.#end(attempt, failure);
    this.#device.changed();
  }

  #end(attempt: Attempt, reason: PalmError | undefined): void {
    if (attempt.isOver) return;
    attempt.isOver = true;
    attempt.cancelTimer();
    if (attempt.wire !== undefined) attempt.wires.close(attempt.wire);
    attempt.connection.destroy();
    if (attempt.step !== 'linked' && attempt.invite !== undefined) {
      this.#device.background(attempt.invite.withdraw());
    }
    if (reason !== undefined) attempt.settle?.reject(reason);
  }
}

function failed(reason: PairingEnd, cause?: unknown): PalmError {
  return new PalmError({ code: 'pairing-failed', reason }, { cause });
}
