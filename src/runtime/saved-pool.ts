// The pool that this device is in, as it is kept between visits.

import { utf8 } from '../core/model/bytes.ts';
import { isPalmError, PalmError } from '../core/model/errors.ts';
import { decodeInvite, encodeInvite, type Invite } from '../core/model/invite.ts';
import type { DeviceId, FileId } from '../core/model/ids.ts';
import { parseDeviceId, parseFileId } from '../core/model/ids.ts';
import { MAX_DEVICE_COUNT, MAX_DEVICE_NAME_BYTES } from '../core/model/limits.ts';
import {
  decodeFragments,
  NO_FRAGMENTS,
  packedBytes,
  type PackedFragments,
} from '../core/placement/fragment-set.ts';
import type { Grace } from '../core/peer/grace.ts';
import type { Peer } from '../core/peer/peer.ts';
import type { Holdings } from '../core/placement/holdings.ts';
import type { RecordStore, SecretStore } from '../core/ports.ts';
import { tupleOf, uintOf, utf8Length } from '../core/encoding/decode.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import { softRows, type SoftRows } from './soft-rows.ts';

const POOL = 'pool-invite';
const DEVICE_NAME = 'device-name';
const HOLDINGS = 'holdings';
const GRACE = 'grace';
/** Files remembered per device. */
const MAX_REMEMBERED_FILES = 200_000;

/** @throws PalmError 'storage-failed' when what is kept is damaged. */
export async function loadPool(secrets: SecretStore): Promise<Invite | undefined> {
  try {
    const kept = await secrets.get(POOL);
    return kept && decodeInvite(new TextDecoder().decode(kept));
  } catch (cause) {
    if (!isPalmError(cause) || cause.code === 'storage-failed') throw cause;
    throw new PalmError({ code: 'storage-failed', reason: 'pool-key-damaged' }, { cause });
  }
}

/** Whether this device is in a pool, readable or not. */
export async function hasPool(secrets: SecretStore): Promise<boolean> {
  try {
    return (await secrets.get(POOL)) !== undefined;
  } catch (error) {
    if (isPalmError(error)) return true;
    throw error;
  }
}

export function savePool(secrets: SecretStore, invite: Invite): Promise<void> {
  return secrets.put(POOL, utf8(encodeInvite(invite)));
}

type NamePorts = Pick<RuntimePorts, 'secrets' | 'records'>;

export async function loadDeviceName({ secrets, records }: NamePorts): Promise<string | undefined> {
  const [secret, plain] = await Promise.all([nameIn(secrets), records.getMeta(DEVICE_NAME)]);
  // Earlier versions had it in the clear.
  const kept = secret ?? plain;
  if (typeof kept !== 'string' || utf8Length(kept) > MAX_DEVICE_NAME_BYTES) return undefined;
  if (plain !== undefined) await saveDeviceName({ secrets, records }, kept);
  return kept;
}

/** Among the secrets, so that a lock covers it. */
export async function saveDeviceName({ secrets, records }: NamePorts, name: string): Promise<void> {
  await secrets.put(DEVICE_NAME, utf8(name));
  if ((await records.getMeta(DEVICE_NAME)) !== undefined) await records.dropMeta(DEVICE_NAME);
}

/** A damaged one is none: people can set it again. */
async function nameIn(secrets: SecretStore): Promise<string | undefined> {
  try {
    const kept = await secrets.get(DEVICE_NAME);
    return kept && new TextDecoder().decode(kept);
  } catch (error) {
    if (isPalmError(error, 'corrupt')) return undefined;
    throw error;
  }
}

/**
 * What other devices said they hold, so that a restart does not forget the absent ones. Claims that are
 * doubted are left out: their devices may not be there to be asked again.
 */
export function saveHoldings(
  records: RecordStore,
  { holdings, doubts }: Pick<Peer, 'holdings' | 'doubts'>,
): Promise<void> {
  const counted = [...holdings.all()].filter(([, { files }]) => files.size > 0);
  const rows = counted.map(([device, { files, heldBytes, heardAtMs }]) => [
    device,
    heldBytes,
    heardAtMs,
    [...files].flatMap(([file, claimed]) => {
      const fragments = doubts.countedPacked(device, file, claimed);
      return fragments === NO_FRAGMENTS ? [] : [[file, packedBytes(fragments)]];
    }),
  ]);
  return records.putMeta(HOLDINGS, rows);
}

/**
 * The function that it resolves to restores what decodes and counts, once the catalogue is there. It returns
 * how many rows do not.
 */
export async function readHoldings(records: RecordStore): Promise<(holdings: Holdings) => number> {
  const kept = await records.getMeta(HOLDINGS);
  return (holdings) => restoreHoldings(kept, holdings);
}

function restoreHoldings(kept: unknown, holdings: Holdings): number {
  // Each file is in the rows of several devices, and decoding its id takes longer than all else.
  const decoded = new Map<unknown, FileId>();
  const fileOf = (text: unknown): FileId => {
    const file = decoded.get(text) ?? parseFileId(text);
    decoded.set(text, file);
    return file;
  };
  const { rows, droppedCount } = softRows(kept, MAX_DEVICE_COUNT, (row) => savedOf(row, fileOf));
  for (const { device, held, heldBytes, heardAtMs } of rows) {
    holdings.restore(device, new Map(held.rows), heldBytes, heardAtMs);
  }
  return rows.reduce((count, { held }) => count + held.droppedCount, droppedCount);
}

/** When this device learned that contents lost their names, for those whose fragments it keeps. */
export function saveGrace(records: RecordStore, grace: Grace): Promise<void> {
  return records.putMeta(GRACE, [...grace.all()]);
}

/** As `readHoldings`; the time of rows that do not decode begins again. */
export async function readGrace(records: RecordStore): Promise<(grace: Grace) => number> {
  const kept = await records.getMeta(GRACE);
  return (grace) => {
    const { rows, droppedCount } = softRows(kept, MAX_REMEMBERED_FILES, graceOf);
    grace.restore(new Map(rows));
    return droppedCount;
  };
}

function graceOf(row: unknown): [FileId, number] {
  const [file, sinceMs] = tupleOf(row, 2);
  return [parseFileId(file), uintOf(sinceMs, Number.MAX_SAFE_INTEGER)];
}

function savedOf(
  row: unknown,
  fileOf: (text: unknown) => FileId,
): {
  readonly device: DeviceId;
  readonly held: SoftRows<[FileId, PackedFragments]>;
  readonly heldBytes: number;
  readonly heardAtMs: number;
} {
  const [device, heldBytes, heardAtMs, files] = tupleOf(row, 4);
  return {
    device: parseDeviceId(device),
    held: softRows(files, MAX_REMEMBERED_FILES, (value) => holdingOf(value, fileOf)),
    heldBytes: uintOf(heldBytes, Number.MAX_SAFE_INTEGER),
    heardAtMs: uintOf(heardAtMs, Number.MAX_SAFE_INTEGER),
  };
}

function holdingOf(value: unknown, fileOf: (text: unknown) => FileId): [FileId, PackedFragments] {
  const [file, fragments] = tupleOf(value, 2);
  return [fileOf(file), decodeFragments(fragments)];
}
