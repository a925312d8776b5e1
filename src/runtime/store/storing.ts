// Stores one file: choose keys, read, hash, seal and code every segment, make all n fragments durable here, then publish the
// manifest and let the outbox place them. Memory holds a few segments, whatever the file's size. A file that the pool may
// have already, or that may have been interrupted, is read and hashed once before (docs/decisions/0012-one-pass.md).
//
// One (key, nonce) pair seals one plaintext that leaves this device, ever: the hash of a segment is durable before anything
// can answer its blocks, and whoever seals it again has it checked; keys of which that was lost are not used again. A source
// that changed ends the store, and its keys with it.
//
// A file of several segments is in the journal from its first sealed block until it is published: a later page, or a later
// attempt on this one, then seals only what is missing (docs/decisions/0007-resuming-a-store.md). A file of one segment has
// no middle to be resumed in.

import { contentTagOf, deriveFileKey, FILE_KEY_BYTES } from '../../core/coding/file-key.ts';
import { encodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { splitSecret } from '../../core/coding/shamir.ts';
import {
  sealDetails,
  sealManifest,
  type Access,
  type FileDetails,
  type Manifest,
} from '../../core/catalogue/manifest.ts';
import { bytesOfHex, hexOf } from '../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import {
  plainBytesOf,
  quorumOf,
  segmentBytesOf,
  segmentCountOf,
  type Geometry,
} from '../../core/model/geometry.ts';
import {
  fileIdOf,
  fragmentIdOf,
  ownerOfStore,
  parseJobId,
  type BlockHash,
  type FileId,
} from '../../core/model/ids.ts';
import { visibleName } from '../../core/model/visible-name.ts';
import type { SealedSegment, UnfinishedStore } from '../../core/ports.ts';
import type { StoreJob, StorePorts } from './store-job.ts';
import { abandonStore, mayBeHere, storeBefore } from './already-here.ts';
import { EarlyPlacing } from './early-placing.ts';
import { equalFileOf } from './equal-files.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import { storedFragmentOf } from '../stored-fragment.ts';
import type { Transfer } from '../transfers.ts';
import { sealedBytesOf, type SealedSegments } from './unfinished-stores.ts';

export type Stored =
  | { readonly kind: 'known'; readonly fileId: FileId }
  /** `linkKey` (Kc) is for a private file's link; nothing else keeps it. */
  | {
      readonly kind: 'stored';
      readonly fileId: FileId;
      readonly linkKey: Uint8Array<ArrayBuffer>;
      readonly details: FileDetails;
    };

/** Segments hashed or sealed at once: enough to keep the workers busy while the next one is read. */
const SEGMENTS_AT_ONCE = 3;

/**
 * Ends with all n fragments durable on this device and in its outbox. @throws PalmError; then nothing is left behind, or
 * what is sealed waits among the unfinished stores and the message says so.
 */
export async function storeFile(job: StoreJob, ports: StorePorts): Promise<Stored> {
  const plainHashes = mayBeHere(job, ports) ? await hashSegments(job, ports) : undefined;
  const before = plainHashes && (await storeBefore(job, plainHashes, ports));
  const known = plainHashes && (await equalFileOf(job, plainHashes, ports));
  if (known !== undefined) {
    if (before !== undefined) await abandonStore(before.storeId, ports);
    return { kind: 'known', fileId: known };
  }
  const store = before ?? newStore(job, ports);
  const stored = await sealAndPublish(job, store, plainHashes, ports);
  await ports.unfinished.end(store.storeId);
  return stored;
}

function newStore(job: StoreJob, { random, clock }: StorePorts): UnfinishedStore {
  const { geometry, details, modifiedMs, isPrivate, handle } = job;
  return {
    ...geometry,
    ...details,
    storeId: hexOf(random.bytes(16)),
    modifiedMs,
    isPrivate,
    linkKey: random.bytes(FILE_KEY_BYTES),
    sharedKey: random.bytes(FILE_KEY_BYTES),
    salt: random.bytes(FILE_KEY_BYTES),
    handle,
    begunAtMs: clock.nowMs(),
  };
}

