// Re-keying, as the public face shows it. Documented in docs/API.md.

import type { SparingReason } from '../core/model/sparing.ts';

/** Files that open under keys which somebody knows who was shut out, and what this device does about them. */
export interface RekeyStatus {
  /** Files that this device may re-key. */
  readonly files: number;
  /** Their size, bytes. */
  readonly bytes: number;
  /** Files of other devices, which these or an admin may re-key. */
  readonly ofOthers: number;
  /** Private files, which stay as they are. */
  readonly privateFiles: number;
  /** Absent while this device re-keys nothing. */
  readonly run?: RekeyRun;
}

export interface RekeyParts {
  /** Absent while no file opens under keys of before, and none is re-keyed. */
  readonly rekey?: RekeyStatus;
}

export interface RekeyRun {
  /**
   * 'storing': a file is stored anew. 'placing': those that were are not yet as safe as the old ones.
   * 'waiting': the rest needs devices or space that are not there now. 'spared': for the battery, or for the
   * browser's data saver.
   */
  readonly state: 'storing' | 'placing' | 'waiting' | 'spared';
  /** Files that were re-keyed since it began, or since this page opened. */
  readonly doneFiles: number;
  /** Files that are left, those under way included. */
  readonly leftFiles: number;
  /** Of the file that is stored anew; 0 of 0 without one. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Why, while it is 'spared'. */
  readonly spares?: SparingReason;
  /** What kept the last file that could not be re-keyed yet. */
  readonly problem?: string;
}

export interface RekeyCalls {
  /**
   * Re-keys files: stores each anew under new keys, and lets go of the old fragments once the new ones are as
   * safe. Without ids, all files that this device may remove and that open under keys which somebody knows
   * who was shut out. A file keeps its name, folder and dates, and gets another id; it then counts as stored
   * by this device. Resolves when that is noted; goes on in the background, also after a reload.
   * @throws PalmError 'not-allowed', 'unknown-file', 'removed-file', 'bad-argument', 'not-in-pool'.
   */
  rekey(fileIds?: readonly string[]): Promise<void>;
  /**
   * Begins no other file. The one that is being stored stays as it was; those that are stored anew already
   * take the places of the old ones. @throws PalmError 'not-in-pool'.
   */
  cancelRekey(): Promise<void>;
}
