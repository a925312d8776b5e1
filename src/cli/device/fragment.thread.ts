// The fragment thread: all blocks of this device, hashed, written and read off the main thread, and all that
// must be erasable. `workerData` is the path of the device's folder, which the process has.

import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { diskFolder } from '../../adapters/node/store/disk-folder.ts';
import { SqliteDatabase } from '../../adapters/node/store/sqlite-database.ts';
import { findSqlite } from '../../adapters/node/store/sqlite.ts';
import {
  DamageCount,
  deviceStoreOver,
  type OpenDeviceStore,
} from '../../adapters/portable/store/device-store.ts';
import { createFragmentWorkerService } from '../../adapters/portable/store/fragment-worker-service.ts';

const port = parentPort;
if (port === null || typeof workerData !== 'string') throw new Error('no thread of a device');
const opening = open(workerData);
// Each call meets the failure and reports it.
opening.catch(() => {});
expose(createFragmentWorkerService(opening), nodeEndpoint(port));

async function open(path: string): Promise<OpenDeviceStore> {
  const database = await SqliteDatabase.open(join(path, 'fragments.db'), await findSqlite());
  const folders = { blocks: diskFolder(join(path, 'blocks')), keys: diskFolder(join(path, 'keys')) };
  return deviceStoreOver(database, folders, new DamageCount());
}
