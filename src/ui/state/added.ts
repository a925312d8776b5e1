// What people add: files, and what could not be read of it.

/** Files in line and failed ones. Handles, not bytes, are kept; a larger folder is better split. */
export const MAX_QUEUED_FILES = 10_000;

/** A file to add: its bytes, and the folder it came from ('' for none, '/'-separated). */
export interface AddedFile {
  readonly file: File;
  readonly path: string;
  /** Where the browser gave one: with it a later page can continue without asking for the file. */
  readonly handle?: FileSystemFileHandle;
  /** Where the browser can: opens the file as it is later. A `File` opens only what it was. */
  readonly reread?: Reread;
}

/** A file or folder that could not be read. */
export interface UnreadEntry {
  /** '' when the browser did not say. */
  readonly name: string;
  readonly path: string;
  readonly isFolder: boolean;
  readonly failure: unknown;
  /** Where it can be tried again; of a folder it gives only what was not found before. */
  readonly reread?: Reread;
}

/** What was read of a drop or choice. One unreadable entry leaves the others as they are. */
export interface Added {
  readonly files: readonly AddedFile[];
  readonly unread: readonly UnreadEntry[];
  /** Files beyond MAX_QUEUED_FILES, which were only counted. */
  readonly beyondCount: number;
}

/** Never rejects, except for bugs. */
export type Reread = () => Promise<Added>;
