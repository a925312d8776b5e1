// The lock's calls within the runtime: they take what a passkey told instead of asking for it.

import type { LockOpener, LockWays, OpenPasskey } from '../core/lock-port.ts';
import type { LockOptions, UnlockOptions } from './lock-api.ts';

export interface LockRunOptions extends LockOptions {
  /** A new passkey; or the one that the lock has, if the passphrase changes and both stay. */
  readonly passkey?: OpenPasskey;
}

export interface LockRun {
  /** @throws PalmError 'corrupt'. */
  lockWays(): Promise<LockWays>;
  /** As Palm's `lock` and `lockWithPasskey`. */
  lock(passphrase?: string, options?: LockRunOptions): Promise<void>;
  /** As Palm's `unlock` and `unlockWithPasskey`. */
  unlock(opener: LockOpener, options?: UnlockOptions): Promise<void>;
}
