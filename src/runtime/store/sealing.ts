// Reads a file segment by segment, several at a time, and hashes each, or seals and codes it. Sealed segments
// are durable on this device before the next step.

import { deriveFileKey } from '../../core/coding/file-key.ts';
import { isPalmError } from '../../core/model/errors.ts';
import {
  type Geometry,
  plainBytesOf,
  segmentBytesOf,
  segmentCountOf,
  segmentsWith,
} from '../../core/model/geometry.ts';
import { ownerOfStore, type BlockHash } from '../../core/model/ids.ts';
import type { SealedSegment, UnfinishedStore } from '../../core/ports.ts';
import type { EarlyPlacing } from './early-placing.ts';
import type { StoreJob, StorePorts } from './store-job.ts';
import { sealedBytesOf, type SealedSegments } from './unfinished-stores.ts';

/** Blocks hashed or sealed at a time, 3 MiB: they keep the workers busy while the next segment is read. */
const BLOCKS_AT_ONCE = 12;
const MIN_SEGMENTS_AT_ONCE = 3;

export function segmentsAtOnce(geometry: Pick<Geometry, 'k'>): number {
  return segmentsWith(BLOCKS_AT_ONCE, geometry, MIN_SEGMENTS_AT_ONCE);
}

export function blockHashAt(hashes: readonly BlockHash[], fragment: number): BlockHash {
  const hash = hashes[fragment];
  if (hash === undefined) throw new Error('a block for each fragment');
  return hash;
}

/** The SHA-256 of each segment. */
export function hashSegments(job: StoreJob, ports: StorePorts): Promise<Uint8Array[]> {
  job.transfer.enter('hashing', job.geometry.size);
  return mapSegments(job, undefined, async (read) => {
    const plain = await read();
    const byteCount = plain.length;
    const hash = await ports.codec.hash(plain, job.transfer.signal);
    job.transfer.advance(byteCount);
    return hash;
  });
}

interface Sealing {
  /** Resolves once the store is in the journal, to whether it can be continued: no block is kept before. */
  readonly keeping: Promise<boolean>;
  /** Whether an earlier page may have sealed segments of it. */
  readonly isContinued: boolean;
  /** The hash that each segment must have, where the file was hashed before. */
  readonly plainHashes: readonly Uint8Array[] | undefined;
  readonly early: EarlyPlacing | undefined;
}

/** Plain hash and block hashes of each segment. Segments that are sealed already are left as they are. */
export async function sealSegments(
  job: StoreJob,
  store: UnfinishedStore,
  { keeping, isContinued, plainHashes, early }: Sealing,
  ports: StorePorts,
): Promise<Pick<SealedSegment, 'plainHash' | 'hashes'>[]> {
  const { transfer } = job;
  const { storeId, size } = store;
  const done: SealedSegments =
    isContinued && (await keeping) ? await ports.unfinished.sealed(store) : new Map();
  transfer.enter('sealing', size);
  transfer.reached(sealedBytesOf(store, done));
  const seal = sealerOf(job, store, ports);
  const pace = async (): Promise<void> => {
    if (job.isPaced) await early?.room(transfer.signal);
  };
  return mapSegments(job, pace, async (read, segment) => {
    const { note: doneHash, blocks: doneBlocks } = done.get(segment) ?? {};
    // A power failure may have lost bytes of blocks and left the row.
    if (doneHash !== undefined && doneBlocks !== undefined && (await areSound(doneBlocks, ports)))
      return { plainHash: doneHash, hashes: doneBlocks };
    const { plainHash, blocks, hashes } = await seal(read, segment, doneHash ?? plainHashes?.[segment]);
    const row = blocks.map((bytes, fragment) => ({ hash: blockHashAt(hashes, fragment), bytes }));
    const isKept = await keeping;
    const keep = isKept ? { as: segment, note: plainHash } : undefined;
    await ports.fragments.putBlocks(ownerOfStore(storeId), row, 'computed', keep);
    early?.sealed(hashes);
    // A segment that was sealed before, and lost blocks to damage, has been counted already.
    if (doneBlocks === undefined) {
      if (isKept) ports.unfinished.advanced(storeId, segment);
      transfer.advance(plainBytesOf(store, segment));
    }
    return { plainHash, hashes };
  });
}

/** Whether blocks are on the disk as they were sealed. */
async function areSound(blocks: readonly BlockHash[], { fragments, memory }: StorePorts): Promise<boolean> {
  for (const hash of blocks) {
    try {
      const bytes = await fragments.getBlock(hash);
      if (bytes === undefined) return false;
      memory.give(bytes);
    } catch (error) {
      if (isPalmError(error, 'corrupt')) return false;
      throw error;
    }
  }
  return true;
}

type Read = () => Promise<Uint8Array<ArrayBuffer>>;

/** Seals a segment. If its worker died, reads it again, checks it again and retries once. */
function sealerOf(
  job: StoreJob,
  store: UnfinishedStore,
  { codec }: StorePorts,
): (read: Read, segment: number, plainHash: Uint8Array | undefined) => Promise<SealedSegment> {
  const { salt, k, n } = store;
  const key = deriveFileKey(store.linkKey, store.sharedKey, salt);
  const segmentCount = segmentCountOf(store);
  return async (read, segmentIndex, plainHash) => {
    const parameters = { key, salt, segmentIndex, segmentCount, k, n };
    const seal = async (): Promise<SealedSegment> =>
      codec.seal(parameters, await read(), plainHash, job.transfer.signal);
    try {
      return await seal();
    } catch (error) {
      if (!isPalmError(error, 'worker-failed')) throw error;
      return seal();
    }
  };
}

/**
 * Calls `work` for each segment, several at a time (`segmentsAtOnce`), with a reader for it; returns the
 * results in order. Each segment is chosen after `pace`, if given, so that segments are read in their order:
 * a file is one stream.
 */
async function mapSegments<Result>(
  job: StoreJob,
  pace: (() => Promise<void>) | undefined,
  work: (read: Read, segment: number) => Promise<Result>,
): Promise<Result[]> {
  const { geometry, source, transfer } = job;
  const results: Result[] = [];
  const segmentCount = segmentCountOf(geometry);
  let next = 0;
  const lane = async (): Promise<void> => {
    for (;;) {
      await pace?.();
      transfer.signal.throwIfAborted();
      if (next >= segmentCount) return;
      const segment = next++;
      const start = segment * segmentBytesOf(geometry);
      const end = start + plainBytesOf(geometry, segment);
      try {
        results[segment] = await work(() => source.read(start, end, transfer.signal), segment);
      } catch (error) {
        next = segmentCount; // no lane begins another
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(
    Array.from({ length: Math.min(segmentsAtOnce(geometry), segmentCount) }, lane),
  );
  const failed = lanes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}
