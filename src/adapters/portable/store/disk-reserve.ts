// A file of zeros that is there to be removed. On a full disk a removal could not be written down, and
// nothing would ever make room; so its few hundred bytes take the place of this file.

import { openPackFile, type PackFolder } from './pack-file.ts';
import { storageFailure } from './storage-failure.ts';

const FILE_NAME = 'reserve';
/** Some thousand removals, bytes. */
const RESERVE_BYTES = 512 * 1024;
/** A nearly full disk gets a part of it, in steps of this, bytes. */
const STEP_BYTES = 32 * 1024;

export class DiskReserve {
  readonly #folder: PackFolder;
  /** One at a time: the file is open once at most. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(folder: PackFolder) {
    this.#folder = folder;
  }

  /** Makes room. Returns whether there was a reserve. @throws PalmError 'storage-failed'. */
  spend(): Promise<boolean> {
    return this.#next(async () => {
      if (!(await this.#folder.names()).includes(FILE_NAME)) return false;
      await this.#folder.remove(FILE_NAME);
      return true;
    });
  }

  /** Makes the reserve, or as much of it as there is room for. Never rejects for want of room. */
  restore(): Promise<void> {
    return this.#next(async () => {
      const file = await openPackFile(this.#folder, FILE_NAME);
      try {
        const zeros = new Uint8Array(STEP_BYTES);
        for (let at = file.getSize(); at < RESERVE_BYTES; at += STEP_BYTES)
          if (file.write(zeros, { at }) < STEP_BYTES) break;
        file.flush();
      } catch (error) {
        if (!isFull(error)) throw error;
      } finally {
        file.close();
      }
    });
  }

  #next<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const done = this.#before.then(work).catch((error: unknown) => {
      throw storageFailure(error);
    });
    this.#before = done.catch(() => undefined);
    return done;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && error.name === 'QuotaExceededError';
}
