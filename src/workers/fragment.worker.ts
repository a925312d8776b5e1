// The fragment worker: all blocks of this device, hashed, written and read off the main thread, and
// everything that must be erasable. It has its own database connection, and files where the engine has them.

import { expose } from 'comlink';
import { openDeviceStore } from '../adapters/browser/store/idb-device-store.ts';
import type { OpenDeviceStore } from '../adapters/portable/store/device-store.ts';
import { createFragmentWorkerService } from '../adapters/portable/store/fragment-worker-service.ts';
import { openPackFolder } from '../adapters/browser/in-worker/opfs-packs.ts';

const opening = open();
// Each call meets the failure and reports it; without this line a failure before the first call would also be
// an unhandled rejection.
opening.catch(() => {});
expose(createFragmentWorkerService(opening));

async function open(): Promise<OpenDeviceStore> {
  const [blocks, keys] = [await openPackFolder('blocks'), await openPackFolder('keys')];
  return openDeviceStore(blocks && keys && { blocks, keys });
}
