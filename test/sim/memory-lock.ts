// DeviceLock in memory, for the simulator. Nothing is sealed: the stores ask it before they answer.

import { PalmError } from '../../src/core/model/errors.ts';
import type {
  DeviceLock,
  LockChange,
  LockOpener,
  LockState,
  LockWays,
  OpenPasskey,
} from '../../src/core/lock-port.ts';

export class MemoryLock implements DeviceLock {
  #passphrase: string | undefined;
  #passkey: OpenPasskey | undefined;
  #isOpen = true;

  async state(): Promise<LockState> {
    if (!this.#isThere()) return 'none';
    return this.#isOpen ? 'unlocked' : 'locked';
  }

  async ways(): Promise<LockWays> {
    return { passphrase: this.#passphrase !== undefined, passkey: this.#passkey };
  }

  async close(change: LockChange | undefined): Promise<void> {
    this.check();
    if (change?.keeps === false) this.#clear();
    this.#passphrase = change?.passphrase ?? this.#passphrase;
    this.#passkey = change?.passkey ?? this.#passkey;
    if (!this.#isThere()) throw new PalmError({ code: 'bad-argument', reason: 'no-passphrase' });
    this.#isOpen = false;
  }

  async open(opener: LockOpener, remove: boolean): Promise<void> {
    if (!this.#isThere()) return;
    if (typeof opener === 'string') {
      if (opener !== this.#passphrase) throw new PalmError({ code: 'wrong-passphrase' });
    } else if (this.#passkey === undefined || Buffer.compare(opener, this.#passkey.secret) !== 0)
      throw new PalmError({ code: 'passkey-failed', reason: 'wrong' });
    this.#isOpen = true;
    if (remove) this.#clear();
  }

  async forget(): Promise<void> {
    this.#clear();
    this.#isOpen = true;
  }

  /** A page begins. */
  restart(): void {
    this.#isOpen = !this.#isThere();
  }

  check(): void {
    if (!this.#isOpen) throw new PalmError({ code: 'locked' });
  }

  #isThere(): boolean {
    return this.#passphrase !== undefined || this.#passkey !== undefined;
  }

  #clear(): void {
    this.#passphrase = undefined;
    this.#passkey = undefined;
  }
}
