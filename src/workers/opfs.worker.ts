// The OPFS worker: writes downloads to this device's disk off the main thread.

import { expose } from 'comlink';
import { createOpfsService } from '../adapters/browser/in-worker/opfs-service.ts';

// The adapter (opfs-downloads.ts) lists, hands over and removes the files of the same folder.
expose(
  createOpfsService(async () => {
    // The libraries declare it always present; older engines lack it.
    if (!('getDirectory' in navigator.storage)) throw new DOMException('none here', 'NotSupportedError');
    const root = await navigator.storage.getDirectory();
    return root.getDirectoryHandle('downloads', { create: true });
  }),
);
