// Opening a file of the origin's own file system in place.

/** Handles whose opening has not settled. */
const opening = new Set<FileSystemFileHandle>();

/**
 * As `file.createSyncAccessHandle()`. That never settles in Chromium (seen in 156) if `file` is collected as
 * garbage in the meantime, which happens when nothing else refers to it: six times in some 1,100 in a worker
 * that made garbage. This reference keeps it until then.
 */
export async function openSyncAccess(file: FileSystemFileHandle): Promise<FileSystemSyncAccessHandle> {
  opening.add(file);
  try {
    return await file.createSyncAccessHandle();
  } finally {
    opening.delete(file);
  }
}
