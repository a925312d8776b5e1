// Files of this origin's own file system (OPFS), in place, as the adapters see them.

/** The previous page may still be closing and hold its files: the wait before another try, ms. */
const RETRY_MS = 100;
/** Five seconds of tries: a page that closes takes less. */
const MAX_TRIES = 50;

/** The part of FileSystemSyncAccessHandle that is used. */
export interface PackHandle {
  read(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  getSize(): number;
  /** Cuts the file. */
  truncate(byteCount: number): void;
  flush(): void;
  close(): void;
}

/** A folder of such files. */
export interface PackFolder {
  names(): Promise<string[]>;
  /** Opens the file, made if it is not there; it must not be open anywhere else. */
  open(name: string): Promise<PackHandle>;
  /** Removes the file, if it is there. It must not be open. */
  remove(name: string): Promise<void>;
}

/** Opens the file once its present user has closed it. @throws the last error of `open`. */
export async function openPackFile(folder: PackFolder, name: string): Promise<PackHandle> {
  for (let tryCount = 1; ; tryCount++) {
    try {
      return await folder.open(name);
    } catch (error) {
      const isTaken = error instanceof Error && error.name === 'NoModificationAllowedError';
      if (!isTaken || tryCount === MAX_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
