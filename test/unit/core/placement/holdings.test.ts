// Holdings: what others claim to hold follows their numbered deltas, and nothing inconsistent is believed.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeFragments,
  fragmentsBelow,
  NO_FRAGMENTS,
  packedBytes,
  packFragments,
  unpackFragments,
} from '../../../../src/core/placement/fragment-set.ts';
import { Holdings, type ClaimRules, type HoldingsDelta } from '../../../../src/core/placement/holdings.ts';
import { deviceIdOf, fileIdOf, parseFileId, type FileId } from '../../../../src/core/model/ids.ts';
import { deviceAt, expectOnly, expectThrows } from '../../../fixtures/pool-fixture.ts';

const A = deviceAt(0).deviceId;
const B = deviceAt(1).deviceId;

const ids: FileId[] = [];

/** Made once: hashing them is most of the work of thousands of claims. */
function fileIdAt(index: number): FileId {
  return (ids[index] ??= fileIdOf(Uint8Array.of(index >> 8, index & 255)));
}

function delta(base: number, held: readonly (readonly [number, readonly number[]])[]): HoldingsDelta {
  const holdings = held.map(([file, fragments]) => ({
    file: fileIdAt(file),
    fragments: packFragments(fragments),
  }));
  return { base, held: holdings, heldBytes: 10, freeBytes: 20 };
}

/** A pool of members that has every file, of 255 fragments. */
const ANYTHING: ClaimRules = { fragmentCountOf: () => 255, standingOf: () => 'member' };

describe('fragment sets', () => {
  it('come back as they were, in as few bytes as the highest number needs', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(254)), (fragments) => {
        const packed = packFragments(fragments);
        const sorted = fragments.toSorted((a, b) => a - b);
        expect(packed.length).toBe(fragments.length === 0 ? 0 : (Math.max(...fragments) >> 3) + 1);
        expect([...unpackFragments(packed)]).toEqual(sorted);
        expect(decodeFragments(packedBytes(packed))).toBe(packed);
        expect(decodeFragments(new Uint8Array(32).fill(0)).length).toBe(0);
        for (const count of [1, 7, 8, 9, 100, 255]) {
          const below = unpackFragments(fragmentsBelow(packed, count));
          expect([...below]).toEqual(sorted.filter((fragment) => fragment < count));
        }
      }),
    );
  });

  it('are refused when they are too long, name fragment 255, or are not bytes', () => {
    expectThrows('bad-message', () => decodeFragments(new Uint8Array(33)));
    expectThrows('bad-message', () => decodeFragments(packedBytes(packFragments([255]))));
    expectThrows('bad-message', () => decodeFragments([1, 2]));
    fc.assert(fc.property(fc.anything(), (value) => expectOnly('bad-message', () => decodeFragments(value))));
  });
});

