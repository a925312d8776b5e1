// DeviceLock in memory, for the simulator. Nothing is sealed: the stores ask it before they answer.

import { PalmError } from '../../src/core/model/errors.ts';
import type { DeviceLock, LockState } from '../../src/core/ports.ts';

export class MemoryLock implements DeviceLock {
  #passphrase: string | undefined;
  #isOpen = true;

  async state(): Promise<LockState> {
    if (this.#passphrase === undefined) return 'none';
    return this.#isOpen ? 'unlocked' : 'locked';
  }

  async close(passphrase = this.#passphrase): Promise<void> {
    this.check();
    if (passphrase === undefined) throw new PalmError({ code: 'bad-argument', reason: 'no-passphrase' });
    this.#passphrase = passphrase;
    this.#isOpen = false;
  }

  async open(passphrase: string, remove: boolean): Promise<void> {
    if (this.#passphrase === undefined) return;
    if (passphrase !== this.#passphrase) throw new PalmError({ code: 'wrong-passphrase' });
    this.#isOpen = true;
    if (remove) this.#passphrase = undefined;
  }

  async forget(): Promise<void> {
    this.#passphrase = undefined;
    this.#isOpen = true;
  }

  /** A page begins. */
  restart(): void {
    this.#isOpen = this.#passphrase === undefined;
  }

  check(): void {
    if (!this.#isOpen) throw new PalmError({ code: 'locked' });
  }
}
