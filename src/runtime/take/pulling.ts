// Fetches fragments that another device asked this one to hold. A large one: its index, then the blocks that
// are not here yet (others were foretold), a few at a time. Small ones: in one answer, and one transaction.
// Each block is checked against its hash before it is written, and a fragment exists only once all of it is
// durable.

import { fragmentIndexOf, type FragmentIndex } from '../../core/coding/fragment-index.ts';
import type { Manifest } from '../../core/catalogue/manifest.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { blockBytesOf } from '../../core/model/geometry.ts';
import type { BlockHash, BlockOwner, FileId } from '../../core/model/ids.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { FragmentStore, NewFragment, StoredFragment } from '../../core/ports.ts';
import type { Refusal } from '../../core/wire/messages.ts';
import type { Place } from '../../core/wire/places.ts';
import { decodeSmallFragments } from '../../core/wire/fragment-batch.ts';
import type { Notice, QuotedDevice } from '../notice.ts';
import { storedFragmentOf } from '../stored-fragment.ts';

export interface PullPorts {
  /** Claims the blocks until their fragment counts them. No other job has this name. */
  readonly owner: BlockOwner;
  /** Undefined when the file is unknown, or no longer known. */
  readonly manifestOf: (file: FileId) => Manifest | undefined;
  readonly fragments: FragmentStore;
  readonly request: (ask: Ask) => Promise<Uint8Array<ArrayBuffer>>;
  /** Takes these foretold blocks over, but for those that are being fetched. */
  readonly takeOver: (blocks: readonly BlockHash[]) => Coming;
}

/** Foretold blocks that are being fetched. */
export interface Coming {
  readonly has: (block: BlockHash) => boolean;
  /** Resolves when none is any more, and none is about to be given up. */
  readonly settled: Promise<void>;
}

export type PullOutcome =
  | { readonly kind: 'held'; readonly stored: StoredFragment; readonly blocks: readonly BlockHash[] }
  | {
      readonly kind: 'refused';
      readonly reason: Refusal;
      readonly notice?: Notice;
    };

/** Blocks written in one call: some 1 MiB. */
const BLOCKS_AT_ONCE = 4;
/**
 * Blocks requested beyond those being written: 3 MiB, as many as are prefetched. Two requests of the lane
 * bring eight, and end at about the same time: the next ones are on their way by then.
 */
const BLOCKS_AHEAD = 12;

/**
 * The notice about a device whose blocks do not match their hashes, or whose index does not match its id, by
 * its own word or here.
 */
export function damagedOffer(from: QuotedDevice): Notice {
  return { kind: 'damaged-offer', from };
}

/** `from`: the device that offers the fragment. */
export async function pullFragment(place: Place, from: QuotedDevice, ports: PullPorts): Promise<PullOutcome> {
  const { fragments } = ports;
  const manifest = ports.manifestOf(place.file);
  const stored = manifest && storedFragmentOf(place.file, manifest, place.fragment);
  if (manifest === undefined || stored === undefined) return { kind: 'refused', reason: 'unknown-file' };
  try {
    const indexBytes = await ports.request({ kind: 'get-index', ...place });
    const index = fragmentIndexOf(indexBytes, manifest, place.fragment);
    await pullBlocks(index, manifest, ports);
    await fragments.commit([{ stored, indexBytes, hashes: index.blocks }]);
    return { kind: 'held', stored, blocks: index.blocks };
  } catch (error) {
    if (!isPalmError(error)) throw error;
    return refusalOf(error, from);
  } finally {
    await fragments.release(ports.owner);
  }
}

/**
 * Fetches small fragments in one answer. Returns those that are durable now; the others were not sent.
 * @throws PalmError when any part of the answer is wrong; fetching them one by one finds out which, and takes
 * the others.
 */
