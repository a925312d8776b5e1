// The public face of Palm: `window.palm`, which the screens use too. Documented in docs/API.md. Everything
// that goes in or out is plain cloneable data (Blob and ReadableStream aside).

import type { DeviceClass } from '../core/model/device-class.ts';
import type { Placement, Policy, PolicyChange } from '../core/model/policy.ts';
import type { Role } from '../core/model/role.ts';
import type { SourceHandle } from '../core/ports.ts';
import type { DoctorCalls } from './doctor-api.ts';
import type { FileCalls } from './file-api.ts';
import type { LinkPath } from '../core/transport-port.ts';
import type { InviteOptions, InviteStatus, JoiningStatus, OverusedInviteStatus } from './invite-api.ts';
import type { LockCalls, LockParts } from './lock-api.ts';
import type { NearbyCalls, NearbyParts } from './nearby-api.ts';
import type { PairCalls, PairingStatus } from './pair-api.ts';
import type { RekeyCalls, RekeyParts } from './rekey-api.ts';
import type { QuotaStatus } from './quota-api.ts';
import type { PoolRecord, RecordOptions } from './record-api.ts';
import type {
  PartStatus,
  RecoveryStatus,
  ShutOutStatus,
  TrustCalls,
  UpgradedStatus,
  UpgradeStatus,
} from './trust-api.ts';

/**
 * How soon `store` resolves: when enough fragments are durable on devices, or when this device has all of
 * them.
 */
export type Durability = 'quorum' | 'fast';

export interface StoreOptions {
  /** Visible to the pool's members, or with a private file's link only. 1 to 255 bytes of UTF-8. */
  readonly name: string;
  /** Folder path without the name, '/'-separated; '' or absent for none. */
  readonly path?: string;
  readonly mime?: string;
  /** Any k fragments bring the file back. k = 1 also needs `mirror: true`. */
  readonly k?: number;
  readonly n?: number;
  /** Allows k = 1: every device that holds the file can read it alone. */
  readonly mirror?: boolean;
  /** Default 'quorum'. */
  readonly durability?: Durability;
  /** Only the link that `store` returns opens the file, and only with the pool's k fragments. */
  readonly private?: boolean;
  /** The blob's handle, if the browser gave one: a later page need not ask for the file again. */
  readonly handle?: SourceHandle;
  readonly signal?: AbortSignal;
}

export type ResumeOptions = Pick<StoreOptions, 'durability' | 'signal'>;

export interface StoreResult {
  /** Of the name: the first one of new bytes, a further one of bytes that the pool had. */
  readonly fileId: string;
  /** The pool already had the bytes, and any one device may be lost; nothing was sent. */
  readonly deduplicated: boolean;
  /** Fragments, of n, that were durable on their devices when `store` resolved. */
  readonly placed: number;
  /** The link of a private file. Palm does not keep it: once this page closes, this is the only copy. */
  readonly link?: string;
}

export interface ReadOptions {
  /** First byte, default 0. */
  readonly start?: number;
  /** One past the last byte, default the file's size. */
  readonly end?: number;
  /** For a private file: its link, unless this page stored or opened it. */
  readonly link?: string;
  /** The request that this is part of, as in W3C Trace Context's header: those who serve it log its ids. */
  readonly traceparent?: string;
  readonly signal?: AbortSignal;
}

/**
 * 'reachable': linked with this device. 'suspect': lost a moment ago, without a goodbye. 'away': expected
 * back. 'gone': not heard of for longer than the grace of its class; what it holds no longer counts.
 */
export type DeviceState = 'reachable' | 'away' | 'suspect' | 'gone';

export interface DeviceStatus {
  readonly id: string;
  readonly name: string;
  readonly state: DeviceState;
  /** What kind of device it says it is: how long it may well be away. */
  readonly class: DeviceClass;
  /** When its state began, ms since the Unix epoch, by this device's clock. */
  readonly sinceMs: number;
  /**
   * How long this device waits, while it hears nothing of the other, before it counts it as gone, ms: the
   * grace of its class, or what was learned from its earlier absences.
   */
  readonly graceMs: number;
  /** Whether the pool's files are placed around it; absent where not. */
  readonly anchor?: true;
  readonly evictable?: true; // its browser deletes what nobody uses for a week; absent where not
  /** Bytes of fragments that the device says it holds. */
  readonly heldBytes: number;
  readonly self: boolean;
  /** How the bytes of this device's link with it go. Absent without a link, and while it is not known. */
  readonly via?: LinkPath;
  /** What it may do. Absent in a pool without roles, and where this device does not know. */
  readonly role?: Role;
}

