// What this device knows of the pool's members, as it is kept between visits.

import { isPalmError } from '../core/model/errors.ts';
import { parseDeviceId } from '../core/model/ids.ts';
import { MAX_ALIVE_BYTES, MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import { boolOf, bytesOf, listOf, tupleOf, uintOf } from '../core/encoding/decode.ts';
import { decodeAlive } from '../core/membership/alive-record.ts';
import { MAX_LEARNED_SILENCE_MS } from '../core/membership/learned-grace.ts';
import { MET_DAYS } from '../core/membership/meetings.ts';
import type { Membership } from '../core/membership/membership.ts';
import type { SavedMember, SavedMembers } from '../core/membership/roster.ts';
import type { RecordStore } from '../core/ports.ts';
import { softRows } from './soft-rows.ts';

const MEMBERS = 'members';
const INCARNATION = 'incarnation';

export function saveMembers(records: RecordStore, membership: Membership): Promise<void> {
  const { atMs, members, metDays } = membership.saved();
  const rows = members.map((member) => [
    member.device,
    member.isGone,
    member.sinceMs,
    member.silentMs,
    member.isForgiven,
    member.record?.bytes ?? null,
    member.closedMs,
    member.longestMs,
    member.isEvictable,
    member.longestToldMs,
  ]);
  return records.putMeta(MEMBERS, [atMs, rows, metDays]);
}

/**
 * The function that it resolves to restores what decodes, and begins a later incarnation than the last. It
 * returns how many rows do not decode: those members count as heard of now.
 */
export async function readMembers(records: RecordStore): Promise<(membership: Membership) => number> {
  const [incarnation, kept] = await Promise.all([loadIncarnation(records), records.getMeta(MEMBERS)]);
  return (membership) => {
    const { saved, droppedCount } = savedOf(kept);
    membership.restore(incarnation + 1, saved);
    return droppedCount;
  };
}

/** Before it is signed. */
export function saveIncarnation(records: RecordStore, incarnation: number): Promise<void> {
  return records.putMeta(INCARNATION, incarnation);
}

/** The last incarnation that was signed; 0 when none was, or the row is damaged: others will know better. */
async function loadIncarnation(records: RecordStore): Promise<number> {
  const kept = await records.getMeta(INCARNATION);
  return typeof kept === 'number' && Number.isSafeInteger(kept) && kept > 0 ? kept : 0;
}

function savedOf(kept: unknown): { readonly saved: SavedMembers | undefined; readonly droppedCount: number } {
  if (kept === undefined) return { saved: undefined, droppedCount: 0 };
  try {
    // Earlier versions wrote no days.
    const fields = Array.isArray(kept) && kept.length === 2 ? [...kept, []] : kept;
    const [atMs, members, days] = tupleOf(fields, 3);
    const savedAtMs = uintOf(atMs, Number.MAX_SAFE_INTEGER);
    const metDays = listOf(days, MET_DAYS, (day) => uintOf(day, Number.MAX_SAFE_INTEGER));
    const { rows, droppedCount } = softRows(members, MAX_DEVICE_COUNT, memberOf);
    return { saved: { atMs: savedAtMs, members: rows, metDays }, droppedCount };
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return { saved: undefined, droppedCount: 1 };
    throw error;
  }
}

/** What earlier versions did not write, as it counts for them. The earliest wrote the first ones only. */
const FIRST_FIELDS = 6;
const LATER_FIELDS = [0, 0, false, 0];

function memberOf(row: unknown): SavedMember {
  const fields = Array.isArray(row) ? [...row, ...LATER_FIELDS.slice(row.length - FIRST_FIELDS)] : row;
  const [
    device,
    isGone,
    sinceMs,
    silentMs,
    isForgiven,
    record,
    closedMs,
    longestMs,
    isEvictable,
    longestToldMs,
  ] = tupleOf(fields, FIRST_FIELDS + LATER_FIELDS.length);
  return {
    device: parseDeviceId(device),
    isGone: boolOf(isGone),
    sinceMs: uintOf(sinceMs, Number.MAX_SAFE_INTEGER),
    silentMs: uintOf(silentMs, Number.MAX_SAFE_INTEGER),
    isForgiven: boolOf(isForgiven),
    record: record === null ? undefined : decodeAlive(bytesOf(record, 1, MAX_ALIVE_BYTES)),
    closedMs: uintOf(closedMs, Number.MAX_SAFE_INTEGER),
    longestMs: uintOf(longestMs, MAX_LEARNED_SILENCE_MS),
    isEvictable: boolOf(isEvictable),
    longestToldMs: uintOf(longestToldMs, MAX_LEARNED_SILENCE_MS),
  };
}
