// Whom an upgrade shall shut out, on this device's disk from before its charter is written until they are
// out: a page that ends in between carries on when it opens next.

import { listOf } from '../core/encoding/decode.ts';
import { isPalmError } from '../core/model/errors.ts';
import { parseDeviceId, type DeviceId } from '../core/model/ids.ts';
import { MAX_NAMED_BY_ACT } from '../core/model/limits.ts';
import type { RecordStore } from '../core/ports.ts';

type Rows = Pick<RecordStore, 'getMeta' | 'putMeta'>;

const NAME = 'upgrade-shut-out';

export function noteUpgrade(records: Rows, shutOut: readonly string[]): Promise<void> {
  return records.putMeta(NAME, shutOut);
}

export async function forgetUpgrade(records: Rows): Promise<void> {
  if ((await records.getMeta(NAME)) !== undefined) await records.putMeta(NAME, []);
}

/** None where no upgrade ended half-way, and where the row is damaged: its person sees who is in. */
export async function unfinishedUpgrade(records: Rows): Promise<DeviceId[]> {
  try {
    const kept = await records.getMeta(NAME);
    return kept === undefined ? [] : listOf(kept, MAX_NAMED_BY_ACT, parseDeviceId);
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return [];
    throw error;
  }
}
