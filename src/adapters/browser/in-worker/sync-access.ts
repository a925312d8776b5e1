// Opening a file of the origin's own file system in place.

/** Handles whose opening has not settled. */
const opening = new Set<FileSystemFileHandle>();

/**
 * As `file.createSyncAccessHandle()`. That never settles in Chromium (seen in 156) when `file` is collected
 * as garbage meanwhile, which happens to a handle that nothing refers to any more: six times in some 1,100 in
 * a worker that made garbage. So it is referred to here until then.
 */
export async function openSyncAccess(file: FileSystemFileHandle): Promise<FileSystemSyncAccessHandle> {
  opening.add(file);
  try {
    return await file.createSyncAccessHandle();
  } finally {
    opening.delete(file);
  }
}
