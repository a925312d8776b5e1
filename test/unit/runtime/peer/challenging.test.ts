// Proofs of holding a fragment: their bytes (golden vectors), what is withheld while others prove, and what
// is not proved.

import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { bytesOfHex, concatBytes, equalBytes, hexOf } from '../../../../src/core/model/bytes.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { blockBytesOf, segmentCountOf } from '../../../../src/core/model/geometry.ts';
import { blockKey, fragmentIdOf, parseBlockHash, parseDeviceId } from '../../../../src/core/model/ids.ts';
import type { PeerInput } from '../../../../src/core/peer/peer-events.ts';
import { proofRanges } from '../../../../src/core/peer/proof-ranges.ts';
import type { Ask } from '../../../../src/core/wire/asks.ts';
import { Challenging, type ChallengingPorts } from '../../../../src/runtime/peer/challenging.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import vectors from '../../../vectors/proof.json' with { type: 'json' };
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

type Vector = (typeof vectors.cases)[number];

const FILE = fileIdAt(0);

/** The bytes that the vector names. */
function vectorBlockOf({ name, geometry }: Vector, segment: number): Uint8Array<ArrayBuffer> {
  const byteCount = blockBytesOf(geometry, segment);
  const parts = Array.from({ length: Math.ceil(byteCount / 32) }, (_, counter) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    return createHash('sha256').update(`${name}/${segment}`).update(number).digest();
  });
  return concatBytes(...parts).slice(0, byteCount);
}

/** A device that holds the vector's fragment, as a test changes it. */
class Holder {
  readonly challenging: Challenging;
  readonly inputs: PeerInput[] = [];
  readonly place: { readonly file: typeof FILE; readonly fragment: number };
  /** Loaded instead of the block of this segment. */
  readonly instead = new Map<number, Uint8Array<ArrayBuffer> | Error | undefined>();
  readonly hashes: readonly Uint8Array[];
  readonly #blocks: ReadonlyMap<string, number>;
  readonly #vector: Vector;
  index: Uint8Array<ArrayBuffer> | undefined;

  constructor(vector: Vector, self = vector.prover) {
    this.#vector = vector;
    this.place = { file: FILE, fragment: vector.fragment };
    this.index = bytesOfHex(vector.index);
    const segments = Array.from({ length: segmentCountOf(vector.geometry) }, (_, segment) => segment);
    this.hashes = segments.map((segment) =>
      createHash('sha256').update(vectorBlockOf(vector, segment)).digest(),
    );
    this.#blocks = new Map(
      this.hashes.map((hash, segment) => [blockKey(parseBlockHash(new Uint8Array(hash))), segment]),
    );
    const fragments = [...manifestOf(deviceAt(0).deviceId).fragments];
    fragments[vector.fragment] = fragmentIdOf(this.index);
    const manifest = manifestOf(deviceAt(0).deviceId, { ...vector.geometry, fragments });
    const ports = {
      cryptography: webCryptography,
      random: { bytes: () => bytesOfHex(vector.salt) },
      memory: dirtyMemory,
      catalogue: { files: () => new Map([[FILE, manifest]]) },
      self: parseDeviceId(self),
      load: (ask: Ask) => this.#load(ask),
      input: (input: PeerInput) => void this.inputs.push(input),
    };
    this.challenging = new Challenging(ports as unknown as ChallengingPorts); // what challenging needs
  }

  /** Its proof of the fragment; undefined when it gives none. */
  async proof(): Promise<Uint8Array | undefined> {
    const { salt } = this.#vector;
    await this.challenging.prove(deviceAt(1).deviceId, 1, [{ ...this.place, salt: bytesOfHex(salt) }]);
    const [made] = this.inputs.splice(0);
    if (made?.kind !== 'proof-made') throw new Error('a proof is made');
    expect(made.digests).toHaveLength(1);
    return made.digests[0];
  }

  async #load(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    if (ask.kind === 'get-index') return this.index;
    if (ask.kind !== 'get-block') throw new Error('indexes and blocks are loaded');
    const segment = this.#blocks.get(blockKey(ask.hash));
    if (segment === undefined) return undefined;
    const instead = this.instead.get(segment);
    if (instead instanceof Error) throw instead;
    return this.instead.has(segment) ? instead : vectorBlockOf(this.#vector, segment);
  }
}

