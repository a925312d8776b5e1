// The part of the public face (api.ts) that changes what the pool has: plain cloneable data.

export interface RenameOptions {
  /** The folder that it moves to, '' for none. Without it the file stays in its folder. */
  readonly path?: string;
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
   * Gives a file another name, for the whole pool; its bytes stay where they are. The name has an id of its
   * own, and a new date. A name that the bytes have already just takes its place.
   * @throws PalmError 'unknown-file'; 'not-allowed', also for a private file, whose name only its link opens;
   * 'bad-argument'; 'log-full'.
   */
  rename(fileId: string, name: string, options?: RenameOptions): Promise<{ readonly fileId: string }>;
  /**
   * Begins to restore all missing fragments from this device, without waiting for further losses or for
   * another device's turn. Resolves at once with the files that lack some, the most endangered first;
   * `status().repairs` tells how it goes on, `status().repairPause` why it does not. A file of which fewer
   * than k fragments can be reached waits.
   * @throws PalmError 'not-in-pool'.
   */
  repair(): Promise<readonly LackingStatus[]>;
}