export interface FileStatus {
  /** Of this name. */
  readonly fileId: string;
  /** Of its bytes: equal for all names of one content. The id of its first name. */
  readonly contentId: string;
  /** '' while this page does not know a private file's link. */
  readonly name: string;
  readonly path: string;
  readonly mime: string;
  /** The IPFS CID of the bytes, as who gave the name says: nothing checked it. Absent where nobody said. */
  readonly cid?: string;
  readonly size: number;
  readonly k: number;
  readonly n: number;
  /** Distinct fragments on reachable devices now, this one included. */
  readonly reach: number;
  /** How many of the reachable holders may be lost before the file cannot be opened; -1 when reach < k. */
  readonly margin: number;
  /** Distinct fragments on devices that are not gone, nor evictable: who is away brings its own back. */
  readonly durable: number;
  /** How many of those devices may be lost before the file is lost; -1 when durable < k. */
  readonly durableMargin: number;
  readonly holders: readonly { readonly deviceId: string; readonly fragments: readonly number[] }[];
  readonly private: boolean;
  /** Whether this page can open the file (always true unless it is private). */
  readonly openable: boolean;
  /** This device still holds fragments that belong on other devices. */
  readonly inOutbox: boolean;
  /** The device that gave it this name. */
  readonly by: string;
  /**
   * When it was given this name, ms since the Unix epoch, by that device's clock; later than all names that
   * it knew. `files` are in this order.
   */
  readonly storedAtMs: number;
  /** The source file's last modification, ms since the Unix epoch; 0 when unknown. */
  readonly modifiedMs: number;
  /** This device keeps as many of its fragments as one device may (`pin`); absent where not. */
  readonly pinned?: true;
  /** The original may be deleted: confirmed holdings give margin >= 1, without those of evictable devices. */
  readonly safe: boolean;
}

export interface TransferStatus {
  readonly id: string;
  readonly kind: 'store' | 'read';
  readonly name: string;
  /** Empty until it is known. */
  readonly fileId: string;
  readonly phase: 'hashing' | 'sealing' | 'placing' | 'reading';
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds; 0 when unknown. */
  readonly bytesPerSecond: number;
}

/** An interrupted store that `resumeStore` can continue. */
export interface UnfinishedStatus {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly private: boolean;
  /** Plaintext bytes that need not be encrypted again. */
  readonly sealedBytes: number;
  /** What `resumeStore` needs: the file chosen again, a gesture in which the browser may ask, or nothing. */
  readonly needs: 'nothing' | 'permission' | 'file';
}

/** Fragments of a file that this device is restoring, because the devices that had them are gone. */
export interface RepairStatus {
  /** A name of the file; of several, the first. */
  readonly fileId: string;
  /** '' while this page does not know a private file's link. */
  readonly name: string;
  readonly fragments: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** The part of this device's links that its repairs may use, as the pool's policy says. */
  readonly share: number;
}

/**
 * Removed files of which this device still has fragments and their keys: another device may know a further
 * name for the same bytes. They go when every member has heard of the removal, at the latest after seven
 * days.
 */
export interface RemovedStatus {
  readonly files: number;
  /** That the fragments take on the disk; 0 while the last of them are being erased. */
  readonly bytes: number;
  /** The ids of the devices that may not have heard of it yet. */
  readonly waitsFor: readonly string[];
}

/** The battery is low and not charging, or the person asked the browser to save data. */
export type RepairPause = 'battery-low' | 'data-saver';

/** How far this device is with handing over what it holds, before it leaves. */
export interface LeavingStatus {
  readonly doneFragments: number;
  readonly totalFragments: number;
  /** Files that nobody could open any more if this device left now. */
  readonly wouldLose: readonly { readonly fileId: string; readonly name: string }[];
}

