// What the OPFS worker offers across its boundary: writing the files of one folder in place. Nothing is
// thrown across it, because an error does not keep its class or code when it is cloned.

import type { Outcome } from '../threads/outcome.ts';

/** Names are the caller's: one path component each. Calls for one name must not overlap. */
export interface OpfsService {
  /**
   * Opens the file, made if it is not there, and cuts it to its first `keepBytes`, erasing the rest. Answers
   * the bytes that it then has: fewer than `keepBytes` when it was shorter. Fails with 'unsupported' where
   * there are no sync access handles, 'refused' while somebody else has it open.
   */
  open(name: string, keepBytes: number): Promise<Outcome<number>>;
  /**
   * Writes all of `bytes`, whose buffer is transferred, from `atByte` on. Fails with 'storage-full',
   * 'storage-failed'.
   */
  write(name: string, atByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<Outcome<void>>;
  /** Resolves when what was written is on the disk. */
  flush(name: string): Promise<Outcome<void>>;
  /** Lets go of the file, if it is open. */
  close(name: string): Promise<Outcome<void>>;
  /**
   * Overwrites the file, which is not open, with zeros that are on the disk when it resolves, and leaves it
   * empty. A crash in between leaves it to be erased again. Fails as `open`, and with 'storage-failed'.
   */
  erase(name: string): Promise<Outcome<void>>;
}
