// The lock of this device, as the public face shows it. Documented in docs/API.md.

/** A way into the lock. */
export type LockWay = 'passphrase' | 'passkey';

export interface LockOptions {
  /** From now on this is the only way: others that the lock has open nothing any more. */
  readonly only?: boolean;
}

export interface UnlockOptions {
  /** Take the lock away. */
  readonly remove?: boolean;
}

/** Whether this page can use passkeys. */
export interface PasskeySupport {
  /** False where it surely cannot. Whether a passkey has a secret for the lock shows once there is one. */
  readonly usable: boolean;
  /** Why not, for people. */
  readonly problem?: string;
}

export interface LockParts {
  /** Whether this device has a lock. While it is 'locked' the device is as one in no pool. */
  readonly lock: 'none' | 'locked' | 'unlocked';
  /** The ways into its lock; absent without one. */
  readonly lockWays?: readonly LockWay[];
}

export interface LockCalls {
  /**
   * Locks this device; nothing on it opens without its passphrase or passkey. With a passphrase, sets a lock,
   * adds the passphrase to a lock with a passkey, or changes it, which asks for the passkey if that stays.
   * Without, closes the lock that there is. Transfers end. A page that closes locks as well.
   * @throws PalmError 'bad-argument'; 'locked'; 'passkey-failed'; 'unsupported' where the browser has no
   * files that can be overwritten; 'storage-full'. Then nothing has changed.
   */
  lock(passphrase?: string, options?: LockOptions): Promise<void>;
  /**
   * Opens a locked device. With `remove` takes its lock away; this needs the passphrase of an open one, too.
   * @throws PalmError 'wrong-passphrase'; 'bad-argument' when the lock has none; 'corrupt'; and what `ready`
   * rejects with.
   */
  unlock(passphrase: string, options?: UnlockOptions): Promise<void>;
  /** Whether this page can use passkeys. */
  passkeys(): Promise<PasskeySupport>;
  /**
   * Makes a passkey, and locks with it: beside the passphrase that the lock has, or with `only`, or without a
   * lock, with nothing else. Then whoever loses the passkey opens this device never again. Call it in a
   * gesture: the browser asks the person, twice.
   * @throws PalmError as `lock`, and 'bad-argument' when the lock has a passphrase and a passkey already.
   */
  lockWithPasskey(options?: LockOptions): Promise<void>;
  /**
   * As `unlock`, by the passkey. Call it in a gesture: the browser asks the person.
   * @throws PalmError 'passkey-failed', 'unsupported', 'bad-argument' when the lock has none.
   */
  unlockWithPasskey(options?: UnlockOptions): Promise<void>;
}