export interface LeaveOptions {
  /** Hand everything over first. The device leaves only when other devices have proved that they hold all. */
  readonly handOver?: boolean;
  /** Until this device has left: stay after all. What was handed over stays with the others. */
  readonly signal?: AbortSignal;
}

export type ActivityKind =
  | 'device-gone'
  | 'device-back'
  | 'device-left'
  | 'fragments-restored'
  | 'file-removed'
  | 'policy-changed';

/** Something that happened in the pool, in plain words. */
export interface ActivityStatus {
  /** The same after a reload. */
  readonly id: number;
  readonly atMs: number;
  readonly kind: ActivityKind;
  readonly text: string;
}

/** Something that went wrong or was refused. Newest last; bounded. */
export interface NoticeStatus {
  readonly id: number;
  readonly atMs: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

export interface PalmStatus extends NearbyParts, RekeyParts, LockParts {
  /** Without an id and with a suggested name while the device is locked. */
  readonly device: { readonly id: string; readonly name: string };
  /** Undefined in no pool. */
  readonly pool?: {
    readonly id: string;
    readonly name: string;
    /** The relay introduces devices to each other; linked devices work without it. */
    readonly relay: 'connecting' | 'connected' | 'lost';
    /** No other device of the pool has answered this one yet. */
    readonly alone: boolean;
    /** How often the pool's keys were changed. Absent in a pool without roles. */
    readonly epoch?: number;
    /** Since when they are in use, ms since the Unix epoch; absent as `epoch` is. */
    readonly keysSinceMs?: number;
    /** False in a pool of an earlier Palm: whoever has its one invite is a member. */
    readonly invitesEnd: boolean;
    /** Absent until somebody chose. */
    readonly placement?: Placement;
    /** Absent as `epoch` is. */
    readonly recovery?: RecoveryStatus;
    /** Upgrades of other devices that this one may follow; absent if there are none. */
    readonly upgrades?: readonly UpgradeStatus[];
    /** Absent in a pool that was not upgraded. */
    readonly upgraded?: UpgradedStatus;
    /** Parts of the pool that were upgraded apart and that this page met; absent if there are none. */
    readonly parts?: readonly PartStatus[];
  };
  /** While a join waits to be let in. */
  readonly joining?: JoiningStatus;
  /** The pairing that is under way, or how the last one ended; absent without one. */
  readonly pairing?: PairingStatus;
  readonly devices: readonly DeviceStatus[];
  /** What this device may do. Absent in a pool without roles, and when it is shut out. */
  readonly role?: Role;
  /** Devices that were shut out of the pool, this one included; absent if there are none. */
  readonly shutOut?: readonly ShutOutStatus[];
  /** Invites by which more devices came in than they were for, until an admin decided. Absent without. */
  readonly overused?: readonly OverusedInviteStatus[];
  readonly files: readonly FileStatus[];
  readonly transfers: readonly TransferStatus[];
  /** Oldest first. A store that is being continued is listed as a transfer instead. */
  readonly unfinished: readonly UnfinishedStatus[];
  readonly repairs: readonly RepairStatus[];
  /** Absent where the pool's policy sets neither limit. */
  readonly quota?: QuotaStatus;
  /** Absent once nothing of a removed file is on this device's disk. */
  readonly removed?: RemovedStatus;
  /** While this device hands over what it holds. */
  readonly leaving?: LeavingStatus;
  /** Why files that this device should restore wait; absent when none does. */
  readonly repairPause?: RepairPause;
  /** What happened, newest last; kept between visits, bounded. */
  readonly activity: readonly ActivityStatus[];
  readonly notices: readonly NoticeStatus[];
}

/** Every promise rejects with a PalmError; its `code` and `message` say what happened and what is safe. */
export interface Palm
  extends TrustCalls, RekeyCalls, PairCalls, NearbyCalls, FileCalls, DoctorCalls, LockCalls {
  /**
   * Resolves when the device has its identity and has reopened its pool, if it was in one; or waits to be
   * unlocked (`status().lock`): then other calls reject with 'locked'.
   */
  readonly ready: Promise<void>;
  /** @throws PalmError 'already-in-pool', 'bad-argument'. */
  createPool(options: { readonly name: string; readonly deviceName?: string }): Promise<void>;
  /**
   * The URL of a new invite. In a pool of an earlier Palm, of its one invite, which has no end: then it takes
   * no options.
   * @throws PalmError 'not-in-pool', 'not-allowed', 'bad-argument'.
   */
  invite(options?: InviteOptions): Promise<string>;
  /** Invites that have not expired, as far as this device knows. @throws PalmError 'not-in-pool'. */
  invites(): InviteStatus[];
  /** It admits nobody any more. @throws PalmError 'not-in-pool', 'not-allowed', 'bad-argument'. */
  withdrawInvite(id: string): Promise<void>;
  /**
   * Joins by invite URL (or its last part). Waits until a member of the pool lets this device in, also over
   * reloads (`status().joining`); another join, a new pool or `leave` gives it up. Resolves once a device
   * of the pool answers; if none does within some seconds, membership is kept and `answered` is false.
   * @throws PalmError 'bad-invite', also when the invite has ended; 'already-in-pool'; 'cancelled'.
   */
  join(url: string, options?: { readonly deviceName?: string }): Promise<{ readonly answered: boolean }>;
  store(blob: Blob, options: StoreOptions): Promise<StoreResult>;
  /**
   * Continues a store of `status().unfinished` with `blob`, or with its file where the browser can open it
   * again. Only what is missing is encrypted. If the bytes have changed, the sealed part is dropped and
   * `blob` is stored from the start.
   * @throws PalmError 'file-needed' without a blob, when the file cannot be opened again; 'bad-argument'; and
   * as `store`.
   */
  resumeStore(id: string, blob?: Blob, options?: ResumeOptions): Promise<StoreResult>;
  /** Discards a store of `status().unfinished` and its encrypted part. @throws PalmError 'bad-argument'. */
  discardStore(id: string): Promise<void>;
  /**
   * The verified bytes of a file, in order. Cancelling the stream stops the transfer. Errors arrive on the
   * stream.
   */
  read(fileId: string, options?: ReadOptions): ReadableStream<Uint8Array<ArrayBuffer>>;
  /**
   * Learns a private file's name, so that this page can open it.
   * @throws PalmError 'bad-invite', 'unknown-file'.
   */
  openLink(link: string): Promise<{ readonly fileId: string }>;
  /**
   * Says goodbye, then wipes keys, records and fragments from this browser. Works even if the pool could not
   * be opened. With `handOver`, other devices first take over what this one holds.
   * @throws PalmError 'not-in-pool'; 'other-tab' while another tab has the device; 'storage-failed' when
   * something could not be deleted: call it again then. With `handOver` also 'refused' when the others do
   * not take all of it, and 'cancelled': then this device stays.
   */
  leave(options?: LeaveOptions): Promise<void>;
  setDeviceName(name: string): Promise<void>;
  /**
   * Changes parts of the pool's policy, for all devices; parts that are left out stay. Resolves when the
   * change is durable here and on its way. Of each part the latest change counts.
   * @throws PalmError 'bad-argument', 'not-in-pool'.
   */
  setPolicy(change: PolicyChange): Promise<void>;
  /** The pool's policy, as far as this device knows. @throws PalmError 'not-in-pool'. */
  policy(): Policy;
  /**
   * The pool's record, a page at a time: its signed catalogue as an audit trail, each entry's signature
   * checked now, and what this device noticed of others.
   * @throws PalmError 'not-in-pool', 'bad-argument'.
   */
  record(options?: RecordOptions): Promise<PoolRecord>;
  /**
   * The whole record as JSON lines, with the signed bytes: docs/verify-record.mjs checks them without Palm.
   * @throws PalmError 'not-in-pool'.
   */
  exportRecord(): Promise<Blob>;
  status(): PalmStatus;
  /** Calls `listener` after changes, once per animation frame at most. Returns the unsubscribe function. */
  subscribe(listener: () => void): () => void;
  /** Cancels a transfer of `status().transfers`. */
  cancel(transferId: string): void;
}
