// The files of large blocks in this origin's own file system (OPFS), through sync access handles, which exist
// in workers only.

import type { PackFolder } from '../../portable/store/pack-file.ts';
import { originFolder } from '../store/origin-folder.ts';
import { openSyncAccess } from './sync-access.ts';

/**
 * The folder of packs in this origin's file system. Undefined in engines that have none, or no sync access
 * handles, or refuse them, and in private windows without one: blocks are rows of the database then.
 */
export async function openPackFolder(name: string): Promise<PackFolder | undefined> {
  // The libraries declare both always present; older engines lack them.
  if (!('FileSystemFileHandle' in globalThis)) return undefined;
  if (!('createSyncAccessHandle' in FileSystemFileHandle.prototype)) return undefined;
  const folder = await originFolder(name, tryHandle);
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

/** A file of its own: those of the folders may still be held by the page before. */
async function tryHandle(root: FileSystemDirectoryHandle): Promise<void> {
  try {
    const handle = await openSyncAccess(await root.getFileHandle('probe', { create: true }));
    handle.close();
  } catch (error) {
    // Another worker is trying it at the same time.
    if (!(error instanceof Error) || error.name !== 'NoModificationAllowedError') throw error;
  }
}
