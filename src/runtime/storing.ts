// Stores one file: hash every segment, choose keys, seal and code every segment, make all n fragments durable here, then
// publish the manifest and let the outbox place them. Memory holds a few segments, whatever the file's size.
//
// One (key, nonce) pair seals one plaintext ever: segment hashes are fixed in the first pass, and the codec checks each
// before it seals, also when a segment is tried again and when an interrupted store goes on. A source that changed ends the
// store, and its keys with it.
//
// A file of several segments is in the journal from its first sealed block until it is published: a later page, or a later
// attempt on this one, then seals only what is missing (docs/decisions/0007-resuming-a-store.md). A file of one segment has
// no middle to be resumed in.

import { contentTagOf, deriveFileKey, FILE_KEY_BYTES } from '../core/coding/file-key.ts';
import { encodeFragmentIndex } from '../core/coding/fragment-index.ts';
import { splitSecret } from '../core/coding/shamir.ts';
import {
  sealDetails,
  sealManifest,
  type Access,
  type FileDetails,
  type Manifest,
} from '../core/catalogue/manifest.ts';
import { bytesOfHex, concatBytes, equalBytes, hexOf } from '../core/model/bytes.ts';
import { isPalmError, PalmError } from '../core/model/errors.ts';
import { plainBytesOf, segmentBytesOf, segmentCountOf, type Geometry } from '../core/model/geometry.ts';
import { fileIdOf, fragmentIdOf, parseJobId, type BlockHash, type FileId } from '../core/model/ids.ts';
import type { PoolKeys } from '../core/model/pool-keys.ts';
import type {
  ByteSource,
  Clock,
  Cryptography,
  FragmentStore,
  Random,
  RecordStore,
  SegmentCodec,
  SourceHandle,
  UnfinishedStore,
} from '../core/ports.ts';
import { reachOf } from '../core/placement/health.ts';
import { EarlyPlacing } from './early-placing.ts';
import { storedFragmentOf, type PeerDriver } from './peer-driver.ts';
import type { Transfer } from './transfers.ts';
import { ownerOf, type UnfinishedStores } from './unfinished-stores.ts';

export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly cryptography: Cryptography;
  readonly codec: SegmentCodec;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly driver: PeerDriver;
  readonly keys: PoolKeys;
  readonly unfinished: UnfinishedStores;
  /** Tells people something that is no failure. */
  readonly notice: (text: string) => void;
}

export interface StoreJob {
  readonly source: ByteSource;
  readonly geometry: Geometry;
  readonly details: FileDetails;
  readonly modifiedMs: number;
  readonly isPrivate: boolean;
  readonly handle: SourceHandle | undefined;
  /** The interrupted store that this job claimed, to go on with if `source` still has its bytes. */
  readonly resumes: UnfinishedStore | undefined;
  /** Sealing may wait for the devices that the blocks go to. */
  readonly isPaced: boolean;
  readonly transfer: Transfer;
}

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
const HASH_BYTES = 32;

/**
 * Ends with all n fragments durable on this device and in its outbox. @throws PalmError; then nothing is left behind, or
 * what is sealed waits among the unfinished stores and the message says so.
 */
export async function storeFile(job: StoreJob, ports: StorePorts): Promise<Stored> {
  const segmentHashes = await hashSegments(job, ports);
  const before = await storeBefore(job, segmentHashes, ports);
  const contentTag = contentTagOf(ports.keys.contentTagKey, rowsOf(segmentHashes));
  const known = job.isPrivate ? undefined : readableFileWith(contentTag, ports);
  if (known !== undefined) {
    if (before !== undefined) await abandonStore(before.storeId, ports);
    return { kind: 'known', fileId: known };
  }
  const store = before ?? newStore(job, segmentHashes, ports);
  const { linkKey, name, path, mime } = store;
  const fileId = await sealAndPublish(job, store, contentTag, ports);
  await ports.unfinished.end(store.storeId);
  return { kind: 'stored', fileId, linkKey, details: { name, path, mime } };
}

/** Gives up a store that an earlier page began, here and at the devices that hold blocks for it already. */
export async function abandonStore(
  storeId: string,
  { unfinished, driver }: Pick<StorePorts, 'unfinished' | 'driver'>,
): Promise<void> {
  await unfinished.end(storeId);
  driver.input({ kind: 'abandoned', job: parseJobId(bytesOfHex(storeId)) });
}

