// Writes this device's acts: signs them in the order of the calls, each in sight of all that is known, and
// makes each durable before it is spread.

import { encodeSigned } from '../../core/encoding/signed-record.ts';
import type { ActBody } from '../../core/catalogue/grants/act-body.ts';
import {
  checkAct,
  encodeActPayload,
  signedBytesOfAct,
  type CheckedAct,
} from '../../core/catalogue/grants/act.ts';
import type { ActPosition, ActSet } from '../../core/catalogue/grants/act-set.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import { MAX_ACTS_OF_ADMIN } from '../../core/model/limits.ts';
import type { Clock, Cryptography, Identity } from '../../core/ports.ts';

type Deeds<Body> = Body extends unknown ? Omit<Body, 'seen'> : never;
/** What an act does. What its writer has seen follows from what this device knows. */
export type Deed = Deeds<Exclude<ActBody, { kind: 'unknown' }>>;

/** Signs a body with another key than the writer's. */
export type Completing = (body: ActBody) => Promise<ActBody>;

export interface ActWriterPorts {
  readonly clock: Clock;
  readonly cryptography: Cryptography;
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly acts: ActSet;
  /** Makes all acts durable, and this one. */
  keep(acts: readonly CheckedAct[]): Promise<void>;
  /** It is durable: counts from now on, and is spread. */
  written(acts: readonly CheckedAct[]): void;
  /** @throws the reason, once this device's part in the pool has ended. */
  checkAlive(): void;
}

export class ActWriter {
  readonly #ports: ActWriterPorts;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(ports: ActWriterPorts) {
    this.#ports = ports;
  }

  /**
   * Resolves once the act is durable and on its way. `deed` is asked once it is this act's turn, and may
   * throw; `complete` then, with what was seen.
   * @throws PalmError 'log-full' for an act that would not be one of the set; nothing is kept of it.
   */
  write(deed: () => Deed, complete?: Completing): Promise<CheckedAct> {
    const done = this.#writing.then(() => this.#write(deed(), complete));
    this.#writing = done.catch(() => undefined); // the caller gets the failure
    return done;
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #write(deed: Deed, complete?: Completing): Promise<CheckedAct> {
    const { acts, identity } = this.#ports;
    this.#ports.checkAlive();
    const position = acts.positionOf(identity.deviceId);
    if (position.seq > MAX_ACTS_OF_ADMIN) throw full();
    const act = await signAct(this.#ports, deed, position, complete);
    // What the set refuses has no effect, here or anywhere: nobody may be told that it is done.
    if (!acts.takes(act)) throw full();
    await this.#ports.keep([act]);
    this.#ports.written([act]);
    return act;
  }
}

function full(): PalmError {
  return new PalmError({ code: 'log-full', reason: 'nothing-more' });
}

/** Signs an act at its place. It is not kept. */
export async function signAct(
  {
    clock,
    cryptography,
    identity,
    keys,
  }: Pick<ActWriterPorts, 'clock' | 'cryptography' | 'identity' | 'keys'>,
  deed: Deed,
  { seq, prev, seen }: ActPosition,
  complete: Completing = async (body) => body,
): Promise<CheckedAct> {
  const body = await complete({ ...deed, seen });
  const { publicKey } = identity;
  const at = { ms: clock.wallMs(), count: 0 };
  const payload = encodeActPayload({ pool: keys.poolId, publicKey, seq, prev, at, body });
  const bytes = encodeSigned(payload, await identity.sign(signedBytesOfAct(payload)));
  return checkAct(bytes, keys.poolId, cryptography);
}
