// A folder of this origin's own file system (OPFS), where the engine gives one. Some engines have none, some
// refuse it in private windows, and some fail now and then with an error that says nothing.

import { storageFailure } from '../../portable/store/storage-failure.ts';

/** Failures that pass are rare, so three in a row do not pass. */
const MAX_TRIES = 3;
/** Between tries: long enough for an engine that was busy, too short for people to notice, ms. */
const RETRY_MS = 100;
/** Engines that mean it when they refuse. */
const REFUSALS = ['SecurityError', 'NotSupportedError'];

/**
 * The folder, made if it is not there. Undefined if the engine does not give it: callers do without.
 * `check`, if given, tries what the folder is for; what it throws counts as not giving.
 * @throws PalmError 'storage-full'.
 */
export async function originFolder(
  name: string,
  check: (root: FileSystemDirectoryHandle) => Promise<void> = async () => undefined,
): Promise<FileSystemDirectoryHandle | undefined> {
  // The libraries declare both always present; older engines and insecure pages lack them.
  const { storage }: { readonly storage?: StorageManager } = navigator;
  if (storage === undefined || !('getDirectory' in storage)) return undefined;
  for (let tryCount = 1; ; tryCount++) {
    try {
      const root = await storage.getDirectory();
      await check(root);
      return await root.getDirectoryHandle(name, { create: true });
    } catch (error) {
      const reason = error instanceof Error ? error.name : '';
      if (reason === 'QuotaExceededError') throw storageFailure(error);
      if (REFUSALS.includes(reason) || tryCount === MAX_TRIES) return undefined;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