async function sealAndPublish(
  job: StoreJob,
  store: UnfinishedStore,
  plainHashes: readonly Uint8Array[] | undefined,
  ports: StorePorts,
): Promise<Stored> {
  const { storeId, k, n, linkKey, sharedKey, salt, isPrivate } = store;
  const { unfinished, random } = ports;
  let isKept = false;
  // A file that is sealed at one go has no rest to be sealed while its first blocks travel.
  const isLong = segmentCountOf(store) > SEGMENTS_AT_ONCE;
  const early = isLong ? new EarlyPlacing(parseJobId(bytesOfHex(storeId)), store, ports) : undefined;
  try {
    isKept = segmentCountOf(store) > 1 && (await unfinished.keep(store));
    const segments = await sealSegments(job, store, { isKept, plainHashes, early }, ports);
    if (segments.length > 1) await job.source.checkUnchanged();
    const sealedHashes = segments.map(({ plainHash }) => plainHash);
    const contentTag = contentTagOf(ports.keys.contentTagKey, sealedHashes);
    // It may have come meanwhile, or have one segment and not been looked for yet.
    const known = await equalFileOf(job, sealedHashes, ports);
    if (known !== undefined) {
      early?.over();
      return { kind: 'known', fileId: known };
    }
    const shares = splitSecret(sharedKey, k, n, (length) => random.bytes(length));
    const indexes = shares.map((share, fragment) => {
      const blocks = segments.map(({ hashes }) => blockOf(hashes, fragment));
      return { blocks, bytes: encodeFragmentIndex({ fragment, share, blocks }) };
    });
    const details = { name: store.name, path: store.path, mime: store.mime };
    const access: Access = isPrivate
      ? { kind: 'private', sealed: await sealDetails(details, linkKey, salt, ports.cryptography) }
      : { kind: 'pool', details, linkKey, contentTag };
    const fragmentIds = indexes.map(({ bytes }) => fragmentIdOf(bytes));
    const fileId = await publish(job, store, { access, fragmentIds, indexes }, early, ports);
    return { kind: 'stored', fileId, linkKey, details };
  } catch (error) {
    early?.over();
    // One that was kept before is kept also when that could not be said anew.
    const goesOn = (isKept || unfinished.has(storeId)) && !job.transfer.signal.aborted && isPassing(error);
    if (!goesOn) {
      await unfinished.end(storeId);
      throw error;
    }
    unfinished.pause(storeId);
    const text = `${error.message} What is encrypted of “${visibleName(store.name)}” is kept: continue it then, or discard it.`;
    throw new PalmError(error.code, text, { cause: error });
  }
}

/** Whether a failure says nothing against the same store at another time. */
function isPassing(error: unknown): error is PalmError {
  const codes = ['storage-full', 'storage-failed', 'worker-failed', 'refused'] as const;
  return codes.some((code) => isPalmError(error, code));
}

function blockOf(hashes: readonly BlockHash[], fragment: number): BlockHash {
  const hash = hashes[fragment];
  if (hash === undefined) throw new Error('a block for each fragment');
  return hash;
}

/** The SHA-256 of each segment. */
function hashSegments(job: StoreJob, ports: StorePorts): Promise<Uint8Array[]> {
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
  readonly isKept: boolean;
  /** What each segment must have, where the file was hashed before. */
  readonly plainHashes: readonly Uint8Array[] | undefined;
  readonly early: EarlyPlacing | undefined;
}

