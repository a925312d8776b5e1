// The blocks that repairs of one file staged on this disk: written by segment, with a note that says which
// fragments they belong to, so that a later repair can go on, also after a crash. Only blocks: no disk gets a
// key share from here.

import { isPalmError } from '../../core/model/errors.ts';
import { ownerOfRepair, type BlockHash, type FileId } from '../../core/model/ids.ts';
import {
  decodeFragments,
  packedBytes,
  packFragments,
  unpackFragments,
} from '../../core/placement/fragment-set.ts';
import type { FragmentStore, Kept, Memory } from '../../core/ports.ts';

export interface StagingPorts {
  readonly fragments: FragmentStore;
  readonly memory: Memory;
}

/** A block of a fragment that was rebuilt. */
export interface StagedBlock {
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: BlockHash;
}

const NOTE_BYTES = 32;

export class Staging {
  readonly #file: FileId;
  readonly #fragments: readonly number[];
  readonly #isKept: boolean;
  readonly #ports: StagingPorts;

  /** `isKept`: whether the blocks outlive their page. */
  constructor(file: FileId, fragments: readonly number[], isKept: boolean, ports: StagingPorts) {
    this.#file = file;
    this.#fragments = fragments;
    this.#isKept = isKept;
    this.#ports = ports;
  }

  /**
   * By segment from the first on, and by fragment, the hashes of the blocks that are here already, all of
   * them sound. What is of no use is released.
   */
  async staged(): Promise<ReadonlyMap<number, BlockHash>[]> {
    const { fragments } = this.#ports;
    const owner = ownerOfRepair(this.#file);
    const kept = await fragments.kept(owner);
    const segments: ReadonlyMap<number, BlockHash>[] = [];
    for (let segment = 0; segment < kept.size; segment++) {
      const hashes = await this.#hashesOf(kept.get(segment));
      if (hashes !== undefined) segments.push(hashes);
    }
    if (kept.size > 0 && segments.length === kept.size) return segments;
    // Blocks of other fragments cannot lie under the same numbers.
    await fragments.release(owner);
    return [];
  }

  /** Writes the blocks of one segment, those of all fragments that are rebuilt. */
  async write(segment: number, blocks: readonly StagedBlock[]): Promise<void> {
    const ascending = blocks.toSorted((a, b) => a.index - b.index);
    const given = ascending.map(({ hash, bytes }) => ({ hash, bytes }));
    const keep = { as: segment, note: noteOf(this.#fragments) };
    await this.#ports.fragments.putBlocks(
      ownerOfRepair(this.#file),
      given,
      'computed',
      this.#isKept ? keep : undefined,
    );
  }

  /** Undefined when blocks are missing or damaged, or not those of all the wanted fragments. */
  async #hashesOf(kept: Kept | undefined): Promise<ReadonlyMap<number, BlockHash> | undefined> {
    if (kept?.blocks === undefined) return undefined;
    const { blocks, note } = kept;
    const ofFragments = unpackFragments(decodeFragments(note));
    if (ofFragments.size !== blocks.length) return undefined;
    const hashes = new Map<number, BlockHash>();
    for (const [at, fragment] of [...ofFragments].entries()) {
      const hash = blocks[at];
      if (hash === undefined || !this.#fragments.includes(fragment)) continue;
      if (!(await this.#isSound(hash))) return undefined;
      hashes.set(fragment, hash);
    }
    return hashes.size === this.#fragments.length ? hashes : undefined;
  }

  async #isSound(hash: BlockHash): Promise<boolean> {
    try {
      const bytes = await this.#ports.fragments.getBlock(hash);
      if (bytes !== undefined) this.#ports.memory.give(bytes);
      return bytes !== undefined;
    } catch (error) {
      if (isPalmError(error, 'corrupt')) return false;
      throw error;
    }
  }
}

function noteOf(fragments: readonly number[]): Uint8Array<ArrayBuffer> {
  const note = new Uint8Array(NOTE_BYTES);
  note.set(packedBytes(packFragments(fragments)));
  return note;
}
