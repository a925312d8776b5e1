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
  /** Resolves when none of these foretold blocks is being fetched, and none will be. */
  readonly settled: (blocks: readonly BlockHash[]) => Promise<void>;
}

export type PullOutcome =
  | { readonly kind: 'held'; readonly stored: StoredFragment; readonly blocks: readonly BlockHash[] }
  | {
      readonly kind: 'refused';
      readonly reason: Refusal;
      readonly notice?: Notice;
    };

/** Blocks requested together, and written in one call: some 1 MiB. */
const BLOCKS_AT_ONCE = 4;

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
    await ports.settled(index.blocks);
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
  ports: Omit<PullPorts, 'settled'>,
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
  for (;;) {
    const present = await ports.fragments.hasBlocks(index.blocks);
    const missing = index.blocks.flatMap((hash, segment) =>
      present[segment] === true ? [] : [{ hash, segment }],
    );
    await pullMissing(missing, manifest, ports);
    // Blocks that were here for another job may have been given up; those that this job fetched stay.
    if (missing.length === 0 || missing.length === index.blocks.length) return;
  }
}

interface Missing {
  readonly hash: BlockHash;
  readonly segment: number;
}

async function pullMissing(missing: readonly Missing[], manifest: Manifest, ports: PullPorts): Promise<void> {
  const fetchPart = async (part: readonly Missing[]) =>
    Promise.all(
      part.map(async ({ hash, segment }) => {
        const bytes = await ports.request({ kind: 'get-block', hash });
        return checkedBlock(hash, bytes, manifest, segment);
      }),
    );
  // The next part travels while this one is written.
  let coming = fetchPart(missing.slice(0, BLOCKS_AT_ONCE));
  for (let at = 0; at < missing.length; at += BLOCKS_AT_ONCE) {
    const blocks = await coming;
    coming = fetchPart(missing.slice(at + BLOCKS_AT_ONCE, at + 2 * BLOCKS_AT_ONCE));
    // Its failure surfaces at the next turn, or never when writing fails first.
    coming.catch(() => undefined);
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
