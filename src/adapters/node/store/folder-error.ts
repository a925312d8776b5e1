// Why the folder of a device cannot be used. The command line has the sentences for people.

export type FolderTrouble =
  /** Another process has it; `pid` is what that process wrote down, if it can be read. */
  | { readonly kind: 'taken'; readonly path: string; readonly pid: number | undefined }
  /** A newer version of Palm wrote it. Nothing in it was changed. */
  | { readonly kind: 'newer'; readonly path: string }
  /** It is there, and holds something else. */
  | { readonly kind: 'foreign'; readonly path: string }
  /** `code`: the system's, such as EROFS or EACCES. */
  | { readonly kind: 'unusable'; readonly path: string; readonly code: string }
  /** This Node has no SQLite of its own, and the package better-sqlite3 is not built for this machine. */
  | { readonly kind: 'no-sqlite'; readonly node: string };

export class FolderError extends Error {
  readonly trouble: FolderTrouble;

  constructor(trouble: FolderTrouble, cause?: unknown) {
    super(JSON.stringify(trouble), { cause });
    this.name = 'FolderError';
    this.trouble = trouble;
  }
}
