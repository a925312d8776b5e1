// A store of downloads that is still being opened: every call waits for it.

import type { DownloadStore } from './download-store.ts';

export function awaitedStore(coming: Promise<DownloadStore>): DownloadStore {
  // Each call meets the failure and reports it.
  coming.catch(() => undefined);
  return {
    list: async () => (await coming).list(),
    begin: async (download) => (await coming).begin(download),
    open: async (fileId) => (await coming).open(fileId),
    mayWrite: async (fileId, ask) => (await coming).mayWrite(fileId, ask),
    file: async (fileId) => (await coming).file(fileId),
    markHanded: async (fileId, handedAtMs) => (await coming).markHanded(fileId, handedAtMs),
    forget: async (fileId) => (await coming).forget(fileId),
    drop: async (fileId) => (await coming).drop(fileId),
  };
}
