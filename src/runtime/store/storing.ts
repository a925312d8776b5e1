// Stores one file: choose keys, read, hash, seal and code every segment, make all n fragments durable here,
// then publish the manifest and let the outbox place them. Memory holds a few segments, whatever the file's
// size. A file that the pool may already have, or that may have been interrupted, is read and hashed once
// before (docs/decisions/0012-one-pass.md).
//
// One (key, nonce) pair seals only one plaintext that ever leaves this device. A segment's hash is durable
// before its blocks can be served, and sealing it again checks that hash; if the hash was lost, the keys are
// not used again. A source that changed ends the store, and its keys with it.
//
// A file of several segments is in the journal from before its first block is kept until it is published: a
// later page, or a later attempt on this one, then seals only what is missing
// (docs/decisions/0007-resuming-a-store.md). A file of one segment has no middle to resume from.

import type { FileDetails } from '../../core/model/file-details.ts';
import { contentTagOf, FILE_KEY_BYTES } from '../../core/coding/file-key.ts';
import { encodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { splitSecret } from '../../core/coding/shamir.ts';
import {
  sealDetails,
  sealManifest,
  UNDATED_MS,
  type Access,
  type Manifest,
} from '../../core/catalogue/manifest.ts';
import { bytesOfHex, equalBytes, hexOf } from '../../core/model/bytes.ts';
import { isPalmError, PalmError, type PalmErrorCode } from '../../core/model/errors.ts';
import { segmentCountOf } from '../../core/model/geometry.ts';
import { fileIdOf, fragmentIdOf, parseJobId, type BlockHash, type FileId } from '../../core/model/ids.ts';
import type { UnfinishedStore } from '../../core/ports.ts';
import type { StoreJob, StorePorts } from './store-job.ts';
import { abandonStore, mayBeHere, storeBefore } from './already-here.ts';
import { EarlyPlacing } from './early-placing.ts';
import { equalFileOf, type EqualFile } from './equal-files.ts';
import { blockHashAt, hashSegments, sealSegments, segmentsAtOnce } from './sealing.ts';
import { storedFragmentOf } from '../stored-fragment.ts';

export type Stored =
  /**
   * The pool had the bytes, as `content`; `fileId` is the id of the name. `isSafe`: any one device may be
   * lost; otherwise `content` is still being placed.
   */
  | {
      readonly kind: 'known';
      readonly fileId: FileId;
      readonly content: FileId;
      readonly isSafe: boolean;
    }
  /** `linkKey` (Kc) is for a private file's link; nothing else keeps it. */
  | {
      readonly kind: 'stored';
      readonly fileId: FileId;
      readonly linkKey: Uint8Array<ArrayBuffer>;
      readonly details: FileDetails;
    };

/**
 * Ends with all n fragments durable on this device and in its outbox.
 * @throws PalmError; then nothing is left behind, or the sealed part waits among the unfinished stores and
 * the message says so.
 */
export async function storeFile(job: StoreJob, ports: StorePorts): Promise<Stored> {
  const isLookedFor = job.renewal === undefined && mayBeHere(job, ports);
  const plainHashes = isLookedFor ? await hashSegments(job, ports) : undefined;
  const before = plainHashes && (await storeBefore(job, plainHashes, ports));
  const known = plainHashes && (await equalFileOf(job, plainHashes, ports));
  const named = known && (await nameAgain(before ?? { ...job, ...job.details }, known, ports));
  if (named !== undefined) {
    if (before !== undefined) await abandonStore(before.storeId, ports);
    return named;
  }
  const store = before ?? newStore(job, ports);
  const stored = await sealAndPublish(job, store, plainHashes, ports);
  await ports.unfinished.end(store.storeId);
  return stored;
}

/** A renewal gives names later. Undefined when the file lost its names in the meantime. */
async function knownAs(
  job: StoreJob,
  details: FileDetails & { readonly modifiedMs: number },
  known: EqualFile,
  ports: StorePorts,
): Promise<Stored | undefined> {
  const { fileId, isSafe } = known;
  if (job.renewal === undefined) return nameAgain(details, known, ports);
  return { kind: 'known', fileId, content: fileId, isSafe };
}

/** Undefined when the file lost its names in the meantime. */
async function nameAgain(
  { name, path, mime, modifiedMs }: FileDetails & { readonly modifiedMs: number },
  { fileId: content, isSafe }: EqualFile,
  { naming }: StorePorts,
): Promise<Stored | undefined> {
  const fileId = await naming.name(content, { name, path, mime }, modifiedMs);
  return fileId && { kind: 'known', fileId, content, isSafe };
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
    begunAtMs: clock.wallMs(),
  };
}