describe('holdings', () => {
  it('follow the deltas: added, changed, and gone when the set is empty', () => {
    const holdings = new Holdings(ANYTHING);
    expect(
      holdings.apply(
        A,
        delta(0, [
          [1, [0, 1]],
          [2, [5]],
        ]),
        100,
      ),
    ).toBe(true);
    expect(holdings.apply(A, delta(1, [[1, [0]]]), 200)).toBe(true);
    expect(holdings.apply(A, delta(2, [[2, []]]), 300)).toBe(true);
    expect(holdings.of(A)).toMatchObject({ version: 3, heldBytes: 10, freeBytes: 20, heardAtMs: 300 });
    expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set([0]));
    expect(holdings.fragmentsOf(A, fileIdAt(2))).toEqual(new Set());
    expect(holdings.holdersOf(fileIdAt(2)).size).toBe(0);
  });

  it('refuse a delta that does not follow, and are unchanged by it', () => {
    const holdings = new Holdings(ANYTHING);
    expect(holdings.apply(A, delta(4, [[1, [0]]]), 100)).toBe(false);
    expect(holdings.of(A)).toBeUndefined();
    holdings.apply(A, delta(0, [[1, [0]]]), 100);
    for (const base of [2, 3, 1_000]) expect(holdings.apply(A, delta(base, [[1, [7]]]), 200)).toBe(false);
    expect(holdings.of(A)).toMatchObject({ version: 1, heardAtMs: 100 });
    expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set([0]));
    holdings.apply(A, delta(1, []), 200);
    // Nor one that was there already.
    expect(holdings.apply(A, delta(1, [[1, [7]]]), 300)).toBe(false);
  });

  it('start again from base 0, whatever was known', () => {
    const holdings = new Holdings(ANYTHING);
    holdings.apply(
      A,
      delta(0, [
        [1, [0]],
        [2, [1]],
      ]),
      100,
    );
    holdings.apply(A, delta(0, [[3, [2]]]), 200);
    expect([...(holdings.of(A)?.files.keys() ?? [])]).toEqual([fileIdAt(3)]);
    expect(holdings.of(A)?.version).toBe(1);
  });

  it('equal the holder’s, for any sequence of its changes', () => {
    const change = fc.tuple(fc.nat(3), fc.uniqueArray(fc.nat(9), { maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 10 }),
        fc.nat(9),
        (deltas, restartAt) => {
          const holdings = new Holdings(ANYTHING);
          const truth = new Map<number, readonly number[]>();
          let base = 0;
          for (const [index, changes] of deltas.entries()) {
            for (const [file, fragments] of changes) truth.set(file, fragments);
            const isSnapshot = index === restartAt;
            if (isSnapshot) base = 0;
            const told = isSnapshot ? [...truth] : changes;
            expect(holdings.apply(A, delta(base, index === 0 ? [...truth] : told), index)).toBe(true);
            base += 1;
          }
          for (const [file, fragments] of truth)
            expect(holdings.fragmentsOf(A, fileIdAt(file))).toEqual(new Set(fragments));
        },
      ),
    );
  });

  it('restored after a restart are remembered, and never continued from', () => {
    const holdings = new Holdings(ANYTHING);
    const files = new Map([[fileIdAt(1), packFragments([4])]]);
    holdings.restore(A, files, 77, 50);
    expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set([4]));
    expect(holdings.of(A)).toMatchObject({ heldBytes: 77, freeBytes: 0, heardAtMs: 50 });
    for (const base of [1, 2, 3]) expect(holdings.apply(A, delta(base, [[1, [5]]]), 60)).toBe(false);
    expect(holdings.apply(A, delta(0, [[2, [5]]]), 60)).toBe(true);
    expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set());
    // What is remembered is a copy.
    expect(files.get(fileIdAt(1))).toBe(packFragments([4]));
  });

  it('of a device that left are forgotten, and those of the others are not', () => {
    const holdings = new Holdings(ANYTHING);
    for (const device of [A, B]) holdings.apply(device, delta(0, [[1, [0]]]), 1);
    holdings.forget(A);
    expect([...holdings.holdersOf(fileIdAt(1)).keys()]).toEqual([B]);
    expect([...holdings.all().keys()]).toEqual([B]);
  });
});

