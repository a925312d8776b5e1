// The stores of the fragment worker in a browser, over its own connection to the database.

import {
  DamageCount,
  type DeviceFolders,
  deviceStoreOver,
  type OpenDeviceStore,
} from '../../portable/store/device-store.ts';
import { DATABASE_NAMES, openTakenOver } from './idb-takeover.ts';

/**
 * Opens this device's stores, taking over those of an earlier version. Without folders every block is a row
 * of the database, and deleted data is not erased.
 * @throws PalmError 'storage-failed', 'storage-full', 'other-tab'.
 */
export async function openDeviceStore(
  folders: DeviceFolders | undefined,
  names = DATABASE_NAMES,
): Promise<OpenDeviceStore> {
  const damage = new DamageCount();
  const database = await openTakenOver(names, folders?.keys, damage.add);
  await database.identify();
  return deviceStoreOver(database, folders, damage);
}