export async function pullTogether(
  places: readonly Place[],
  ports: Omit<PullPorts, 'takeOver'>,
): Promise<Map<Place, PullOutcome>> {
  const { fragments, owner } = ports;
  const answered = decodeSmallFragments(await ports.request({ kind: 'get-fragments', places }));
  if (answered.length !== places.length) throw new PalmError({ code: 'corrupt', reason: 'answer' });
  const blocks: Block[] = [];
  const making: NewFragment[] = [];
  const pulled = new Map<Place, PullOutcome>();
  for (const [at, place] of places.entries()) {
    const [manifest, small] = [ports.manifestOf(place.file), answered[at]];
    const stored = manifest && storedFragmentOf(place.file, manifest, place.fragment);
    if (manifest === undefined || stored === undefined || small === undefined) continue;
    const { blocks: hashes } = fragmentIndexOf(small.index, manifest, place.fragment);
    const [hash] = hashes;
    if (hash === undefined || hashes.length > 1)
      throw new PalmError({ code: 'corrupt', reason: 'not-small' });
    blocks.push(checkedBlock(hash, small.block, manifest, 0));
    making.push({ stored, indexBytes: small.index, hashes });
    pulled.set(place, { kind: 'held', stored, blocks: hashes });
  }
  if (making.length === 0) return pulled;
  try {
    await fragments.putBlocks(owner, blocks, 'claimed');
    await fragments.commit(making);
    return pulled;
  } finally {
    await fragments.release(owner);
  }
}

interface Block {
  readonly hash: BlockHash;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

function checkedBlock(
  hash: BlockHash,
  bytes: Uint8Array<ArrayBuffer>,
  manifest: Manifest,
  segment: number,
): Block {
  if (bytes.length !== blockBytesOf(manifest, segment))
    throw new PalmError({ code: 'corrupt', reason: 'block-length' });
  return { hash, bytes };
}

async function pullBlocks(index: FragmentIndex, manifest: Manifest, ports: PullPorts): Promise<void> {
  // The link does not wait for the last of what is coming.
  const coming = ports.takeOver(index.blocks);
  const alone = new Set(index.blocks.filter((hash) => !coming.has(hash)));
  const missing = (await missingOf(index, ports)).filter(({ hash }) => alone.has(hash));
  await pullMissing(missing, manifest, ports);
  if (missing.length === index.blocks.length) return;
  await coming.settled;
  for (;;) {
    const left = await missingOf(index, ports);
    await pullMissing(left, manifest, ports);
    // Blocks that were here for another job may have been given up; those that this job fetched stay.
    if (left.length === 0 || left.length === index.blocks.length) return;
  }
}

async function missingOf({ blocks }: FragmentIndex, { fragments }: PullPorts): Promise<readonly Missing[]> {
  const present = await fragments.hasBlocks(blocks);
  return blocks.flatMap((hash, segment) => (present[segment] === true ? [] : [{ hash, segment }]));
}

interface Missing {
  readonly hash: BlockHash;
  readonly segment: number;
}

async function pullMissing(missing: readonly Missing[], manifest: Manifest, ports: PullPorts): Promise<void> {
  const waiting = [...missing];
  const coming: Promise<Block>[] = [];
  const ask = async ({ hash, segment }: Missing): Promise<Block> =>
    checkedBlock(hash, await ports.request({ kind: 'get-block', hash }), manifest, segment);
  const askAhead = (): void => {
    for (const block of waiting.splice(0, BLOCKS_AHEAD - coming.length)) {
      const asked = ask(block);
      // Its failure surfaces at its turn, or never when another comes first.
      asked.catch(() => undefined);
      coming.push(asked);
    }
  };
  for (askAhead(); coming.length > 0;) {
    const blocks = await Promise.all(coming.splice(0, BLOCKS_AT_ONCE));
    // The next ones travel while these are written.
    askAhead();
    await ports.fragments.putBlocks(ports.owner, blocks, 'claimed');
  }
}

function refusalOf(error: PalmError, from: QuotedDevice): PullOutcome {
  switch (error.code) {
    case 'storage-full':
      return { kind: 'refused', reason: 'space', notice: { kind: 'device-full' } };
    case 'corrupt':
    case 'bad-message':
      return { kind: 'refused', reason: 'failed', notice: damagedOffer(from) };
    case 'storage-failed':
      return { kind: 'refused', reason: 'failed', notice: { kind: 'failure', failure: error.failure } };
    default:
      // The link closed or was slow: the other side will offer the fragment again.
      return { kind: 'refused', reason: 'busy' };
  }
}
