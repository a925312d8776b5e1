// Stores one file: hash every segment, choose keys, seal and code every segment, make all n fragments durable here, then
// publish the manifest and let the outbox place them. Memory holds a few segments, whatever the file's size.
//
// One (key, nonce) pair seals one plaintext ever: segment hashes are fixed in the first pass and the codec checks each
// before it seals. A source that changed ends the store, and its keys with it.

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
import { hexOf } from '../core/model/bytes.ts';
import { isPalmError, PalmError } from '../core/model/errors.ts';
import { plainBytesOf, segmentBytesOf, segmentCountOf, type Geometry } from '../core/model/geometry.ts';
import { fileIdOf, fragmentIdOf, type BlockHash, type FileId } from '../core/model/ids.ts';
import type { PoolKeys } from '../core/model/pool-keys.ts';
import type {
  ByteSource,
  Clock,
  Cryptography,
  FragmentStore,
  Random,
  RecordStore,
  SegmentCodec,
} from '../core/ports.ts';
import { reachOf } from '../core/placement/health.ts';
import { storedFragmentOf, type PeerDriver } from './peer-driver.ts';
import type { Transfer } from './transfers.ts';

export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly cryptography: Cryptography;
  readonly codec: SegmentCodec;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly driver: PeerDriver;
  readonly keys: PoolKeys;
}

export interface StoreJob {
  readonly source: ByteSource;
  readonly geometry: Geometry;
  readonly details: FileDetails;
  readonly modifiedMs: number;
  readonly isPrivate: boolean;
  readonly transfer: Transfer;
}

export type Stored =
  | { readonly kind: 'known'; readonly fileId: FileId }
  /** `linkKey` (Kc) is for a private file's link; nothing else keeps it. */
  | { readonly kind: 'stored'; readonly fileId: FileId; readonly linkKey: Uint8Array<ArrayBuffer> };

/** Segments hashed or sealed at once: enough to keep the workers busy while the next one is read. */
const SEGMENTS_AT_ONCE = 3;

/** Ends with all n fragments durable on this device and in its outbox. @throws PalmError; nothing is left behind then. */
export async function storeFile(job: StoreJob, ports: StorePorts): Promise<Stored> {
  const segmentHashes = await hashSegments(job, ports);
  const contentTag = contentTagOf(ports.keys.contentTagKey, segmentHashes);
  const known = job.isPrivate ? undefined : readableFileWith(contentTag, ports);
  if (known !== undefined) return { kind: 'known', fileId: known };

  const linkKey = ports.random.bytes(FILE_KEY_BYTES);
  const sharedKey = ports.random.bytes(FILE_KEY_BYTES);
  const salt = ports.random.bytes(FILE_KEY_BYTES);
  const owner = `store:${hexOf(ports.random.bytes(16))}`;
  try {
    const key = deriveFileKey(linkKey, sharedKey, salt);
    const columns = await sealSegments(job, ports, { owner, key, salt, segmentHashes });
    const { k, n } = job.geometry;
    const shares = splitSecret(sharedKey, k, n, (length) => ports.random.bytes(length));
    const indexes = columns.map((blocks, fragment) => {
      const share = shares[fragment];
      if (share === undefined) throw new Error('a share for each fragment');
      return { blocks, bytes: encodeFragmentIndex({ fragment, share, blocks }) };
    });
    const access: Access = job.isPrivate
      ? { kind: 'private', sealed: await sealDetails(job.details, linkKey, salt, ports.cryptography) }
      : { kind: 'pool', details: job.details, linkKey, contentTag };
    const fragmentIds = indexes.map(({ bytes }) => fragmentIdOf(bytes));
    const fileId = await publish(job, ports, { salt, access, fragmentIds, indexes });
    return { kind: 'stored', fileId, linkKey };
  } finally {
    await ports.fragments.release(owner);
  }
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

function hashSegments(job: StoreJob, ports: StorePorts): Promise<Uint8Array[]> {
  job.transfer.enter('hashing', job.geometry.size);
  return mapSegments(job, async (plain) => {
    const byteCount = plain.length;
    const hash = await ports.codec.hash(plain, job.transfer.signal);
    job.transfer.advance(byteCount);
    return hash;
  });
}

interface Sealing {
  readonly owner: string;
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
  readonly segmentHashes: readonly Uint8Array[];
}

/** Block hashes by fragment, then by segment. */
async function sealSegments(job: StoreJob, ports: StorePorts, sealing: Sealing): Promise<BlockHash[][]> {
  const { k, n, size } = job.geometry;
  const segmentCount = segmentCountOf(job.geometry);
  job.transfer.enter('sealing', size);
  const rows = await mapSegments(job, async (plain, segmentIndex) => {
    const byteCount = plain.length;
    const plainHash = sealing.segmentHashes[segmentIndex];
    if (plainHash === undefined) throw new Error('a hash for each segment');
    const parameters = { key: sealing.key, salt: sealing.salt, segmentIndex, segmentCount, k, n };
    const { blocks, hashes } = await ports.codec.seal(parameters, plain, plainHash, job.transfer.signal);
    const row = blocks.flatMap((bytes, fragment) => {
      const hash = hashes[fragment];
      return hash === undefined ? [] : [{ hash, bytes }];
    });
    await ports.fragments.putBlocks(sealing.owner, row);
    job.transfer.advance(byteCount);
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

interface Sealed {
  readonly salt: Uint8Array;
  readonly access: Access;
  readonly fragmentIds: Manifest['fragments'];
  readonly indexes: readonly { readonly blocks: readonly BlockHash[]; readonly bytes: Uint8Array }[];
}

/**
 * The point of no return, in this order: fragments durable, outbox row durable, log entry durable and published. A crash
 * in between leaves fragments of a file that no catalogue names; the next start sweeps them.
 */
async function publish(job: StoreJob, ports: StorePorts, sealed: Sealed): Promise<FileId> {
  const { driver, keys, random, cryptography } = ports;
  const manifest: Manifest = {
    ...job.geometry,
    modifiedMs: job.modifiedMs,
    salt: sealed.salt,
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
  driver.input({ kind: 'outbox', file: fileId });
  return fileId;
}

/** Reads each segment and hands it to `work`, SEGMENTS_AT_ONCE at a time; answers in order. */
async function mapSegments<Result>(
  job: StoreJob,
  work: (plain: Uint8Array<ArrayBuffer>, segment: number) => Promise<Result>,
): Promise<Result[]> {
  const { geometry, source, transfer } = job;
  const results: Result[] = [];
  const segmentCount = segmentCountOf(geometry);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < segmentCount) {
      const segment = next++;
      transfer.signal.throwIfAborted();
      const start = segment * segmentBytesOf(geometry);
      const plain = await source.read(start, start + plainBytesOf(geometry, segment), transfer.signal);
      results[segment] = await work(plain, segment);
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
