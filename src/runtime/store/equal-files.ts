// Whether the pool has a file of the same bytes that can stand for one that is to be stored.
//
// A content tag is only a claim: any member can publish other bytes under it. So a file counts as equal only
// if this device stored it itself, or if this very store read its bytes back and compared them. And it stands
// for the new one only while enough holders for a margin of 1 deliver parts of what they claim; or while all
// of its fragments are here, waiting to be placed, as those of the new one would.

import type { Manifest } from '../../core/catalogue/manifest.ts';
import { contentTagOf } from '../../core/coding/file-key.ts';
import { fragmentIndexOf } from '../../core/coding/fragment-index.ts';
import { equalBytes } from '../../core/model/bytes.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { blockBytesOf, segmentBytesOf, segmentCountOf } from '../../core/model/geometry.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import { fragmentCap } from '../../core/model/limits.ts';
import { marginOf } from '../../core/placement/health.ts';
import { readFile } from '../read/reading.ts';
import type { StoreJob, StorePorts } from './store-job.ts';

/** Blocks of each fragment that its holder must deliver: a device that keeps nothing cannot. */
const SAMPLED_BLOCKS = 2;

export interface EqualFile {
  readonly fileId: FileId;
  /** Whether any one device may be lost. Otherwise its fragments are all here, waiting to be placed. */
  readonly isSafe: boolean;
}

/** A file of the pool that is equal to the bytes of `plainHashes`, so that they need not be stored again. */
export async function equalFileOf(
  job: StoreJob,
  plainHashes: readonly Uint8Array[],
  ports: StorePorts,
): Promise<EqualFile | undefined> {
  const { geometry, isPrivate } = job;
  if (isPrivate) return undefined;
  const { catalogue } = ports.driver.peer;
  const tagged = ports.keys.newestFirst.flatMap(({ contentTagKey }) =>
    catalogue.filesWithTag(contentTagOf(contentTagKey, plainHashes)),
  );
  const alike = tagged.flatMap((fileId) => {
    const manifest = catalogue.files().get(fileId);
    const isAlike = manifest?.size === geometry.size && segmentBytesOf(manifest) === segmentBytesOf(geometry);
    return isAlike && job.renewal?.isOld(fileId) !== true ? [{ fileId, manifest }] : [];
  });
  const own = alike.find(({ manifest }) => manifest.by === ports.driver.deviceId);
  if (own !== undefined) {
    const { fileId } = own;
    if (await isSafe(job, own, ports)) return { fileId, isSafe: true };
    return isPlacedAlike(job, own, ports) ? { fileId, isSafe: false } : undefined;
  }
  // One file of another device is enough: a member that publishes a thousand must not make this device read
  // them all.
  const [other] = alike;
  if (other === undefined || !(await isSafe(job, other, ports))) return undefined;
  const isEqual = await hasTheseBytes(job, other, plainHashes, ports);
  return isEqual ? { fileId: other.fileId, isSafe: true } : undefined;
}

interface PoolFile {
  readonly fileId: FileId;
  readonly manifest: Manifest;
}

/** Whether storing it again would only lead to where it is: every fragment here, and in the outbox. */
function isPlacedAlike(
  { geometry }: StoreJob,
  { fileId, manifest }: PoolFile,
  { driver }: StorePorts,
): boolean {
  const { peer } = driver;
  const isWhole = peer.own.of(fileId).size === manifest.n;
  return peer.inOutbox(fileId) && isWhole && manifest.k === geometry.k && manifest.n === geometry.n;
}

/** Whether any one of the devices that delivered may be lost. */
async function isSafe(job: StoreJob, { fileId, manifest }: PoolFile, ports: StorePorts): Promise<boolean> {
  const { driver } = ports;
  const { peer } = driver;
  const self = driver.deviceId;
  const cap = fragmentCap(manifest.k);
  const holders = peer.confirmedHoldersOf(fileId);
  // Its storer keeps more than its share until the others have proved theirs to it: it may be the only
  // holder.
  if (manifest.by !== self && (holders.get(manifest.by)?.size ?? 0) > cap) return false;
  const claims = [...holders].filter(
    ([device, fragments]) => peer.isReachable(device) && (device === self || fragments.size <= cap),
  );
  if (marginOf(new Map(claims), manifest.k) < 1) return false;
  // While a file is being placed, the holders have proved it just now.
  if (peer.inOutbox(fileId)) return true;
  const given = await Promise.all(
    claims.map(async ([device, fragments]): Promise<[DeviceId, ReadonlySet<number>]> => {
      if (device === self) return [device, fragments];
      const isEach = await Promise.all(
        [...fragments].map((fragment) => isGiven(job, { fileId, manifest }, fragment, device, ports)),
      );
      return [device, new Set([...fragments].filter((_, at) => isEach[at]))];
    }),
  );
  return marginOf(new Map(given), manifest.k) >= 1;
}

/** Whether `device` delivers the fragment's index and a few of its blocks, drawn at random. */
async function isGiven(
  { transfer: { signal } }: StoreJob,
  { fileId, manifest }: PoolFile,
  fragment: number,
  device: DeviceId,
  { driver, random, memory, codec }: StorePorts,
): Promise<boolean> {
  try {
    const indexBytes = await driver.request(device, { kind: 'get-index', file: fileId, fragment }, signal);
    const { blocks } = fragmentIndexOf(indexBytes, manifest, fragment);
    const draws = new DataView(random.bytes(4 * SAMPLED_BLOCKS).buffer);
    for (let sample = 0; sample < Math.min(SAMPLED_BLOCKS, blocks.length); sample++) {
      const segment = draws.getUint32(4 * sample) % segmentCountOf(manifest);
      const hash = blocks[segment];
      if (hash === undefined) return false;
      const bytes = await driver.request(device, { kind: 'get-block', hash }, signal);
      const isRight = bytes.length === blockBytesOf(manifest, segment);
      const found = await codec.hash(bytes.slice(), signal);
      memory.give(bytes);
      if (!isRight || !equalBytes(found, hash)) return false;
    }
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (isPalmError(error)) return false;
    throw error;
  }
}

/** Reads the file back and compares it. If it differs, people are told about its storer. */
async function hasTheseBytes(
  job: StoreJob,
  { fileId, manifest }: PoolFile,
  plainHashes: readonly Uint8Array[],
  ports: StorePorts,
): Promise<boolean> {
  const { access, size: end } = manifest;
  if (access.kind !== 'pool') return false;
  const { transfer } = job;
  transfer.enter('hashing', end);
  const read = { fileId, manifest, linkKey: access.linkKey, start: 0, end, signal: transfer.signal };
  let segment = 0;
  try {
    for await (const plain of readFile(read, ports)) {
      const byteCount = plain.length;
      const expected = plainHashes[segment++];
      const found = await ports.codec.hash(plain.slice(), transfer.signal);
      if (expected === undefined || !equalBytes(found, expected)) {
        ports.misdeed(manifest.by, 'false-equal');
        return false;
      }
      transfer.advance(byteCount);
    }
  } catch (error) {
    transfer.signal.throwIfAborted();
    if (isPalmError(error)) return false;
    throw error;
  }
  // An empty file has no segment to read, and nothing that can differ.
  return end === 0 || segment === plainHashes.length;
}