async function sealAndPublish(
  job: StoreJob,
  store: UnfinishedStore,
  plainHashes: readonly Uint8Array[] | undefined,
  ports: StorePorts,
): Promise<Stored> {
  const { storeId, isPrivate } = store;
  const { unfinished } = ports;
  let keeping = Promise.resolve(false);
  const isContinued = unfinished.has(storeId);
  // Segments sealed by an earlier page are not read again.
  const isReadTwice = plainHashes !== undefined && !isContinued;
  // A file that is sealed in one go has nothing left to seal while its first blocks travel.
  const isLong = segmentCountOf(store) > segmentsAtOnce(store);
  const early = isLong ? new EarlyPlacing(parseJobId(bytesOfHex(storeId)), store, ports) : undefined;
  let endOfQuota: (() => void) | undefined;
  try {
    endOfQuota = ports.storeQuota.begin(store);
    // A renewal that ends begins again: nobody chose a file that could be chosen again.
    const mayGoOn = job.renewal === undefined && segmentCountOf(store) > 1;
    if (mayGoOn) keeping = unfinished.keep(store);
    // The first segments are sealed meanwhile. If it fails, each of them does.
    keeping.catch(() => undefined);
    const segments = await sealSegments(job, store, { keeping, isContinued, plainHashes, early }, ports);
    const sealedHashes = segments.map(({ plainHash }) => plainHash);
    if (segments.length > 1) await checkSource(job, sealedHashes, isReadTwice, ports);
    const contentTag = contentTagOf(ports.keys.current.contentTagKey, sealedHashes);
    const publishing = async (): Promise<Stored> => {
      // It may have come in the meantime, or have one segment and not have been looked for yet.
      const known = await equalFileOf(job, sealedHashes, ports);
      const named = known && (await knownAs(job, store, known, ports));
      if (named !== undefined) early?.over();
      return named ?? (await publishStore(job, store, { segments, contentTag, early }, ports));
    };
    // Otherwise equal files that are stored at the same time would not find each other.
    return await (isPrivate ? publishing() : ports.naming.inTurn(hexOf(contentTag), publishing));
  } catch (error) {
    early?.over();
    // A store that was journaled before stays journaled even if it could not be written again.
    const isKept = await keeping.catch(() => false);
    const isThere = (isKept || unfinished.has(storeId)) && !job.transfer.signal.aborted;
    const code = isThere && isPalmError(error) ? passingCode(error.code) : undefined;
    if (code === undefined || !isPalmError(error)) {
      await unfinished.end(storeId);
      throw error;
    }
    unfinished.pause(storeId);
    throw new PalmError(
      { code, reason: 'store-kept', name: store.name, failure: error.failure },
      { cause: error },
    );
  } finally {
    endOfQuota?.();
  }
}

/**
 * The sealed segments must be one state of the file. Where the platform does not notice changes, the file is
 * read a second time, unless it was read twice already: each segment that is as it was in the first reading
 * was so when that reading ended.
 */
async function checkSource(
  job: StoreJob,
  plainHashes: readonly Uint8Array[],
  isReadTwice: boolean,
  ports: StorePorts,
): Promise<void> {
  await job.source.checkUnchanged();
  if (job.source.noticesChanges || isReadTwice) return;
  const again = await hashSegments(job, ports);
  const isSame = again.every((hash, at) => equalBytes(hash, plainHashes[at] ?? new Uint8Array()));
  if (!isSame) throw new PalmError({ code: 'source-changed', reason: 'while-read' });
}

interface SealedStore {
  readonly segments: Awaited<ReturnType<typeof sealSegments>>;
  readonly contentTag: Uint8Array;
  readonly early: EarlyPlacing | undefined;
}

async function publishStore(
  job: StoreJob,
  store: UnfinishedStore,
  { segments, contentTag, early }: SealedStore,
  ports: StorePorts,
): Promise<Stored> {
  const { k, n, linkKey, sharedKey, salt, isPrivate } = store;
  const shares = splitSecret(sharedKey, k, n, (length) => ports.random.bytes(length));
  const indexes = shares.map((share, fragment) => {
    const blocks = segments.map(({ hashes }) => blockHashAt(hashes, fragment));
    return { blocks, bytes: encodeFragmentIndex({ fragment, share, blocks }) };
  });
  const details = { name: store.name, path: store.path, mime: store.mime };
  const access: Access = isPrivate
    ? { kind: 'private', sealed: await sealDetails(details, linkKey, salt, ports.cryptography) }
    : { kind: 'pool', details, linkKey, contentTag };
  const fragmentIds = indexes.map(({ bytes }) => fragmentIdOf(bytes));
  const fileId = await publish(job, store, { access, fragmentIds, indexes }, early, ports);
  return { kind: 'stored', fileId, linkKey, details };
}

/** Codes of failures that do not rule out the same store at another time. */
const PASSING = ['storage-full', 'storage-failed', 'worker-failed', 'refused', 'over-quota'] as const;

function passingCode(code: PalmErrorCode): (typeof PASSING)[number] | undefined {
  return PASSING.find((passing) => passing === code);
}

interface Sealed {
  readonly access: Access;
  readonly fragmentIds: Manifest['fragments'];
  readonly indexes: readonly { readonly blocks: readonly BlockHash[]; readonly bytes: Uint8Array }[];
}

/**
 * The point of no return, in this order: fragments durable, outbox row durable, log entry durable and
 * published. A crash in between leaves fragments of a file that no catalogue names; the next start sweeps
 * them. Their blocks stay while the journal has the store.
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
    atMs: job.renewal ? UNDATED_MS : driver.peer.catalogue.dateOfNextFile(ports.clock.wallMs()),
    access: sealed.access,
  };
  const sealedManifest = await sealManifest(
    manifest,
    keys.current.catalogueKey,
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
