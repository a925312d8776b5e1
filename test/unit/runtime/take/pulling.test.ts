// Pulling fragments: one with some blocks here already, under a claim that may end at any moment; and small
// ones together.

import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import type { Manifest } from '../../../../src/core/catalogue/manifest.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import {
  type BlockHash,
  blockKey,
  fragmentIdOf,
  ownerOfStore,
  ownerOfTaking,
  parseBlockHash,
} from '../../../../src/core/model/ids.ts';
import type { Ask } from '../../../../src/core/wire/asks.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { encodeSmallFragments } from '../../../../src/core/wire/fragment-batch.ts';
import type { Notice } from '../../../../src/runtime/notice.ts';
import { FragmentTaker } from '../../../../src/runtime/take/fragment-taker.ts';
import { pullFragment } from '../../../../src/runtime/take/pulling.ts';
import { createMemoryStore, type MemoryStore } from '../../../sim/memory-store.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

const BLOCK_BYTES = 32;
const SEGMENT_COUNT = 8;
const FROM = deviceAt(1).deviceId;

interface TestFragment {
  readonly manifest: Manifest;
  readonly index: Uint8Array<ArrayBuffer>;
  readonly blocks: readonly { readonly hash: BlockHash; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

/** Fragment 0 of a file. */
function fragmentOf(segmentCount: number, seed: number): TestFragment {
  const blocks = indicesOf(segmentCount).map((segment) => {
    const bytes = seededBytes(BLOCK_BYTES, seed + segment);
    return { hash: parseBlockHash(sha256(bytes)), bytes };
  });
  const hashes = blocks.map(({ hash }) => hash);
  const index = encodeFragmentIndex({ fragment: 0, share: seededBytes(32, seed), blocks: hashes });
  const [k, n] = [2, 3];
  const others = [1, 2].map((fragment) => itemAt(manifestOf(FROM).fragments, fragment));
  const manifest = manifestOf(FROM, {
    size: segmentCount * (k * BLOCK_BYTES - 16),
    k,
    n,
    blockBytes: BLOCK_BYTES,
    fragments: [fragmentIdOf(index), ...others],
  });
  return { manifest, index, blocks };
}

it('a fragment is held even if some of its blocks were here and are given up while the others are fetched', async () => {
  const { fragments } = createMemoryStore();
  const { manifest, index, blocks } = fragmentOf(SEGMENT_COUNT, 10);
  const hashes = blocks.map(({ hash }) => hash);
  const early = blocks.slice(0, 3).map(({ hash, bytes }) => ({ hash, bytes: bytes.slice() }));
  await fragments.putBlocks(ownerOfStore('soon:someone'), early, 'claimed');
  const asked: string[] = [];
  const pulled = await pullFragment(
    { file: fileIdAt(0), fragment: 0 },
    { id: FROM, name: 'Ben', isAmbiguous: false },
    {
      owner: ownerOfTaking(1),
      manifestOf: () => manifest,
      fragments,
      settled: async () => undefined,
      request: async (ask) => {
        if (ask.kind === 'get-index') return index;
        if (ask.kind !== 'get-block') throw new Error('nothing is asked for together');
        asked.push(blockKey(ask.hash));
        await fragments.release(ownerOfStore('soon:someone'));
        const found = blocks.find(({ hash }) => blockKey(hash) === blockKey(ask.hash));
        if (found === undefined) throw new Error('only blocks of the fragment are asked for');
        return found.bytes.slice();
      },
    },
  );
  expect(pulled).toMatchObject({ kind: 'held', blocks: hashes });
  // The missing ones first, then those given up; nothing twice.
  expect(asked).toEqual([...hashes.slice(3), ...hashes.slice(0, 3)].map(blockKey));
  expect(await fragments.owners()).toEqual([]);
  expect(await fragments.hasBlocks(hashes)).not.toContain(false);
});

describe('small fragments', () => {
  it('come in one answer, and are durable together', async () => {
    const world = new TakingWorld();
    await world.take();
    expect(world.asked).toEqual(['get-fragments']);
    expect(world.outcomes()).toEqual(['held', 'held', 'held']);
    expect(world.heldCount()).toBe(3);
    expect(await world.store.fragments.owners()).toEqual([]);
  });

  it('that were not sent are fetched singly', async () => {
    const world = new TakingWorld();
    world.lacksTogether.add(1);
    await world.take();
    expect(world.asked).toEqual(['get-fragments', 'get-index', 'get-block']);
    expect(world.outcomes()).toEqual(['held', 'held', 'held']);
  });

  it('are held except for a damaged one, and people are told', async () => {
    const world = new TakingWorld();
    world.damaged.add(2);
    await world.take();
    expect(world.outcomes()).toEqual(['held', 'held', 'failed']);
    expect(world.heldCount()).toBe(2);
    const from = { id: FROM, name: 'Kitchen tablet', isAmbiguous: false };
    expect(world.warnings).toEqual([{ kind: 'damaged-offer', from }]);
    expect(await world.store.fragments.owners()).toEqual([]);
  });

  it.each(['not CBOR', 'too many', 'too few', 'a foreign index', 'a short block'] as const)(
    'are fetched one by one if the answer is invalid: %s',
    async (lie) => {
      const world = new TakingWorld();
      world.lie = lie;
      await world.take();
      expect(world.outcomes()).toEqual(['held', 'held', 'held']);
      expect(world.asked.filter((kind) => kind === 'get-index')).toHaveLength(3);
    },
  );

  it('are fetched one by one from a device that closes its link over the question', async () => {
    const world = new TakingWorld();
    world.isOlder = true;
    await world.take();
    expect(world.outcomes()).toEqual(['busy', 'busy', 'busy']);
    world.isLinked = true;
    await world.take();
    expect(world.outcomes()).toEqual(['held', 'held', 'held']);
    expect(world.asked.filter((kind) => kind === 'get-fragments')).toHaveLength(1);
    // It may have been updated.
    world.isOlder = false;
    world.nowMs += 60 * 60_000;
    world.asked.length = 0;
    await world.take();
    expect(world.asked).toEqual(['get-fragments']);
  });

  it('are left for later if the device is slow: asking for more would not help', async () => {
    const world = new TakingWorld();
    world.isSlow = true;
    await world.take();
    expect(world.outcomes()).toEqual(['busy', 'busy', 'busy']);
    expect(world.asked).toEqual(['get-fragments']);
  });

  it('are held except for one that cannot be kept here', async () => {
    const world = new TakingWorld();
    world.unkept = 1;
    await expect(world.take()).rejects.toMatchObject({ code: 'storage-full' });
    expect(world.outcomes()).toEqual(['held', 'failed', 'held']);
  });

  it('are refused if their file was removed in the meantime, and the others come together', async () => {
    const world = new TakingWorld();
    world.removed = 1;
    await world.take();
    expect(world.outcomes()).toEqual(['held', 'unknown-file', 'held']);
    expect(world.asked).toEqual(['get-fragments']);
  });

  it('are all reported before a failure is', async () => {
    const world = new TakingWorld();
    world.uncounted = 0;
    world.lacksTogether.add(2);
    await expect(world.take()).rejects.toMatchObject({ code: 'storage-failed' });
    expect(world.outcomes()).toEqual(['held', 'held', 'held']);
  });

  it('are fetched together again from a device whose link broke for another reason', async () => {
    const world = new TakingWorld();
    await world.take();
    world.isLinked = false;
    await world.take();
    expect(world.outcomes()).toEqual(['busy', 'busy', 'busy']);
    world.isLinked = true;
    world.asked.length = 0;
    await world.take();
    expect(world.asked).toEqual(['get-fragments']);
  });

  it('are refused as such if the disk has no room for them', async () => {
    const world = new TakingWorld();
    world.store.setCapacity(2 * BLOCK_BYTES);
    await world.take();
    expect(world.outcomes()).toEqual(['space', 'space', 'space']);
    expect(world.store.usedBytes()).toBe(0);
  });
});

/** A device that takes three small fragments from another, whose answers the test scripts. */
class TakingWorld {
  readonly store: MemoryStore = createMemoryStore();
  readonly asked: Ask['kind'][] = [];
  readonly warnings: Notice[] = [];
  /** By file: left out of the common answer; sent with a bit flipped. */
  readonly lacksTogether = new Set<number>();
  readonly damaged = new Set<number>();
  lie: 'not CBOR' | 'too many' | 'too few' | 'a foreign index' | 'a short block' | undefined;
  /** The file whose entry of the catalogue could not be written; the one whose fragment cannot be counted. */
  unkept: number | undefined;
  uncounted: number | undefined;
  /** The file that was removed in the meantime. */
  removed: number | undefined;
  nowMs = 0;
  isLinked = true;
  /** Does not answer in time. */
  isSlow = false;
  /** Closes its link when it is asked for fragments together. */
  isOlder = false;
  readonly #fragments = [100, 200, 300].map((seed) => fragmentOf(1, seed));
  readonly #places: Place[] = indicesOf(3).map((at) => ({ file: fileIdAt(at), fragment: 0 }));
  readonly #ended = new Map<Place, string>();
  readonly #taker = new FragmentTaker({
    clock: { monotonicMs: () => this.nowMs, wallMs: () => 0, after: () => () => undefined },
    fragments: this.store.fragments,
    manifestOf: (file) => {
      const at = this.#fileAt({ file });
      return at === this.removed ? undefined : this.#fragments[at]?.manifest;
    },
    quoted: (id) => ({ id, name: id === FROM ? 'Kitchen tablet' : '', isAmbiguous: false }),
    request: (_, ask) => this.#answer(ask),
    settled: async () => undefined,
    dropDamaged: async () => undefined,
    fileKept: async (file) => {
      if (file === this.#places[this.unkept ?? -1]?.file)
        throw new PalmError({ code: 'storage-full', reason: 'device' });
    },
    held: async ({ fileId }) => {
      if (fileId === this.#places[this.uncounted ?? -1]?.file)
        throw new PalmError({ code: 'storage-failed', reason: 'closing' });
    },
    warn: (notice) => this.warnings.push(notice),
    ended: (place, _, outcome) => {
      expect(this.#ended.has(place), 'told of twice').toBe(false);
      this.#ended.set(place, outcome);
    },
  });

  async take(): Promise<void> {
    this.#ended.clear();
    await this.#taker.take({ places: this.#places, from: FROM, areSmall: true });
  }

  outcomes(): (string | undefined)[] {
    return this.#places.map((place) => this.#ended.get(place));
  }

  heldCount(): number {
    return this.store.contents().fragments.length;
  }

  async #answer(ask: Ask): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.isLinked) throw new PalmError({ code: 'link-closed', reason: 'before-the-answer' });
    this.asked.push(ask.kind);
    if (ask.kind === 'get-index') return itemAt(this.#fragments, this.#fileAt(ask)).index.slice();
    if (ask.kind === 'get-block') {
      const at = this.#fragments.findIndex(({ blocks: [block] }) =>
        block?.hash.every((octet, i) => octet === ask.hash[i]),
      );
      return this.#blockOf(at);
    }
    if (this.isSlow) throw new PalmError({ code: 'deadline', reason: 'no-answer' });
    if (this.isOlder) {
      this.isLinked = false;
      throw new PalmError({ code: 'link-closed', reason: 'before-the-answer' });
    }
    const sent = ask.places.map((place) => {
      const at = this.#fileAt(place);
      const { index } = itemAt(this.#fragments, at);
      return this.lacksTogether.has(at) ? undefined : { index, block: this.#blockOf(at) };
    });
    const [first] = sent;
    if (first === undefined) throw new Error('the first is always sent');
    switch (this.lie) {
      case undefined:
        return encodeSmallFragments(sent);
      case 'not CBOR':
        return encodeSmallFragments(sent).subarray(1);
      case 'too many':
        return encodeSmallFragments(Array.from({ length: 65 }, () => first));
      case 'too few':
        return encodeSmallFragments(sent.slice(0, 2));
      case 'a foreign index':
        return encodeSmallFragments(sent.toReversed());
      case 'a short block':
        return encodeSmallFragments([{ ...first, block: first.block.subarray(1) }, ...sent.slice(1)]);
    }
  }

  #fileAt({ file }: Pick<Place, 'file'>): number {
    return this.#places.findIndex((place) => place.file === file);
  }

  #blockOf(at: number): Uint8Array<ArrayBuffer> {
    const bytes = itemAt(itemAt(this.#fragments, at).blocks, 0).bytes.slice();
    if (this.damaged.has(at)) bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes;
  }
}
