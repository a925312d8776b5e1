// Files from a drop, a picker or a folder picker, each with its folder path. Folders are walked completely:
// what cannot be read is listed, the rest is added, and what is beyond MAX_QUEUED_FILES is counted.

import { PalmError } from '../../core/model/errors.ts';
import { unreadSource } from '../../core/model/source-failures.ts';
import { MAX_QUEUED_FILES, type Added, type AddedFile, type Reread, type UnreadEntry } from './added.ts';

/** Files of an input; with `webkitdirectory` each brings its path. */
export function pickedFiles(list: FileList): Added {
  const files = [...list].map((file) => ({ file, path: folderOf(file.webkitRelativePath) }));
  return { files, unread: [], beyondCount: 0 };
}

/**
 * Files of a drop, folders walked. Call it within the drop event: the list is emptied when the event ends.
 */
export function droppedFiles(transfer: { readonly items: Iterable<DataTransferItem> }): Promise<Added> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file').map(droppedItem);
  return gather(async (found) => {
    // The drop was announced as one of files.
    if (items.length === 0) found.addUnread(notGiven());
    for (const { entry, file, handle } of items) {
      const known = await handle;
      if (entry !== null) await walk(entry, '', known, found);
      else if (file !== null) found.addFile(looseFile(file, known));
      else found.addUnread(notGiven());
    }
  });
}

interface DroppedItem {
  readonly entry: FileSystemEntry | null;
  readonly file: File | null;
  readonly handle: Promise<FileSystemFileHandle | undefined>;
}

function droppedItem(item: DataTransferItem): DroppedItem {
  // Entries are not in the standard: engines may lack them, and have none for some files.
  const entry = 'webkitGetAsEntry' in item ? item.webkitGetAsEntry() : null;
  return { entry, file: entry === null ? item.getAsFile() : null, handle: handleOf(item) };
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

function looseFile(file: File, handle: FileSystemFileHandle | undefined): AddedFile {
  if (handle === undefined) return { file, path: '' };
  const reread = (): Promise<Added> =>
    gather(async (found) => {
      try {
        found.addFile(looseFile(await handle.getFile(), handle));
      } catch (cause) {
        found.addUnread({ ...unreadFile(file.name, '', cause), reread });
      }
    });
  return { file, path: '', handle, reread };
}

function notGiven(): UnreadEntry {
  const failure = new PalmError({ code: 'source-changed', reason: 'not-given' });
  return { name: '', path: '', isFolder: false, failure };
}

/** What a walk found, within MAX_QUEUED_FILES. */
class Found {
  readonly files: AddedFile[] = [];
  readonly unread: UnreadEntry[] = [];
  beyondCount = 0;

  get isFull(): boolean {
    return this.files.length + this.unread.length >= MAX_QUEUED_FILES;
  }

  addFile(file: AddedFile): void {
    if (this.isFull) this.beyondCount += 1;
    else this.files.push(file);
  }

  addUnread(entry: UnreadEntry): void {
    if (this.isFull) this.beyondCount += 1;
    else this.unread.push(entry);
  }
}

async function gather(look: (found: Found) => Promise<void>): Promise<Added> {
  const found = new Found();
  await look(found);
  return found;
}

/**
 * `path`: of the folder that the entry is in. An entry with a name that is no text has no path of its own.
 */
async function walk(
  entry: FileSystemEntry,
  path: string,
  handle: FileSystemFileHandle | undefined,
  found: Found,
): Promise<void> {
  if (isFile(entry)) await openFile(entry, path, handle, found);
  else if (isDirectory(entry)) await walkFolder(entry, path, new Set(), found);
}

async function openFile(
  entry: FileSystemFileEntry,
  path: string,
  handle: FileSystemFileHandle | undefined,
  found: Found,
): Promise<void> {
  if (found.isFull) {
    found.beyondCount += 1;
    return;
  }
  const reread: Reread = () => gather((again) => openFile(entry, path, handle, again));
  try {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    found.addFile({ file, path, reread, ...(handle === undefined ? {} : { handle }) });
  } catch (cause) {
    found.addUnread({ ...unreadFile(entry.name, path, cause), reread });
  }
}

/** `seen`: names of entries that an earlier try found in this folder. */
async function walkFolder(
  folder: FileSystemDirectoryEntry,
  path: string,
  seen: Set<string>,
  found: Found,
): Promise<void> {
  const inside = path === '' ? folder.name : `${path}/${folder.name}`;
  const reader = folder.createReader();
  // A reader returns batches, and an empty one at the end.
  for (;;) {
    let batch: readonly FileSystemEntry[];
    try {
      batch = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    } catch (cause) {
      found.addUnread({
        name: folder.name,
        path,
        isFolder: true,
        failure: unreadSource('folder', cause),
        reread: () => gather((again) => walkFolder(folder, path, seen, again)),
      });
      return;
    }
    if (batch.length === 0) return;
    for (const child of batch) {
      if (seen.has(child.name)) continue;
      // What was only counted is not in line, and must be found again. So the set is bounded as the line is.
      if (!found.isFull) seen.add(child.name);
      await walk(child, inside, undefined, found);
    }
  }
}

function unreadFile(name: string, path: string, cause: unknown): UnreadEntry {
  return { name, path, isFolder: false, failure: unreadSource('file', cause) };
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
