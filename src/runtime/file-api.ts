// The part of the public face (api.ts) that changes what the pool has: plain cloneable data.

export interface RenameOptions {
  /** The folder that it moves to, '' for none. Without it the file stays in its folder. */
  readonly path?: string;
  /** Another type. Without it the file keeps its own. */
  readonly mime?: string;
}

/** A file that lacks fragments, counting what devices that are away bring back. */
export interface LackingStatus {
  /** A name of the file; of several, the first. */
  readonly fileId: string;
  readonly name: string;
  readonly missingFragments: number;
}

export interface FileCalls {
  /**
   * Takes this name away for the whole pool; the bytes go with their last name.
   * @throws PalmError 'unknown-file'.
   */
  remove(fileId: string): Promise<void>;
  /**
   * Gives a file another name, for the whole pool; its bytes stay where they are. The name has an id of its
   * own, and a new date. A name that the bytes have already just takes its place.
   * @throws PalmError 'unknown-file'; 'not-allowed', also for a private file, whose name only its link opens;
   * 'bad-argument'; 'log-full'.
   */
  rename(fileId: string, name: string, options?: RenameOptions): Promise<{ readonly fileId: string }>;
  /**
   * From now on this device keeps as many fragments of the file as one device may, k - 1, whatever others
   * hold: with any one other it opens the file. Resolves when that is kept; the fragments follow, once the
   * file is placed and none of it is missing.
   * @throws PalmError 'unknown-file'; 'storage-full' when they have no room here.
   */
  pin(fileId: string): Promise<void>;
  /** This device keeps its own share again. @throws PalmError 'unknown-file'. */
  unpin(fileId: string): Promise<void>;
  /**
   * Begins to restore all missing fragments from this device, without waiting for further losses or for
   * another device's turn. Resolves at once with the files that lack some, the most endangered first;
   * `status().repairs` tells how it goes on, `status().repairPause` why it does not. A file of which fewer
   * than k fragments can be reached waits.
   * @throws PalmError 'not-in-pool'.
   */
  repair(): Promise<readonly LackingStatus[]>;
}