/** Plain hash and block hashes of each segment. Those that are sealed already are left as they are. */
async function sealSegments(
  job: StoreJob,
  store: UnfinishedStore,
  { isKept, plainHashes, early }: Sealing,
  ports: StorePorts,
): Promise<Pick<SealedSegment, 'plainHash' | 'hashes'>[]> {
  const { transfer } = job;
  const { storeId, size } = store;
  const done: SealedSegments = isKept ? await ports.unfinished.sealed(store) : new Map();
  transfer.enter('sealing', size);
  transfer.reached(sealedBytesOf(store, done));
  const seal = sealerOf(job, store, ports);
  const pace = async (): Promise<void> => {
    if (job.isPaced) await early?.room(transfer.signal);
  };
  return mapSegments(job, pace, async (read, segment) => {
    const { plainHash: doneHash, blocks: doneBlocks } = done.get(segment) ?? {};
    // A power failure may have taken bytes of blocks and left the row.
    if (doneHash !== undefined && doneBlocks !== undefined && (await areSound(doneBlocks, ports)))
      return { plainHash: doneHash, hashes: doneBlocks };
    const { plainHash, blocks, hashes } = await seal(read, segment, doneHash ?? plainHashes?.[segment]);
    const row = blocks.map((bytes, fragment) => ({ hash: blockOf(hashes, fragment), bytes }));
    const keep = isKept ? { as: segment, plainHash } : undefined;
    await ports.fragments.putBlocks(ownerOfStore(storeId), row, 'computed', keep);
    early?.sealed(hashes);
    // One whose blocks were found damaged has been counted already.
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

/** Seals a segment; once more, read anew and checked again, when the worker that had it died. */
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

interface Sealed {
  readonly access: Access;
  readonly fragmentIds: Manifest['fragments'];
  readonly indexes: readonly { readonly blocks: readonly BlockHash[]; readonly bytes: Uint8Array }[];
}

/**
 * The point of no return, in this order: fragments durable, outbox row durable, log entry durable and published. A crash
 * in between leaves fragments of a file that no catalogue names; the next start sweeps them. Their blocks stay while the
 * journal has the store.
 */
async function publish(
  job: StoreJob,
  store: UnfinishedStore,
  sealed: Sealed,
  early: EarlyPlacing | undefined,
  ports: StorePorts,
): Promise<FileId> {
  const { driver, keys, random, cryptography } = ports;
  const manifest: Manifest = {
    size: store.size,
    k: store.k,
    n: store.n,
    blockBytes: store.blockBytes,
    modifiedMs: store.modifiedMs,
    salt: store.salt,
    fragments: sealed.fragmentIds,
    by: driver.deviceId,
    atMs: ports.clock.nowMs(),
    access: sealed.access,
  };
  const sealedManifest = await sealManifest(
    manifest,
    keys.catalogueKey,
    keys.poolId,
    random.bytes(12),
    cryptography,
  );
  const fileId = fileIdOf(sealedManifest);
  const fragments = sealed.indexes.flatMap(({ bytes, blocks }, fragment) => {
    const stored = storedFragmentOf(fileId, manifest, fragment);
    return stored === undefined ? [] : [{ stored, indexBytes: bytes, hashes: blocks }];
  });
  try {
    job.transfer.signal.throwIfAborted();
    await ports.fragments.commit(fragments);
    await ports.records.putOutbox(fileId);
    await driver.publish({ kind: 'file', manifest: sealedManifest });
  } catch (error) {
    await ports.fragments.drop(fragments.map(({ stored }) => stored.fragmentId));
    await ports.records.dropOutbox(fileId);
    throw error;
  }
  for (const { stored } of fragments) driver.fragmentHeld(stored);
  driver.input({ kind: 'outbox', file: fileId, early: early?.published() });
  return fileId;
}

/**
 * Calls `work` for each segment, SEGMENTS_AT_ONCE at a time, with what reads it; answers in order. `pace`, where there is one, is waited
 * for before a segment is chosen, so that segments are read in their order: a file is one stream.
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
    Array.from({ length: Math.min(SEGMENTS_AT_ONCE, segmentCount) }, lane),
  );
  const failed = lanes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results;
}

/** Waits until `fileId` has a quorum, or all that can be placed now is. Answers how many fragments have a home. */
export async function awaitQuorum(
  fileId: FileId,
  geometry: Geometry,
  driver: PeerDriver,
  transfer: Transfer,
): Promise<number> {
  const totalBytes = geometry.size;
  const quorum = quorumOf(geometry);
  transfer.enter('placing', totalBytes, fileId);
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      stopWatching();
      transfer.signal.removeEventListener('abort', onAbort);
    };
    const look = (): void => {
      if (driver.peer.catalogue.isRemoved(fileId)) {
        finish();
        reject(
          new PalmError('removed-file', 'The file was removed from the pool while it was being placed.'),
        );
        return;
      }
      const { n } = geometry;
      const progress = driver.peer.outboxProgress(fileId);
      const { placedCount, claimedCount, pendingCount } = progress ?? {
        placedCount: n,
        claimedCount: n,
        pendingCount: 0,
      };
      transfer.reached(Math.min(totalBytes, Math.floor((totalBytes * claimedCount) / quorum)));
      if (placedCount < quorum && pendingCount > 0) return;
      finish();
      resolve(placedCount);
    };
    const onAbort = (): void => {
      finish();
      if (isPalmError(transfer.signal.reason, 'not-in-pool')) {
        reject(transfer.signal.reason);
        return;
      }
      const text = 'No longer waiting. The file is on this device and goes on being placed by itself.';
      reject(new PalmError('cancelled', text, { cause: transfer.signal.reason }));
    };
    const stopWatching = driver.watch(look);
    transfer.signal.addEventListener('abort', onAbort, { once: true });
    if (transfer.signal.aborted) onAbort();
    else look();
  });
}
