// Rebuilds the missing fragments of one file: gathers k blocks segment by segment, computes all missing ones
// in one pass, and writes them as they come. No key is needed: private files are rebuilt too. Segments that
// an earlier repair of this device staged are not gathered again, except the last: k indexes come with it.
//
// Invariants: every block that comes in matches its hash before anything is computed from it; every index
// that goes out is, byte for byte, the lost one. Memory holds two segments and the indexes.

import type { Manifest } from '../../core/catalogue/manifest.ts';
import { rebuiltIndexOf } from '../../core/coding/fragment-index.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { blockBytesOf, segmentCountOf } from '../../core/model/geometry.ts';
import type { BlockHash, DeviceId, FileId } from '../../core/model/ids.ts';
import type { FragmentStore } from '../../core/ports.ts';
import type { ReadPorts } from '../read/read-job.ts';
import { SegmentGathering, type Arrived } from '../read/segment-gathering.ts';
import { SegmentShelf } from '../read/segment-shelf.ts';
import type { LinkShare } from './link-share.ts';
import { Staging, type StagedBlock } from './staging.ts';

/** Segments requested ahead of the one that is rebuilt: a repair is in no hurry. */
const WINDOW_SEGMENTS = 2;
/** Workers that may die over one segment before the repair ends. */
const MAX_DEATHS = 3;

export interface RebuildPorts extends ReadPorts {
  readonly fragments: FragmentStore;
  readonly share: LinkShare;
}

export interface RebuildJob {
  readonly fileId: FileId;
  readonly manifest: Manifest;
  /** The fragments to rebuild. */
  readonly fragments: readonly number[];
  readonly signal: AbortSignal;
  /** So many more bytes of blocks are written. */
  readonly advanced: (bytes: number) => void;
}

export interface RebuiltFragment {
  readonly fragment: number;
  readonly indexBytes: Uint8Array<ArrayBuffer>;
  readonly hashes: readonly BlockHash[];
}

/**
 * The blocks of the rebuilt fragments are in the store when it resolves.
 * @throws PalmError 'not-enough-fragments', 'corrupt' (the file's maker gave out what does not fit
 * together), 'removed-file', 'storage-full', 'storage-failed', 'worker-failed'; the signal's reason.
 */
export async function rebuildFragments(job: RebuildJob, ports: RebuildPorts): Promise<RebuiltFragment[]> {
  const rebuilding = new Rebuilding(job, ports);
  try {
    return await rebuilding.run();
  } finally {
    rebuilding.close();
  }
}

class Rebuilding {
  readonly #job: RebuildJob;
  readonly #ports: RebuildPorts;
  #gathering: SegmentGathering | undefined;
  /** By segment, its k blocks, by fragment. */
  readonly #complete = new SegmentShelf<ReadonlyMap<number, Arrived>>();
  readonly #staging: Staging;
  /** Devices that gave blocks. */
  readonly #sources = new Set<DeviceId>();
  /** By fragment, the hashes of its blocks so far. */
  readonly #hashes: ReadonlyMap<number, BlockHash[]>;

  constructor(job: RebuildJob, ports: RebuildPorts) {
    this.#job = job;
    this.#ports = ports;
    this.#hashes = new Map(job.fragments.map((fragment) => [fragment, []]));
    // What one segment costs is not worth a row: it begins again.
    const isKept = segmentCountOf(job.manifest) > 1;
    this.#staging = new Staging(job.fileId, job.fragments, isKept, ports);
  }

