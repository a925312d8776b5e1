// The calls of `window.palm` that change who may what.

import type { Role } from '../core/model/role.ts';

/** A pool's recovery codes, as far as this device knows. */
export interface RecoveryStatus {
  /** Whether there is a code that was not used yet. */
  readonly hasCode: boolean;
  /** Whether this device may make one: the one that began the pool, or that a code made an admin. */
  readonly mayMake: boolean;
}

export interface RecoverOptions {
  /** Ids of devices that are shut out at once, at most 16. */
  readonly shutOut?: readonly string[];
}

/** A charter with which a device upgraded the pool that this device is in. */
export interface UpgradeStatus {
  readonly id: string;
  readonly byId: string;
  readonly byName: string;
  /** Whether it names this device as a member. Otherwise this device has no place in the upgraded pool. */
  readonly namesThis: boolean;
}

/** That the pool is one of an earlier Palm which was upgraded. */
export interface UpgradedStatus {
  /** As 'K7QM-2XTR-9FHD'. Who confirms the upgrade on another device types it there. */
  readonly code: string;
  /** The members of before that are in, and on which nobody has confirmed the upgrade yet. */
  readonly awaits: readonly { readonly id: string; readonly name: string }[];
}

/** A part of the pool that a device upgraded apart from this one: a pool of its own since. */
export interface PartStatus {
  readonly id: string;
  readonly byId: string;
  readonly byName: string;
  /** Whether this device's part offered to be taken in by it. */
  readonly isOffered: boolean;
  /** Whether this device's part took it in: its devices come in as they link. */
  readonly isTaken: boolean;
  /** What it offered, and was not taken in with yet. Known on devices that may take it in. */
  readonly offer?: JoiningPart;
  /** It took this device's part in. This device comes in once these are out there, or readers, as here. */
  readonly waitsFor?: readonly NamedDevice[];
}

export interface JoiningPart {
  /** Devices that come in. */
  readonly devices: readonly NamedDevice[];
  /** Devices of this part that it shut out: who takes it in shuts them out as well. */
  readonly shutsOut: readonly NamedDevice[];
}

export interface NamedDevice {
  readonly id: string;
  readonly name: string;
}

export interface PartOptions {
  /**
   * What the device that upgraded the other part shows as `status().pool.upgraded.code`. With it, no other
   * part is meant.
   */
  readonly code?: string;
}

export interface FollowOptions {
  /**
   * What the device that upgraded the pool shows as `status().pool.upgraded.code`. With it, no other upgrade
   * is followed.
   */
  readonly code?: string;
}

export interface UpgradeOptions {
  /** Ids of devices that do not stay. What they stored stays. */
  readonly shutOut?: readonly string[];
}

/** A device that was shut out. */
export interface ShutOutStatus {
  readonly id: string;
  readonly name: string;
  readonly self: boolean;
  /** The admin who did it. */
  readonly byId: string;
  readonly byName: string;
}

export interface TrustCalls {
  /**
   * Gives a device of the pool a role. To one that was shut out, it gives its place back. An admin acts only
   * on devices below it: those that are no admins, and admins that were made by it or by one below it.
   * @throws PalmError 'not-allowed', 'bad-argument', 'not-in-pool'.
   */
  grant(deviceId: string, role: Role): Promise<void>;
  /**
   * Shuts a device out of the pool: the others no longer link with it, give it anything, or count what it
   * holds; what it wrote so far stays. Resolves when this is durable here and on its way.
   * @throws PalmError 'not-allowed', 'bad-argument', 'not-in-pool'.
   */
  shutOut(deviceId: string): Promise<void>;
  /**
   * Gives the pool new keys, which all devices that are in get; what is stored from then on opens under these
   * alone. `shutOut` does it, too. Resolves when the keys are in use here and on their way.
   * @throws PalmError 'not-allowed', 'not-in-pool'.
   */
  rotate(): Promise<void>;
  /**
   * Makes a recovery code: whoever has it, and a device that was ever let into the pool, can make that device
   * an admin of the first rank, and shut out any other. It is kept nowhere: the caller shows it to its person
   * once. Codes of before stay valid. Resolves when the code is known here and on its way.
   * @throws PalmError 'not-allowed', 'not-in-pool'.
   */
  makeRecoveryCode(): Promise<{ readonly code: string }>;
  /**
   * Uses a recovery code: this device becomes an admin of the first rank, and the devices in `shutOut` are
   * shut out. The code is worth nothing from then on; the returned one takes its place. `code` may be typed
   * with small letters, spaces and hyphens.
   * @throws PalmError 'bad-recovery-code', 'bad-argument', 'not-allowed', 'not-in-pool'.
   */
  recover(code: string, options?: RecoverOptions): Promise<{ readonly code: string }>;
  /**
   * Gives a pool of an earlier Palm roles, and invites that end: this device becomes its first admin, all
   * other devices members. Its old invite lets nobody in any more. Transfers end. The others go on among
   * themselves until their persons follow. Resolves when the pool is open again.
   * @throws PalmError 'bad-argument', 'not-in-pool'.
   */
  upgrade(options?: UpgradeOptions): Promise<void>;
  /**
   * Follows the upgrade with this id, one of `status().pool.upgrades`: this device obeys the roles from now
   * on, for good. Transfers end. Resolves when the pool is open again.
   * @throws PalmError 'bad-argument', 'not-allowed', 'not-in-pool'.
   */
  followUpgrade(id: string, options?: FollowOptions): Promise<void>;
  /**
   * Offers that the other part with this id, one of `status().pool.parts`, takes this one in. Once its first
   * admin accepted, devices of this part follow the other one by themselves, as members or readers, with all
   * that they keep. Only for a first admin. Resolves when this is durable here and on its way.
   * @throws PalmError 'bad-argument', 'not-allowed', 'log-full', 'not-in-pool'.
   */
  offerPart(id: string, options?: PartOptions): Promise<void>;
  /** Takes such an offer back. @throws PalmError 'not-allowed', 'log-full', 'not-in-pool'. */
  withdrawOffer(): Promise<void>;
  /**
   * Takes in the other part with this id, which offered it: what its devices stored and removed counts here,
   * and whom it shut out is shut out. Only for a first admin.
   * @throws PalmError 'bad-argument', 'not-allowed', 'log-full', 'not-in-pool'.
   */
  takeInPart(id: string, options?: PartOptions): Promise<void>;
}
