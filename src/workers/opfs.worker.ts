// The OPFS worker: writes downloads to this device's disk off the main thread.

import { expose } from 'comlink';
import { createOpfsService } from '../adapters/browser/in-worker/opfs-service.ts';
import { originFolder } from '../adapters/browser/store/origin-folder.ts';

// The adapter (opfs-downloads.ts) lists, hands over and removes the files of the same folder.
expose(
  createOpfsService(async () => {
    const folder = await originFolder('downloads');
    if (folder === undefined) throw new DOMException('none here', 'NotSupportedError');
    return folder;
  }),
);
