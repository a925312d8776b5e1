// The files of large blocks in this origin's own file system (OPFS), through sync access handles, which exist
// in workers only.

import type { PackFolder } from '../store/pack-file.ts';
import { storageFailure } from '../store/idb-database.ts';
import { openSyncAccess } from './sync-access.ts';

/**
 * The folder of packs in this origin's file system. Undefined in engines that have none, or no sync access
 * handles, and in private windows without one: blocks are rows of the database then.
 */
export async function openPackFolder(name: string): Promise<PackFolder | undefined> {
  // The libraries declare both always present; older engines lack them.
  if (!('FileSystemFileHandle' in globalThis)) return undefined;
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return undefined;
  const folder = await originFolder(name);
  if (folder === undefined) return undefined;
  return {
    async names() {
      const names: string[] = [];
      for await (const [entry] of folder.entries()) names.push(entry);
      return names;
    },
    open: async (entry) => openSyncAccess(await folder.getFileHandle(entry, { create: true })),
    async remove(entry) {
      try {
        await folder.removeEntry(entry);
      } catch (error) {
        if (!(error instanceof Error) || error.name !== 'NotFoundError') throw error;
      }
    },
  };
}

async function originFolder(name: string): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    const root = await navigator.storage.getDirectory();
    return await root.getDirectoryHandle(name, { create: true });
  } catch (error) {
    const isRefused = error instanceof Error && ['SecurityError', 'NotSupportedError'].includes(error.name);
    if (isRefused) return undefined;
    throw storageFailure(error);
  }
}
