// What this device knows of the pool's members, as it is kept between visits.

import { isPalmError } from '../core/model/errors.ts';
import { parseDeviceId } from '../core/model/ids.ts';
import { MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import { boolOf, tupleOf, uintOf } from '../core/encoding/decode.ts';
import type { Membership, SavedMember } from '../core/membership/membership.ts';
import type { RecordStore } from '../core/ports.ts';
import { softRows } from './soft-rows.ts';

const MEMBERS = 'members';

export function saveMembers(records: RecordStore, membership: Membership): Promise<void> {
  const { atMs, members } = membership.saved();
  const rows = members.map(({ device, isGone, sinceMs, silentMs, isForgiven }) => [
    device,
    isGone,
    sinceMs,
    silentMs,
    isForgiven,
  ]);
  return records.putMeta(MEMBERS, [atMs, rows]);
}

/** Restores what decodes. Returns how many rows do not: those members count as heard of now. */
export async function restoreMembers(records: RecordStore, membership: Membership): Promise<number> {
  const kept = await records.getMeta(MEMBERS);
  if (kept === undefined) return 0;
  try {
    const [atMs, members] = tupleOf(kept, 2);
    const savedAtMs = uintOf(atMs, Number.MAX_SAFE_INTEGER);
    const { rows, droppedCount } = softRows(members, MAX_DEVICE_COUNT, memberOf);
    membership.restore({ atMs: savedAtMs, members: rows });
    return droppedCount;
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return 1;
    throw error;
  }
}

function memberOf(row: unknown): SavedMember {
  const [device, isGone, sinceMs, silentMs, isForgiven] = tupleOf(row, 5);
  return {
    device: parseDeviceId(device),
    isGone: boolOf(isGone),
    sinceMs: uintOf(sinceMs, Number.MAX_SAFE_INTEGER),
    silentMs: uintOf(silentMs, Number.MAX_SAFE_INTEGER),
    isForgiven: boolOf(isForgiven),
  };
}