/** Collects garbage, so that what is in use can be measured. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
}

describe('claims', () => {
  /** What the catalogue says, to be changed by a test. */
  function changingRules(): {
    readonly rules: ClaimRules;
    readonly files: Map<string, number>;
    readonly members: Set<string>;
    readonly left: Set<string>;
  } {
    const files = new Map<string, number>();
    const [members, left] = [new Set<string>(), new Set<string>()];
    const rules: ClaimRules = {
      fragmentCountOf: (file) => files.get(file) ?? 'unknown',
      standingOf: (device) => (left.has(device) ? 'left' : members.has(device) ? 'member' : 'stranger'),
    };
    return { files, members, left, rules };
  }

  it('count once the file is in the catalogue and the device a member, in whatever order they come', () => {
    for (const memberFirst of [true, false]) {
      const { files, members, rules } = changingRules();
      const holdings = new Holdings(rules);
      holdings.apply(A, delta(0, [[1, [0, 1, 9]]]), 1);
      expect(holdings.holdersOf(fileIdAt(1)).size).toBe(0);
      const steps = [
        () => {
          members.add(A);
          holdings.admitted(A);
        },
        () => {
          files.set(fileIdAt(1), 8);
          holdings.fileAdded(fileIdAt(1));
        },
      ];
      for (const step of memberFirst ? steps : steps.toReversed()) {
        expect(holdings.holdersOf(fileIdAt(1)).size).toBe(0);
        step();
      }
      // A file of eight has no fragment 9.
      expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set([0, 1]));
    }
  });

  it('of a file that the catalogue lost, or of a device that left, do not count', () => {
    const { files, members, left, rules } = changingRules();
    const holdings = new Holdings(rules);
    members.add(A);
    files.set(fileIdAt(1), 8);
    holdings.apply(A, delta(0, [[1, [0]]]), 1);
    files.delete(fileIdAt(1));
    holdings.fileLost(fileIdAt(1));
    holdings.apply(A, delta(1, [[1, [0]]]), 1);
    expect(holdings.of(A)?.files.size).toBe(0);
    files.set(fileIdAt(2), 8);
    left.add(B);
    holdings.apply(B, delta(0, [[2, [0]]]), 1);
    expect(holdings.of(B)?.files.size).toBe(0);
    expect(holdings.takeMissed()).toEqual([]);
  });

  it('that come too early are kept within a bound, and asked for again beyond it', () => {
    const { files, members, rules } = changingRules();
    const holdings = new Holdings(rules);
    members.add(A);
    const claims = Array.from({ length: 3_000 }, (_, index) => [index, [1]] as const);
    holdings.apply(A, delta(0, claims), 1);
    for (const [index] of claims) {
      files.set(fileIdAt(index), 8);
      holdings.fileAdded(fileIdAt(index));
    }
    expect(holdings.of(A)?.files.size).toBe(2_048);
    expect(holdings.takeMissed()).toEqual([A]);
    expect(holdings.takeMissed()).toEqual([]);
    holdings.apply(A, delta(0, claims), 2);
    expect(holdings.of(A)?.files.size).toBe(3_000);
    expect(holdings.takeMissed()).toEqual([]);
  });

  it('of strangers are bounded together, and forgotten with their links', () => {
    const { members, files, rules } = changingRules();
    const holdings = new Holdings(rules);
    const strangers = Array.from({ length: 40 }, (_, index) => deviceIdOf(Uint8Array.of(index)));
    const claims = Array.from({ length: 2_048 }, (_, index) => [index, [1]] as const);
    for (const stranger of strangers) holdings.apply(stranger, delta(0, claims), 1);
    expect(holdings.takeMissed().length).toBe(40 - 16);
    for (const stranger of strangers) holdings.linkDown(stranger);
    expect(holdings.all().size).toBe(0);
    // There is room again for others.
    members.add(A);
    holdings.apply(A, delta(0, claims), 1);
    for (const [index] of claims) {
      files.set(fileIdAt(index), 8);
      holdings.fileAdded(fileIdAt(index));
    }
    expect(holdings.of(A)?.files.size).toBe(2_048);
    holdings.linkDown(A);
    expect(holdings.of(A)?.files.size).toBe(2_048);
  });

  it('are the same after any history, whether entries or claims came first', () => {
    type Step = {
      readonly kind: 'claim' | 'file' | 'member' | 'lose';
      readonly file: number;
      readonly set: number[];
    };
    const step: fc.Arbitrary<Step> = fc.record({
      kind: fc.constantFrom('claim', 'claim', 'file', 'member', 'lose'),
      file: fc.nat(4),
      set: fc.uniqueArray(fc.nat(11), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { files, members, rules } = changingRules();
        const lost = new Set<string>();
        const holdings = new Holdings(rules);
        const claimed = new Map<number, number[]>();
        let base = 0;
        for (const { kind, file, set } of steps) {
          const id = fileIdAt(file);
          if (kind === 'claim') {
            claimed.set(file, set);
            expect(holdings.apply(A, delta(base, [[file, set]]), 1)).toBe(true);
            base += 1;
          } else if (kind === 'member') {
            members.add(A);
            holdings.admitted(A);
          } else if (kind === 'lose') {
            files.delete(id);
            lost.add(id);
            holdings.fileLost(id);
          } else if (!lost.has(id)) {
            files.set(id, 8);
            holdings.fileAdded(id);
          }
        }
        for (const [file, set] of claimed) {
          const counts = members.has(A) && files.has(fileIdAt(file));
          const expected = counts ? set.filter((fragment) => fragment < 8) : [];
          expect(holdings.fragmentsOf(A, fileIdAt(file))).toEqual(new Set(expected));
        }
      }),
    );
  });

  it('of 255 fragments take less than 260 bytes, and those of two less than 200', () => {
    const all = packFragments(Array.from({ length: 255 }, (_, fragment) => fragment));
    // Many, so that what else changes in the engine's memory hardly counts.
    const fileCount = 40_000;
    const bytesFor = (set: typeof all): number => {
      const holdings = new Holdings(ANYTHING);
      const held = Array.from({ length: fileCount }, (_, index) => ({
        file: fileIdAt(index),
        fragments: set,
      }));
      const wire = held.map(({ file, fragments }) => [file, packedBytes(fragments)] as const);
      held.length = 0;
      collect();
      const before = process.memoryUsage().heapUsed;
      for (let at = 0; at < wire.length; at += 1_000) {
        const portion = wire.slice(at, at + 1_000).map(([file, bytes]) => ({
          // As a decoder makes them: texts of their own.
          file: parseFileId(Buffer.from(file).toString()),
          fragments: decodeFragments(bytes),
        }));
        holdings.apply(A, { base: at / 1_000, held: portion, heldBytes: 0, freeBytes: 0 }, 1);
      }
      collect();
      const after = process.memoryUsage().heapUsed;
      expect(holdings.of(A)?.files.size).toBe(fileCount);
      return (after - before) / fileCount;
    };
    expect(bytesFor(all)).toBeLessThan(260);
    expect(bytesFor(packFragments([1, 5]))).toBeLessThan(200);
    expect(NO_FRAGMENTS).toBe(packFragments([]));
  });
});
