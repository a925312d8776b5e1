// The lock of this device, and the passkeys that may open it.

import type { NoPasskeys } from './model/passkey-failures.ts';

/** Whether this device has a lock, and whether it is open. */
export type LockState = 'none' | 'locked' | 'unlocked';

/** A passkey that opens the lock: what its authenticator is asked with. No secret; it lies in the open. */
export interface StoredPasskey {
  /** 1 to 1 023 bytes (WebAuthn, section 4). */
  readonly credentialId: Uint8Array<ArrayBuffer>;
  /** What the authenticator makes its secret from (WebAuthn, section 10.1.4, `prf`), 32 bytes. */
  readonly salt: Uint8Array<ArrayBuffer>;
}

/** A passkey with its secret for this salt, 32 bytes, which only its authenticator tells. */
export interface OpenPasskey extends StoredPasskey {
  readonly secret: Uint8Array<ArrayBuffer>;
}

/** The ways into a lock. None without one. */
export interface LockWays {
  readonly passphrase: boolean;
  readonly passkey?: StoredPasskey | undefined;
}

/** Which ways a lock has from now on. */
export interface LockChange {
  readonly passphrase?: string | undefined;
  readonly passkey?: OpenPasskey | undefined;
  /** Whether the ways that the open lock has stay as well. Otherwise these are all, under new keys. */
  readonly keeps: boolean;
}

/** What opens a lock: its passphrase, or the secret of its passkey. */
export type LockOpener = string | Uint8Array<ArrayBuffer>;

/**
 * A lock over everything that `SecretStore`, `StoreJournal` and the fragments' indexes keep. While it is
 * closed, their methods that read or write such things throw PalmError 'locked'; deleting works.
 */
export interface DeviceLock {
  state(): Promise<LockState>;
  /** @throws PalmError 'corrupt' when nobody can tell. */
  ways(): Promise<LockWays>;
  /**
   * Closes the lock; with a change, after making it. What a way opened on the disk that the lock no longer
   * has is erased. A passkey that the lock has already must open it.
   * @throws PalmError 'unsupported' where nothing can be erased, 'bad-argument' without a lock and a
   * change, 'passkey-failed', 'locked', 'storage-full', 'storage-failed'.
   */
  close(change: LockChange | undefined): Promise<void>;
  /**
   * Opens it; with `remove`, takes it away. Does nothing without a lock.
   * @throws PalmError 'wrong-passphrase', 'passkey-failed', 'corrupt', 'storage-full', 'storage-failed'.
   */
  open(opener: LockOpener, remove: boolean): Promise<void>;
  /** Takes it away from a device of which everything was cleared. @throws PalmError 'storage-failed'. */
  forget(): Promise<void>;
}

/** The platform's passkeys, which a person uses in front of the page: each call but the first may ask. */
export interface Passkeys {
  /** Why there are none; undefined where there may be, as far as the platform tells. */
  whyNone(): Promise<NoPasskeys | undefined>;
  /** Makes a passkey, and proves that it tells its secret. @throws PalmError 'passkey-failed'. */
  make(): Promise<OpenPasskey>;
  /** @throws PalmError 'passkey-failed'. */
  open(passkey: StoredPasskey): Promise<OpenPasskey>;
  /** Tells whoever keeps it that it is of no more use, where they can be told. Never rejects. */
  retire(passkey: StoredPasskey): Promise<void>;
}
