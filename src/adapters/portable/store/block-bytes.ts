// The bytes of blocks: large ones are in files, others are rows of `blocks`.

import { PalmError } from '../../../core/model/errors.ts';
import type { BlockFiles } from './block-files.ts';
import { keyOf } from './block-hashes.ts';
import type { HeldBlock } from './held-blocks.ts';
import type { RowDatabase } from './row-database.ts';
import { blockRow, decoded, ownBytes } from './rows.ts';

/** Larger blocks are in files, bytes. Smaller ones would waste a slot, and share a transaction well. */
const LARGE_BYTES = 128 * 1024;

export interface BlockWrite {
  readonly held: HeldBlock;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The object store of blocks, in a write transaction. */
interface BlockRows {
  put(bytes: Uint8Array<ArrayBuffer>, key: BufferSource): Promise<unknown>;
}

/** Puts the rows that `BlockBytes.write` returned. */
export async function putBlockRows(blocks: BlockRows, rows: readonly BlockWrite[]): Promise<void> {
  // A view would store its whole buffer.
  await Promise.all(rows.map(({ held, bytes }) => blocks.put(ownBytes(bytes), keyOf(held.hash))));
}

export class BlockBytes {
  readonly #database: RowDatabase;
  readonly #files: BlockFiles | undefined;

  constructor(database: RowDatabase, files: BlockFiles | undefined) {
    this.#database = database;
    this.#files = files;
  }

  /** A slot for a new block; undefined when it is to be a row. */
  newSlot(byteCount: number): number | undefined {
    return byteCount > LARGE_BYTES ? this.#files?.take(byteCount) : undefined;
  }

  /** Writes the blocks that belong in files. Returns the others, for the caller's transaction. */
  async write<Write extends BlockWrite>(
    writes: readonly Write[],
  ): Promise<{ readonly rows: readonly Write[]; readonly byteCount: number }> {
    const writing = writes.map(async ({ held, bytes }) => {
      held.byteCount = bytes.length;
      if (held.slot !== undefined) await this.#openFiles().write(held.slot, bytes);
    });
    const failed = (await Promise.allSettled(writing)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    const rows = writes.filter(({ held }) => held.slot === undefined);
    return { rows, byteCount: rows.reduce((sum, { bytes }) => sum + bytes.length, 0) };
  }

  /** The bytes there, unchecked. Uses `into` where it has room. */
  async read(
    { hash, slot, byteCount }: HeldBlock,
    into: Uint8Array<ArrayBuffer> | undefined,
  ): Promise<Uint8Array<ArrayBuffer> | 'absent' | 'damaged'> {
    if (slot !== undefined) {
      const isRoom = into !== undefined && into.length >= byteCount;
      return this.#openFiles().read(slot, isRoom ? into.subarray(0, byteCount) : new Uint8Array(byteCount));
    }
    const row = await this.#database.run(['blocks'], 'readonly', 'relaxed', (transaction) =>
      transaction.objectStore('blocks').get(keyOf(hash)),
    );
    return row === undefined ? 'absent' : (decoded(row, blockRow) ?? 'damaged');
  }

  /** These are no longer counted. Returns those that are rows, which the caller deletes. */
  freeSlots(blocks: readonly HeldBlock[]): HeldBlock[] {
    for (const { slot } of blocks) if (slot !== undefined) this.#files?.free(slot);
    return blocks.filter(({ slot }) => slot === undefined);
  }

  #openFiles(): BlockFiles {
    if (this.#files !== undefined) return this.#files;
    throw new PalmError({ code: 'storage-failed', reason: 'files-not-given' });
  }
}
