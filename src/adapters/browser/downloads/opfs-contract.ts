// What the OPFS worker offers across its boundary: writing the files of one folder in place. Nothing is
// thrown across it, because errors lose their class and code when they are cloned.

import type { Outcome } from '../../portable/threads/outcome.ts';

/** Names are the caller's: one path component each. Calls for one name must not overlap. */
export interface OpfsService {
  /**
   * Opens the file, made if it is not there, and cuts it to its first `keepBytes`, erasing the rest. Returns
   * its length then: less than `keepBytes` when it was shorter. Fails with 'unsupported' where there are no
   * sync access handles, 'refused' while another page has it open.
   */
  open(name: string, keepBytes: number): Promise<Outcome<number>>;
  /**
   * Writes all of `bytes`, whose buffer is transferred, from `atByte` on. Fails with 'storage-full',
   * 'storage-failed'.
   */
  write(name: string, atByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<void>>;
  /** Resolves when all writes are on the disk. */
  flush(name: string): Promise<Outcome<void>>;
  /** Closes the file, if it is open. */
  close(name: string): Promise<Outcome<void>>;
  /**
   * Overwrites a file that is not open with zeros, flushes them, and leaves it empty. After a crash in
   * between it must be erased again. Fails as `open`, and with 'storage-failed'.
   */
  erase(name: string): Promise<Outcome<void>>;
}
