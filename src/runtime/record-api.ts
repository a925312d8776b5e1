// The part of the public face (api.ts) that is the pool's record: plain cloneable data.

import type { Role } from '../core/model/role.ts';

export interface RecordOptions {
  /** Entries of this device only. */
  readonly device?: string;
  /** The `earlier` of the page after: the newest entries before that. */
  readonly before?: string;
  /** How many entries at most, from 1 to 1 000. Default 100. */
  readonly limit?: number;
}

/**
 * 'verified': the signature fits, and the entry before it is there. 'forked': the same, and its device wrote
 * two different entries with one number, here or before. 'invalid': what this device keeps of it is damaged.
 */
export type RecordState = 'verified' | 'forked' | 'invalid';

/** An entry of the pool's signed catalogue: what a device did. */
export interface RecordItem {
  readonly entryId: string;
  readonly deviceId: string;
  readonly deviceName: string;
  /** The entry's number in the device's own log. */
  readonly seq: number;
  /** When, by the device's own clock. */
  readonly atMs: number;
  readonly state: RecordState;
  /**
   * 'profile', 'pool', 'file', 'name', 'remove', 'unname', 'policy', 'leave'; of acts 'charter', 'grant',
   * 'shut-out', 'keep', 'admit', 'withdraw', 'epoch', 'epoch-keys', 'exchange', 'code', 'recover', 'merge';
   * or a kind that only newer versions know.
   */
  readonly kind: string;
  /** Of a device or the pool, in 'profile' and 'pool'. */
  readonly name?: string;
  /** Of the name that was added or taken away. */
  readonly fileId?: string;
  /** Absent for a private file, and while nothing is known of it. */
  readonly fileName?: string;
  /** What a 'policy' sets, as it stands in the entry. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Of an act: whether it counts, by all acts that are here. */
  readonly counts?: boolean;
  /** Of an act: the device that it is about, and the role that it gives. */
  readonly aboutId?: string;
  readonly aboutName?: string;
  readonly role?: Role;
  /** Of a 'shut-out': why, in the words of the device that wrote it. */
  readonly reason?: string;
  /** Of a 'shut-out' or 'recover': how many acts of before it says count no more. */
  readonly undone?: number;
  readonly text: string;
}

export const SECURITY_EVENT_KINDS = [
  'removed-files',
  'forged-records',
  'forked-log',
  'overfull-log',
  'false-claims',
  'false-equal',
  'future-name',
  'withheld',
  'damaged-bytes',
  'unreadable-messages',
  'refused-signaling',
  'flood',
  'twin',
] as const;

export type SecurityEventKind = (typeof SECURITY_EVENT_KINDS)[number];

/** What this device noticed of others; kept between visits, bounded. */
export interface SecurityEventStatus {
  readonly kind: SecurityEventKind;
  /** Absent where it is not known. */
  readonly deviceId?: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  readonly text: string;
}

export interface PoolRecord {
  /** Newest last, by the devices' own clocks. */
  readonly items: readonly RecordItem[];
  /** How many entries there are in all, of the device if one was named. */
  readonly total: number;
  /** `before` of the page before this one; absent on the first. */
  readonly earlier?: string;
  readonly events: readonly SecurityEventStatus[];
}
