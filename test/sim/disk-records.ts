// The catalogue's rows on a simulated disk, opened with the keys of the device's pool.

import { derivePoolKeys } from '../../src/core/model/pool-keys.ts';
import { RecordRows } from '../../src/runtime/peer/record-rows.ts';
import type { SimDevice } from './device.ts';
import { synchronousCryptography } from './synchronous-cryptography.ts';
import { KeyRing } from '../../src/core/model/key-ring.ts';
import { poolSecretOf } from './open-invite.ts';

/** The records in rows of their own; every row must be sealed. */
export async function recordsOn(device: SimDevice): Promise<Uint8Array[]> {
  const { secret, epoch } = poolSecretOf(device);
  const rows = new RecordRows({
    cryptography: synchronousCryptography,
    keys: new KeyRing(derivePoolKeys(secret, epoch)),
  });
  const opened = await Promise.all((await device.store.records.loadRecords()).map((row) => rows.open(row)));
  if (opened.some(({ isSealed }) => !isSealed)) throw new Error('A record lies on the disk in the clear.');
  return opened.map(({ bytes }) => bytes);
}