/** The interrupted store that this one goes on with. One whose bytes `job` no longer has is ended: its keys sealed others. */
async function storeBefore(
  job: StoreJob,
  segmentHashes: Uint8Array,
  ports: StorePorts,
): Promise<UnfinishedStore | undefined> {
  const { unfinished, notice } = ports;
  const { resumes, details, geometry, isPrivate, modifiedMs, handle } = job;
  if (resumes === undefined) {
    const equal = unfinished.claimEqual({ ...geometry, name: details.name, isPrivate }, segmentHashes);
    return equal && { ...equal, ...details, modifiedMs, handle: handle ?? equal.handle };
  }
  if (equalBytes(resumes.segmentHashes, segmentHashes)) return resumes;
  await abandonStore(resumes.storeId, ports);
  notice(
    `The file chosen for “${resumes.name}” is not the one that was interrupted, or it changed since. What was encrypted of ` +
      `that one was dropped, and “${details.name}” is stored from its beginning.`,
  );
  return undefined;
}

function newStore(
  job: StoreJob,
  segmentHashes: Uint8Array<ArrayBuffer>,
  { random, clock }: StorePorts,
): UnfinishedStore {
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
    segmentHashes,
    handle,
    begunAtMs: clock.nowMs(),
  };
}

async function sealAndPublish(
  job: StoreJob,
  store: UnfinishedStore,
  contentTag: Uint8Array,
  ports: StorePorts,
): Promise<FileId> {
  const { storeId, k, n, linkKey, sharedKey, salt, isPrivate } = store;
  const { unfinished, random } = ports;
  let isKept = false;
  // A file that is sealed at one go has no rest to be sealed while its first blocks travel.
  const isLong = segmentCountOf(store) > SEGMENTS_AT_ONCE;
  const early = isLong ? new EarlyPlacing(parseJobId(bytesOfHex(storeId)), store, ports) : undefined;
  try {
    isKept = segmentCountOf(store) > 1 && (await unfinished.keep(store));
    const columns = await sealSegments(job, store, isKept, early, ports);
    const shares = splitSecret(sharedKey, k, n, (length) => random.bytes(length));
    const indexes = columns.map((blocks, fragment) => {
      const share = shares[fragment];
      if (share === undefined) throw new Error('a share for each fragment');
      return { blocks, bytes: encodeFragmentIndex({ fragment, share, blocks }) };
    });
    const details = { name: store.name, path: store.path, mime: store.mime };
    const access: Access = isPrivate
      ? { kind: 'private', sealed: await sealDetails(details, linkKey, salt, ports.cryptography) }
      : { kind: 'pool', details, linkKey, contentTag };
    const fragmentIds = indexes.map(({ bytes }) => fragmentIdOf(bytes));
    return await publish(job, store, { access, fragmentIds, indexes }, early, ports);
  } catch (error) {
    early?.failed();
    const goesOn = isKept && !job.transfer.signal.aborted && isPassing(error);
    if (!goesOn) {
      await unfinished.end(storeId);
      throw error;
    }
    unfinished.pause(storeId);
    const text = `${error.message} What is encrypted of “${store.name}” is kept: continue it then, or discard it.`;
    throw new PalmError(error.code, text, { cause: error });
  }
}

/** Whether a failure says nothing against the same store at another time. */
function isPassing(error: unknown): error is PalmError {
  const codes = ['storage-full', 'storage-failed', 'worker-failed', 'refused'] as const;
  return codes.some((code) => isPalmError(error, code));
}

/** The equal file of the pool, if it can be opened now: one that cannot is no reason not to store the bytes again. */
function readableFileWith(contentTag: Uint8Array, ports: StorePorts): FileId | undefined {
  const { peer } = ports.driver;
  const fileId = peer.catalogue.fileWithTag(contentTag);
  const manifest = fileId === undefined ? undefined : peer.catalogue.files().get(fileId);
  if (fileId === undefined || manifest === undefined) return undefined;
  const reachable = new Map([...peer.holdersOf(fileId)].filter(([device]) => peer.isReachable(device)));
  return reachOf(reachable) >= manifest.k ? fileId : undefined;
}

