// What a device serves from its own store: bounded whatever is requested, and damage is noted however it is
// found.

import { StagedFragments } from '../../../../src/runtime/peer/staged-fragments.ts';
import { sha256 } from '@noble/hashes/sha2.js';
import { describe, expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import type { Manifest } from '../../../../src/core/catalogue/manifest.ts';
import {
  blockKey,
  type FileId,
  fragmentIdOf,
  ownerOfStore,
  parseBlockHash,
} from '../../../../src/core/model/ids.ts';
import { MAX_OPEN_REQUESTS } from '../../../../src/core/model/limits.ts';
import { concatBytes } from '../../../../src/core/model/bytes.ts';
import type { Brought } from '../../../../src/core/lane-port.ts';
import type { PeerInput } from '../../../../src/core/peer/peer-events.ts';
import { encodeMessage } from '../../../../src/core/wire/messages.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { decodeSmallFragments } from '../../../../src/core/wire/fragment-batch.ts';
import { traceMarkOf } from '../../../../src/core/wire/trace-mark.ts';
import type { ServedAsk } from '../../../../src/runtime/served-ask.ts';
import { Serving, type ServingPorts } from '../../../../src/runtime/peer/serving.ts';
import { createMemoryStore } from '../../../sim/memory-store.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

const BLOCK_BYTES = 1_000;
const BY = deviceAt(1).deviceId;

describe('small fragments that are requested together', () => {
  it('are sent in order; missing ones are left out', async () => {
    const world = new ServingWorld();
    await world.hold(0);
    await world.hold(2);
    const [first, missing, last] = await world.ask(0, 1, 2);
    expect(first).toEqual({ index: world.indexOf(0), block: world.blockOf(0) });
    expect(missing).toBeUndefined();
    expect(last).toEqual({ index: world.indexOf(2), block: world.blockOf(2) });
  });

  it('are left out if they are requested twice, unknown, or too large together', async () => {
    const world = new ServingWorld(50_000);
    for (const file of [0, 1, 2, 3]) await world.hold(file);
    const answered = await world.ask(0, 0, 1, 2, 3, 9);
    expect(answered.map((fragment) => fragment !== undefined)).toEqual([
      true,
      false,
      true,
      false,
      false,
      false,
    ]);
  });

  it('are left out if their file’s manifest states less than is here', async () => {
    const world = new ServingWorld();
    await world.hold(0);
    // Another file that names the same fragments, stated to be shorter; and one of a long file, stated to be
    // short.
    world.claim(5, { ...world.manifestOf(0), size: 0 });
    const long = await world.holdLong(6);
    world.claim(6, { ...world.manifestOf(0), fragments: [long, ...world.manifestOf(0).fragments.slice(1)] });
    expect(await world.ask(5, 6)).toEqual([undefined, undefined]);
  });

  it('are left out if they are damaged, and each is noted', async () => {
    const world = new ServingWorld();
    for (const file of [0, 1, 2]) await world.hold(file);
    for (const file of [0, 2]) expect(world.damage(file)).toBe(true);
    const answered = await world.ask(0, 1, 2);
    expect(answered.map((fragment) => fragment !== undefined)).toEqual([false, true, false]);
    expect(world.lost).toEqual([0, 2].map((file) => world.hashKeyOf(file)));
  });

  it('are left out if their blocks vanished, and each is noted', async () => {
    const world = new ServingWorld();
    for (const file of [0, 1, 2]) await world.hold(file);
    for (const file of [0, 2]) expect(world.deleteBlock(file)).toBe(true);
    const answered = await world.ask(0, 1, 2);
    expect(answered.map((fragment) => fragment !== undefined)).toEqual([false, true, false]);
    expect(world.lost).toEqual([0, 2].map((file) => world.hashKeyOf(file)));
  });

  it('are left out if their index is damaged, and each is noted', async () => {
    const world = new ServingWorld();
    for (const file of [0, 1]) await world.hold(file);
    expect(world.damageIndex(1)).toBe(true);
    const answered = await world.ask(0, 1);
    expect(answered.map((fragment) => fragment !== undefined)).toEqual([true, false]);
    expect(world.lostIndexes).toMatchObject([{ file: fileIdAt(1), fragment: 0 }]);
  });

  it('are left out if their file was just removed, and count as held', async () => {
    const world = new ServingWorld();
    for (const file of [0, 1]) await world.hold(file);
    world.remove(1);
    const answered = await world.ask(0, 1);
    expect(answered.map((fragment) => fragment !== undefined)).toEqual([true, false]);
    expect(await world.askIndex(1)).toBeUndefined();
    expect(world.lostIndexes).toEqual([]);
  });

  it('take memory of one block at a time for each requester', async () => {
    const world = new ServingWorld();
    const files = indicesOf(64);
    for (const file of files) await world.hold(file);
    await Promise.all(indicesOf(MAX_OPEN_REQUESTS).map(() => world.ask(...files)));
    expect(world.mostTaken).toBeLessThanOrEqual(MAX_OPEN_REQUESTS);
    expect(world.takenCount).toBe(0);
  });
});

/** A device that holds fragment 0 of some files of one segment with blocks of `blockBytes`. */
describe('a block', () => {
  it.each<[string, (bytes: Uint8Array<ArrayBuffer>) => Brought, boolean]>([
    ['goes by the lane alone where that takes it', (bytes) => ({ isTaken: true, bytes }), false],
    ['goes over the link where the lane does not take it', (bytes) => ({ isTaken: false, bytes }), true],
    ['is read again where it was lost with the lane', () => ({ isTaken: false, bytes: undefined }), true],
  ])('%s', async (_, brought, isSent) => {
    const world = new ServingWorld();
    await world.hold(0);
    const told: number[] = [];
    world.serving.watch((to, __, byteCount) => void told.push(to === BY ? byteCount : -1));
    world.bring = brought;
    await world.serving.serve(BY, 5, { kind: 'get-block', hash: world.hashOf(0) });
    expect(world.sent).toEqual(
      isSent ? [concatBytes(...encodeMessage({ kind: 'block', id: 5 }, world.blockOf(0)))] : [],
    );
    expect(told).toEqual([BLOCK_BYTES]);
    expect(world.served).toEqual([{ kind: 'served', to: BY, id: 5 }]);
    expect(world.takenCount).toBe(brought(new Uint8Array(1)).bytes === undefined ? 1 : 0);
  });

  it('is told of to whoever follows the request that it is part of, also one that is not here', async () => {
    const world = new ServingWorld();
    await world.hold(0);
    const trace = traceMarkOf(new Uint8Array(24).fill(7));
    for (const file of [0, 1])
      await world.serving.serve(BY, 5 + file, { kind: 'get-block', hash: world.hashOf(file), trace });
    await world.serving.serve(BY, 7, { kind: 'get-block', hash: world.hashOf(0) });
    expect(world.traced).toEqual([
      { to: BY, trace, byteCount: BLOCK_BYTES, isWhole: true, ms: 0 },
      { to: BY, trace, byteCount: 0, isWhole: false, ms: 0 },
    ]);
  });

  it('that its own index names and that vanished is noted each time; one that others name, now and then', async () => {
    const world = new ServingWorld();
    for (const file of [0, 1, 2]) await world.hold(file);
    for (const file of [0, 1, 2]) expect(world.deleteBlock(file)).toBe(true);
    const load = (file: number, isHeld: boolean) =>
      world.serving[isHeld ? 'loadHeld' : 'load']({ kind: 'get-block', hash: world.hashOf(file) });
    expect([await load(0, false), await load(1, false), await load(2, true)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(world.lost).toEqual([0, 2].map((file) => world.hashKeyOf(file)));
  });

  it('is not lent to the lane while others prove that they have it', async () => {
    const world = new ServingWorld();
    await world.hold(0);
    expect(await world.serving.lend(world.hashOf(0))).toEqual(world.blockOf(0));
    world.isWithheld = true;
    expect(await world.serving.lend(world.hashOf(0))).toBeUndefined();
  });
});

class ServingWorld {
  readonly sent: Uint8Array[] = [];
  readonly served: PeerInput[] = [];
  readonly traced: ServedAsk[] = [];
  isWithheld = false;
  bring: (bytes: Uint8Array<ArrayBuffer>) => Brought = (bytes) => ({ isTaken: false, bytes });
  readonly lost: string[] = [];
  readonly lostIndexes: Place[] = [];
  /** Blocks that the store returned and did not get back: now, and at most. */
  takenCount = 0;
  mostTaken = 0;
  readonly #blockBytes: number;
  readonly #store = createMemoryStore();
  readonly #files = new Map<FileId, Manifest>();
  readonly serving: Serving;

  constructor(blockBytes = BLOCK_BYTES) {
    this.#blockBytes = blockBytes;
    const { fragments } = this.#store;
    const ports = {
      clock: { monotonicMs: () => 0, wallMs: () => 0, after: () => () => undefined },
      memory: { take: (byteCount: number) => new Uint8Array(byteCount), give: () => (this.takenCount -= 1) },
      fragments: Object.assign(Object.create(fragments) as typeof fragments, {
        getBlock: async (...given: Parameters<typeof fragments.getBlock>) => {
          const bytes = await fragments.getBlock(...given);
          if (bytes !== undefined) this.takenCount += 1;
          this.mostTaken = Math.max(this.mostTaken, this.takenCount);
          return bytes;
        },
        getIndex: (...given: Parameters<typeof fragments.getIndex>) => fragments.getIndex(...given),
      }),
      catalogue: { files: () => this.#files },
      staged: new StagedFragments(),
      withholds: () => this.isWithheld,
      bring: async (_: unknown, __: number, bytes: Uint8Array<ArrayBuffer>) => this.bring(bytes),
      transport: {
        send: async (_: unknown, parts: Uint8Array[]) => void this.sent.push(concatBytes(...parts)),
      },
      served: (served: ServedAsk) => void this.traced.push(served),
      input: (input: PeerInput) => void this.served.push(input),
      indexLost: async (place: Place) => void this.lostIndexes.push(place),
      blockLost: async (hash: Uint8Array) => void this.lost.push(blockKey(parseBlockHash(hash))),
    };
    this.serving = new Serving(ports as unknown as ServingPorts); // what serving these needs
  }

  async ask(...files: readonly number[]): Promise<ReturnType<typeof decodeSmallFragments>> {
    const places: Place[] = files.map((file) => ({ file: fileIdAt(file), fragment: 0 }));
    const payload = await this.serving.load({ kind: 'get-fragments', places });
    return decodeSmallFragments(payload ?? new Uint8Array(0));
  }

  askIndex(file: number): Promise<Uint8Array | undefined> {
    return this.serving.load({ kind: 'get-index', file: fileIdAt(file), fragment: 0 });
  }

  async hold(file: number): Promise<void> {
    const stored = {
      fragmentId: fragmentIdOf(this.indexOf(file)),
      fileId: fileIdAt(file),
      fragment: 0,
      blockBytes: this.#blockBytes,
    };
    const hash = this.hashOf(file);
    await this.#store.fragments.putBlocks(
      ownerOfStore('test'),
      [{ hash, bytes: this.blockOf(file) }],
      'claimed',
    );
    await this.#store.fragments.commit([{ stored, indexBytes: this.indexOf(file), hashes: [hash] }]);
    this.claim(file, this.manifestOf(file));
  }

  /** Holds a fragment of two blocks that no manifest knows; returns its id. */
  async holdLong(file: number): Promise<Manifest['fragments'][number]> {
    const hashes = [this.hashOf(file), this.hashOf(file + 1)];
    const blocks = hashes.map((hash, at) => ({ hash, bytes: this.blockOf(file + at) }));
    const indexBytes = encodeFragmentIndex({ fragment: 0, share: seededBytes(32, 9), blocks: hashes });
    const fragmentId = fragmentIdOf(indexBytes);
    const stored = { fragmentId, fileId: fileIdAt(file), fragment: 0, blockBytes: 2 * this.#blockBytes };
    await this.#store.fragments.putBlocks(ownerOfStore('test'), blocks, 'claimed');
    await this.#store.fragments.commit([{ stored, indexBytes, hashes }]);
    return fragmentId;
  }

  claim(file: number, manifest: Manifest): void {
    this.#files.set(fileIdAt(file), manifest);
  }

  remove(file: number): void {
    this.#files.delete(fileIdAt(file));
  }

  damage(file: number): boolean {
    return this.#store.corruptBlock(this.hashOf(file));
  }

  deleteBlock(file: number): boolean {
    return this.#store.deleteBlock(this.hashOf(file));
  }

  damageIndex(file: number): boolean {
    return this.#store.corruptIndex(fragmentIdOf(this.indexOf(file)));
  }

  manifestOf(file: number): Manifest {
    const [k, n] = [2, 3];
    const others = [1, 2].map((fragment) => itemAt(manifestOf(BY).fragments, fragment));
    const fragments = [fragmentIdOf(this.indexOf(file)), ...others];
    return manifestOf(BY, { size: k * this.#blockBytes - 16, k, n, blockBytes: 262_144, fragments });
  }

  indexOf(file: number): Uint8Array<ArrayBuffer> {
    return encodeFragmentIndex({ fragment: 0, share: seededBytes(32, file), blocks: [this.hashOf(file)] });
  }

  blockOf(file: number): Uint8Array<ArrayBuffer> {
    return seededBytes(this.#blockBytes, 1_000 + file);
  }

  hashKeyOf(file: number): string {
    return blockKey(this.hashOf(file));
  }

  hashOf(file: number): ReturnType<typeof parseBlockHash> {
    return parseBlockHash(sha256(this.blockOf(file)));
  }
}
