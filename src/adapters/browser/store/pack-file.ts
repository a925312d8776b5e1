// Files of this origin's own file system (OPFS), in place, as the adapters see them.

/** The page before this one may still be closing, and hold its files: another try after this, ms. */
const RETRY_MS = 100;
/** Five seconds of tries: a page that closes takes less. */
const MAX_TRIES = 50;

/** The part of FileSystemSyncAccessHandle that is used. */
export interface PackHandle {
  read(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  write(bytes: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  flush(): void;
  close(): void;
}

/** A folder of such files. */
export interface PackFolder {
  names(): Promise<string[]>;
  /** Opens the file, made if it is not there; nobody else may have it open. */
  open(name: string): Promise<PackHandle>;
  /** Removes the file, if it is there. It is not open. */
  remove(name: string): Promise<void>;
}

/** Opens the file once whoever has it open has closed it. @throws what `open` throws in the end. */
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