/** The segments' hashes in a row. */
async function hashSegments(job: StoreJob, ports: StorePorts): Promise<Uint8Array<ArrayBuffer>> {
  job.transfer.enter('hashing', job.geometry.size);
  const hashes = await mapSegments(job, undefined, async (read) => {
    const plain = await read();
    const byteCount = plain.length;
    const hash = await ports.codec.hash(plain, job.transfer.signal);
    job.transfer.advance(byteCount);
    return hash;
  });
  return concatBytes(...hashes);
}

function rowsOf(segmentHashes: Uint8Array): Uint8Array[] {
  return Array.from({ length: segmentHashes.length / HASH_BYTES }, (_, segment) =>
    hashAt(segmentHashes, segment),
  );
}

function hashAt(segmentHashes: Uint8Array, segment: number): Uint8Array {
  return segmentHashes.slice(segment * HASH_BYTES, (segment + 1) * HASH_BYTES);
}

/** Block hashes by fragment, then by segment. Segments that are sealed already are left as they are. */
async function sealSegments(
  job: StoreJob,
  store: UnfinishedStore,
  isKept: boolean,
  early: EarlyPlacing | undefined,
  ports: StorePorts,
): Promise<BlockHash[][]> {
  const { transfer } = job;
  const { storeId, n, size } = store;
  const done = isKept ? await ports.unfinished.sealedBlocks(store) : new Map<number, BlockHash[]>();
  transfer.enter('sealing', size);
  transfer.reached([...done.keys()].reduce((sum, segment) => sum + plainBytesOf(store, segment), 0));
  const seal = sealerOf(job, store, ports);
  const pace = async (): Promise<void> => {
    if (job.isPaced) await early?.room(transfer.signal);
  };
  const rows = await mapSegments(job, pace, async (read, segment) => {
    const before = done.get(segment);
    if (before !== undefined) return before;
    const { blocks, hashes } = await seal(read, segment);
    const row = blocks.flatMap((bytes, fragment) => {
      const hash = hashes[fragment];
      return hash === undefined ? [] : [{ hash, bytes }];
    });
    await ports.fragments.putBlocks(ownerOf(storeId), row, 'computed', isKept ? segment : undefined);
    if (isKept) ports.unfinished.sealed(storeId, segment);
    early?.sealed(hashes);
    transfer.advance(plainBytesOf(store, segment));
    return hashes;
  });
  return Array.from({ length: n }, (_, fragment) =>
    rows.map((hashes) => {
      const hash = hashes[fragment];
      if (hash === undefined) throw new Error('a block for each fragment');
      return hash;
    }),
  );
}

type Read = () => Promise<Uint8Array<ArrayBuffer>>;

/** Seals a segment; once more, read anew and checked again, when the worker that had it died. */
function sealerOf(
  job: StoreJob,
  store: UnfinishedStore,
  { codec }: StorePorts,
): (read: Read, segment: number) => ReturnType<SegmentCodec['seal']> {
  const { salt, k, n } = store;
  const key = deriveFileKey(store.linkKey, store.sharedKey, salt);
  const segmentCount = segmentCountOf(store);
  return async (read, segmentIndex) => {
    const plainHash = hashAt(store.segmentHashes, segmentIndex);
    const parameters = { key, salt, segmentIndex, segmentCount, k, n };
    const seal = async (): ReturnType<SegmentCodec['seal']> =>
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
  const fragments = sealed.indexes.flatMap((index, fragment) => {
    const stored = storedFragmentOf(fileId, manifest, fragment);
    return stored === undefined ? [] : [{ stored, index }];
  });
  try {
    job.transfer.signal.throwIfAborted();
    await Promise.all(
      fragments.map(({ stored, index }) => ports.fragments.commit(stored, index.bytes, index.blocks)),
    );
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

/** k + ceil((n - k) / 2): how many fragments must be durable on devices before a 'quorum' store answers. */
function quorumOf(geometry: Geometry): number {
  return geometry.k + Math.ceil((geometry.n - geometry.k) / 2);
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
      const progress = driver.peer.outboxProgress(fileId) ?? { placedCount: geometry.n, pendingCount: 0 };
      transfer.reached(Math.min(totalBytes, Math.floor((totalBytes * progress.placedCount) / quorum)));
      if (progress.placedCount < quorum && progress.pendingCount > 0) return;
      finish();
      resolve(progress.placedCount);
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
