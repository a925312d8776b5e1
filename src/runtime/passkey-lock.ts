// The lock's calls that may ask a person for a passkey. Passkeys are asked in the tab that a person looks at;
// the device, which another tab may run, gets only what they told.
//
// Invariants: a passkey is asked before anything changes. So a prompt that is closed changes nothing. A
// passkey is retired only when the lock surely has it no longer, or never had it.

import { isPalmError, PalmError } from '../core/model/errors.ts';
import type { NoPasskeys } from '../core/model/passkey-failures.ts';
import type { LockWays, OpenPasskey, Passkeys, StoredPasskey } from '../core/lock-port.ts';
import type { LockOptions, UnlockOptions } from './lock-api.ts';
import type { LockRun } from './lock-run.ts';

export class PasskeyLock {
  readonly #lock: LockRun;
  readonly #passkeys: Passkeys | undefined;

  /** Without passkeys this platform has none. */
  constructor(lock: LockRun, passkeys: Passkeys | undefined) {
    this.#lock = lock;
    this.#passkeys = passkeys;
  }

  async whyNone(): Promise<NoPasskeys | undefined> {
    return this.#passkeys === undefined ? 'no-passkeys' : this.#passkeys.whyNone();
  }

  /** As Palm's. */
  async lock(passphrase?: string, { only = false }: LockOptions = {}): Promise<void> {
    if (passphrase === undefined) return this.#lock.lock();
    const ways = await this.#lock.lockWays();
    const passkey = await this.#kept(ways, only);
    await this.#lock.lock(passphrase, { only, ...(passkey === undefined ? {} : { passkey }) });
    if (only) await this.#retire(ways.passkey);
  }

  /** As Palm's. */
  async lockWithPasskey({ only = false }: LockOptions = {}): Promise<void> {
    const ways = await this.#lock.lockWays();
    if (ways.passphrase && ways.passkey !== undefined && !only)
      throw new PalmError({ code: 'bad-argument', reason: 'has-passkey' });
    const passkeys = await this.#usable();
    const passkey = await passkeys.make();
    try {
      await this.#lock.lock(undefined, { only, passkey });
    } catch (error) {
      // After any other failure the lock may have it, and open by nothing else: then it must not be lost.
      if (isPalmError(error, 'bad-argument') || isPalmError(error, 'unsupported'))
        await passkeys.retire(passkey);
      throw error;
    }
    await this.#retire(ways.passkey);
  }

  /** As Palm's. */
  async unlockWithPasskey(options: UnlockOptions = {}): Promise<void> {
    const { passkey } = await this.#lock.lockWays();
    if (passkey === undefined) throw new PalmError({ code: 'bad-argument', reason: 'no-passkey' });
    const { secret } = await (await this.#usable()).open(passkey);
    await this.#lock.unlock(secret, options);
    if (options.remove === true) await this.#retire(passkey);
  }

  /** As Palm's. */
  async unlock(passphrase: string, options: UnlockOptions = {}): Promise<void> {
    const gone = options.remove === true ? (await this.#lock.lockWays()).passkey : undefined;
    await this.#lock.unlock(passphrase, options);
    await this.#retire(gone);
  }

  /** The passkey that a changed passphrase stands beside: it is sealed anew, which takes its secret. */
  async #kept({ passphrase, passkey }: LockWays, only: boolean): Promise<OpenPasskey | undefined> {
    if (only || !passphrase || passkey === undefined) return undefined;
    return (await this.#usable()).open(passkey);
  }

  async #usable(): Promise<Passkeys> {
    const reason = await this.whyNone();
    if (reason !== undefined) throw new PalmError({ code: 'unsupported', reason });
    if (this.#passkeys === undefined) throw new PalmError({ code: 'unsupported', reason: 'no-passkeys' });
    return this.#passkeys;
  }

  async #retire(passkey: StoredPasskey | undefined): Promise<void> {
    if (passkey !== undefined) await this.#passkeys?.retire(passkey);
  }
}
