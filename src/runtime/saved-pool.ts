// The pool that this device is in, as it is kept between visits.

import { decodeInvite, encodeInvite, type Invite } from '../core/model/invite.ts';
import type { DeviceId, FileId } from '../core/model/ids.ts';
import { parseDeviceId, parseFileId } from '../core/model/ids.ts';
import { MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import { decodeFragmentSet, encodeFragmentSet, type FragmentSet } from '../core/placement/fragment-set.ts';
import type { Holdings } from '../core/placement/holdings.ts';
import type { RecordStore } from '../core/ports.ts';
import { listOf, tupleOf, uintOf } from '../core/wire/decode.ts';

const POOL = 'pool-invite';
const DEVICE_NAME = 'device-name';
const HOLDINGS = 'holdings';
/** Files remembered per device. */
const MAX_REMEMBERED_FILES = 200_000;

/** @throws PalmError 'bad-invite' when what is kept is damaged. */
export async function loadPool(records: RecordStore): Promise<Invite | undefined> {
  const kept = await records.getMeta(POOL);
  return typeof kept === 'string' ? decodeInvite(kept) : undefined;
}

export function savePool(records: RecordStore, invite: Invite): Promise<void> {
  return records.putMeta(POOL, encodeInvite(invite));
}

export async function loadDeviceName(records: RecordStore): Promise<string | undefined> {
  const kept = await records.getMeta(DEVICE_NAME);
  return typeof kept === 'string' ? kept : undefined;
}

export function saveDeviceName(records: RecordStore, name: string): Promise<void> {
  return records.putMeta(DEVICE_NAME, name);
}

/** What the other devices said they hold, so that absent ones are remembered over a restart. */
export function saveHoldings(records: RecordStore, holdings: Holdings): Promise<void> {
  const rows = [...holdings.all()].map(([device, { files, heldBytes, heardAtMs }]) => [
    device,
    heldBytes,
    heardAtMs,
    [...files].map(([file, fragments]) => [file, encodeFragmentSet(fragments)]),
  ]);
  return records.putMeta(HOLDINGS, rows);
}

export async function restoreHoldings(records: RecordStore, holdings: Holdings): Promise<void> {
  const kept = (await records.getMeta(HOLDINGS)) ?? [];
  listOf(kept, MAX_DEVICE_COUNT, (row) => {
    const [device, heldBytes, heardAtMs, files] = tupleOf(row, 4);
    const held = new Map(listOf(files, MAX_REMEMBERED_FILES, holdingOf));
    const id: DeviceId = parseDeviceId(device);
    holdings.restore(
      id,
      held,
      uintOf(heldBytes, Number.MAX_SAFE_INTEGER),
      uintOf(heardAtMs, Number.MAX_SAFE_INTEGER),
    );
  });
}

function holdingOf(value: unknown): [FileId, FragmentSet] {
  const [file, fragments] = tupleOf(value, 2);
  return [parseFileId(file), decodeFragmentSet(fragments)];
}