describe('a proof', () => {
  it.each(vectors.cases)('of $name equals that of the independent implementation', async (vector) => {
    const { salt, geometry, index } = vector;
    const ranges = proofRanges(bytesOfHex(salt), fragmentIdOf(bytesOfHex(index)), geometry);
    expect(ranges.map(({ segment, start, end }) => [segment, start, end])).toEqual(vector.ranges);
    const digest = await new Holder(vector).proof();
    expect(digest && hexOf(digest)).toBe(vector.proof);
  });

  it('differs for each device and each salt', async () => {
    const vector = itemAt(vectors.cases, 1);
    const proofs = [
      await new Holder(vector).proof(),
      await new Holder(vector, deviceAt(3).deviceId).proof(),
      await new Holder({ ...vector, salt: '00'.repeat(16) }).proof(),
    ];
    expect(new Set(proofs.map((proof) => proof && hexOf(proof))).size).toBe(3);
  });

  it.each([
    ['a missing block', undefined],
    ['a damaged block', new PalmError({ code: 'corrupt', reason: 'block-dropped' })],
  ])('is not given with %s', async (_, instead) => {
    const vector = itemAt(vectors.cases, 2);
    const holder = new Holder(vector);
    holder.instead.set(1, instead);
    expect(await holder.proof()).toBeUndefined();
  });

  it('is not given without the index', async () => {
    const holder = new Holder(itemAt(vectors.cases, 0));
    holder.index = undefined;
    expect(await holder.proof()).toBeUndefined();
  });

  it('covers every block of a file of few segments', async () => {
    const vector = itemAt(vectors.cases, 2);
    const right = await new Holder(vector).proof();
    for (const [segment, start] of vector.ranges as [number, number, number][]) {
      const holder = new Holder(vector);
      const changed = vectorBlockOf(vector, segment);
      changed[start] = (changed[start] ?? 0) ^ 1;
      holder.instead.set(segment, changed);
      const wrong = await holder.proof();
      expect(right !== undefined && wrong !== undefined && !equalBytes(right, wrong)).toBe(true);
    }
  });
});

describe('while a round is under way', () => {
  it('the blocks that its salt picks are served to nobody; before and after the round they are', async () => {
    const vector = itemAt(vectors.cases, 2);
    const { challenging, place, hashes, inputs } = new Holder(vector);
    const asks: readonly Ask[] = [
      { kind: 'get-index', ...place },
      ...hashes.map((hash) => ({ kind: 'get-block' as const, hash: parseBlockHash(new Uint8Array(hash)) })),
    ];
    expect(asks.some((ask) => challenging.withholds(ask))).toBe(false);
    await challenging.begin(3, place.file, [place.fragment]);
    expect(inputs.splice(0)).toEqual([{ kind: 'round-ready', round: 3 }]);
    expect(asks.every((ask) => challenging.withholds(ask))).toBe(true);
    expect(challenging.withholds(place)).toBe(true);
    expect(challenging.withholds({ ...place, fragment: place.fragment - 1 })).toBe(false);
    await challenging.challenge(5, deviceAt(1).deviceId, [{ ...place, round: 3 }]);
    expect(inputs).toMatchObject([{ kind: 'challenge-ready', id: 5, to: deviceAt(1).deviceId }]);
    challenging.over(3);
    expect(asks.some((ask) => challenging.withholds(ask))).toBe(false);
  });
});

describe('challenges of others', () => {
  it('are answered two at a time, one of each device in turn', async () => {
    const vector = itemAt(vectors.cases, 0);
    const holder = new Holder(vector);
    const order: string[] = [];
    const ask = { ...holder.place, salt: bytesOfHex(vector.salt) };
    const proving = [
      ...indicesOf(20).map((id) => holder.challenging.prove(deviceAt(1).deviceId, id, [ask])),
      holder.challenging.prove(deviceAt(2).deviceId, 99, [ask]),
    ];
    await Promise.all(proving);
    for (const input of holder.inputs) if (input.kind === 'proof-made') order.push(`${input.id}`);
    expect(order).toHaveLength(21);
    // Its turn is the fourth at the latest; two run at a time.
    expect(order.indexOf('99')).toBeLessThan(10);
  });
});