  async run(): Promise<RebuiltFragment[]> {
    const { signal, manifest, fragments } = this.#job;
    const onAbort = (): void => this.#complete.fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      const stagedCount = await this.#takeStaged();
      const lastSegment = segmentCountOf(manifest) - 1;
      const firstSegment = Math.min(stagedCount, lastSegment);
      const gathering = this.#gather(firstSegment);
      for (let segment = firstSegment; segment <= lastSegment; segment++) {
        await this.#rebuild(segment, gathering, segment < stagedCount);
        await this.#ports.share.ready(this.#sources, signal);
        gathering.taken();
      }
      const indexes = [...gathering.indexes.values()].slice(0, manifest.k);
      return fragments.map((fragment) => {
        const hashes = this.#hashes.get(fragment) ?? [];
        return { fragment, hashes, indexBytes: rebuiltIndexOf(indexes, manifest, fragment, hashes) };
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#gathering?.close();
    this.#complete.clear();
  }

  /** Takes up what an earlier repair staged. Returns how many segments, from the first on. */
  async #takeStaged(): Promise<number> {
    const staged = await this.#staging.staged();
    this.#job.signal.throwIfAborted();
    for (const [segment, hashes] of staged.entries()) {
      for (const [fragment, hash] of hashes) this.#hashes.get(fragment)?.push(hash);
      this.#job.advanced(hashes.size * blockBytesOf(this.#job.manifest, segment));
    }
    return staged.length;
  }

  #gather(firstSegment: number): SegmentGathering {
    const { fileId, manifest } = this.#job;
    const wanted = {
      fileId,
      manifest,
      firstSegment,
      endSegment: segmentCountOf(manifest),
      windowSegments: WINDOW_SEGMENTS,
      asksAll: true,
    };
    this.#gathering = new SegmentGathering(wanted, this.#ports, {
      complete: (segment, blocks) => this.#complete.put(segment, blocks),
      failed: (error) => this.#complete.fail(error),
    });
    this.#gathering.start();
    return this.#gathering;
  }

  /** Until the segment's blocks are sound: unsound ones are replaced one by one. */
  async #rebuild(segment: number, gathering: SegmentGathering, isStaged: boolean): Promise<void> {
    for (let deathCount = 0; ;) {
      const arrived = await this.#complete.take(segment);
      this.#count(arrived);
      if (isStaged) {
        for (const { bytes } of arrived.values()) this.#ports.memory.give(bytes);
        return;
      }
      // A device that withdrew a fragment over another block gave this one: there is nothing to compute.
      const given = this.#givenOf(segment, arrived, gathering);
      const wanted = this.#job.fragments.filter((fragment) => !given.some(({ index }) => index === fragment));
      const blocks = Array.from(arrived, ([index, { bytes, hash }]) => ({ index, bytes, hash }));
      try {
        const rebuilding = await this.#ports.codec.rebuild(blocks, wanted, this.#job.signal);
        if (rebuilding.kind === 'unsound') {
          gathering.unsound(segment, arrived, rebuilding.sound);
          continue;
        }
        await this.#write(segment, [...rebuilding.blocks, ...given]);
        return;
      } catch (error) {
        deathCount += 1;
        if (!isPalmError(error, 'worker-failed') || deathCount === MAX_DEATHS) throw error;
        gathering.lost(segment);
      }
    }
  }

  /** Copies of wanted blocks that came as they are. */
  #givenOf(
    segment: number,
    arrived: ReadonlyMap<number, Arrived>,
    { indexes }: SegmentGathering,
  ): StagedBlock[] {
    return this.#job.fragments.flatMap((index) => {
      const bytes = arrived.get(index)?.bytes.slice();
      const hash = indexes.get(index)?.blocks[segment];
      return bytes === undefined || hash === undefined ? [] : [{ index, bytes, hash }];
    });
  }

  async #write(segment: number, blocks: readonly StagedBlock[]): Promise<void> {
    this.#job.signal.throwIfAborted();
    const bytes = blocks.reduce((sum, block) => sum + block.bytes.length, 0);
    for (const { index, hash } of blocks) this.#hashes.get(index)?.push(hash);
    await this.#staging.write(segment, blocks);
    this.#job.advanced(bytes);
  }

  /** What came over links counts against the share. */
  #count(arrived: ReadonlyMap<number, Arrived>): void {
    for (const { device, bytes } of arrived.values()) {
      if (device === this.#ports.driver.deviceId) continue;
      this.#sources.add(device);
      this.#ports.share.spend(device, bytes.length);
    }
  }
}

/** A repair that is needed no longer, or must wait. */
export function notWanted(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' });
}
