// Files from a drop, a picker or a folder picker, each with its folder path. Folders are walked completely,
// within MAX_QUEUED_FILES.

import { MAX_QUEUED_FILES, type AddedFile } from './store-queue.ts';

/** Files of an input; with `webkitdirectory` each brings its path. */
export function pickedFiles(files: FileList): AddedFile[] {
  return [...files].map((file) => ({ file, path: folderOf(file.webkitRelativePath) }));
}

/**
 * Files of a drop, folders walked. Call it within the drop event: the list is emptied when the event ends.
 * @throws DOMException when a folder can no longer be read.
 */
export async function droppedFiles(transfer: DataTransfer): Promise<AddedFile[]> {
  const dropped: {
    readonly entry: FileSystemEntry;
    readonly handle: Promise<FileSystemFileHandle | undefined>;
  }[] = [];
  const loose: AddedFile[] = [];
  for (const item of transfer.items) {
    if (item.kind !== 'file') continue;
    const entry = item.webkitGetAsEntry();
    const file = entry === null ? item.getAsFile() : null;
    if (entry !== null) dropped.push({ entry, handle: handleOf(item) });
    else if (file !== null) loose.push({ file, path: '' });
  }
  for (const { entry, handle } of dropped) {
    const known = await handle;
    if (known === undefined || !isFile(entry)) await walk(entry, loose);
    else if (loose.length <= MAX_QUEUED_FILES)
      loose.push({ file: await fileOf(entry), path: '', handle: known });
  }
  return loose;
}

/**
 * The file's handle, where the browser gives one. Files in a dropped folder have none: each would cost a
 * connection.
 */
async function handleOf(item: DataTransferItem): Promise<FileSystemFileHandle | undefined> {
  if (item.getAsFileSystemHandle === undefined) return undefined;
  try {
    const handle = await item.getAsFileSystemHandle();
    return handle instanceof FileSystemFileHandle ? handle : undefined;
  } catch (error) {
    // Refused for this file: it is stored all the same, and must be chosen again if it is interrupted.
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function walk(entry: FileSystemEntry, found: AddedFile[]): Promise<void> {
  // One more than fits is kept, so that the queue can report that some did not.
  if (found.length > MAX_QUEUED_FILES) return;
  if (isFile(entry)) {
    found.push({ file: await fileOf(entry), path: folderOf(entry.fullPath) });
  } else if (isDirectory(entry)) {
    const reader = entry.createReader();
    // A reader returns batches, and an empty one at the end.
    for (;;) {
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
        reader.readEntries(resolve, reject),
      );
      if (batch.length === 0) return;
      for (const child of batch) await walk(child, found);
    }
  }
}

/** "/a/b/c.txt" and "a/b/c.txt" are in "a/b". */
export function folderOf(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '')
    .slice(0, -1)
    .join('/');
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
