// Holdings: what others say they hold follows their numbered deltas, and nothing is believed that does not add up.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFragmentSet, encodeFragmentSet } from '../../src/core/placement/fragment-set.ts';
import { Holdings, type HoldingsDelta } from '../../src/core/placement/holdings.ts';
import { deviceAt, expectOnly, expectThrows, fileIdAt } from './pool-fixture.ts';

const A = deviceAt(0).deviceId;
const B = deviceAt(1).deviceId;

function delta(base: number, held: readonly (readonly [number, readonly number[]])[]): HoldingsDelta {
  const holdings = held.map(([file, fragments]) => ({
    file: fileIdAt(file),
    fragments: new Set(fragments),
  }));
  return { base, held: holdings, heldBytes: 10, freeBytes: 20 };
}

describe('fragment sets', () => {
  it('come back as they were, in as few bytes as the highest number needs', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(254)), (fragments) => {
        const bytes = encodeFragmentSet(fragments);
        expect(bytes.length).toBe(fragments.length === 0 ? 0 : (Math.max(...fragments) >> 3) + 1);
        expect([...decodeFragmentSet(bytes)]).toEqual(fragments.toSorted((a, b) => a - b));
      }),
    );
  });

  it('are refused when they are too long, name fragment 255, or are no bytes', () => {
    expectThrows('bad-message', () => decodeFragmentSet(new Uint8Array(33)));
    expectThrows('bad-message', () => decodeFragmentSet(encodeFragmentSet([255])));
    expectThrows('bad-message', () => decodeFragmentSet([1, 2]));
    fc.assert(
      fc.property(fc.anything(), (value) => expectOnly('bad-message', () => decodeFragmentSet(value))),
    );
  });
});

describe('holdings', () => {
  it('follow the deltas: added, changed, and gone when the set is empty', () => {
    const holdings = new Holdings();
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
    const holdings = new Holdings();
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

  it('start anew from base 0, whatever was known', () => {
    const holdings = new Holdings();
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

  it('are the same as the holder’s, for any sequence of its changes', () => {
    const change = fc.tuple(fc.nat(3), fc.uniqueArray(fc.nat(9), { maxLength: 3 }));
    fc.assert(
      fc.property(
        fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 10 }),
        fc.nat(9),
        (deltas, restartAt) => {
          const holdings = new Holdings();
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

  it('put back after a restart are remembered, and never continued from', () => {
    const holdings = new Holdings();
    const files = new Map([[fileIdAt(1), new Set([4])]]);
    holdings.restore(A, files, 77, 50);
    expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set([4]));
    expect(holdings.of(A)).toMatchObject({ heldBytes: 77, freeBytes: 0, heardAtMs: 50 });
    for (const base of [1, 2, 3]) expect(holdings.apply(A, delta(base, [[1, [5]]]), 60)).toBe(false);
    expect(holdings.apply(A, delta(0, [[2, [5]]]), 60)).toBe(true);
    expect(holdings.fragmentsOf(A, fileIdAt(1))).toEqual(new Set());
    // What is remembered is a copy.
    expect(files.get(fileIdAt(1))).toEqual(new Set([4]));
  });

  it('of a device that left are forgotten; of the others not', () => {
    const holdings = new Holdings();
    for (const device of [A, B]) holdings.apply(device, delta(0, [[1, [0]]]), 1);
    holdings.forget(A);
    expect([...holdings.holdersOf(fileIdAt(1)).keys()]).toEqual([B]);
    expect([...holdings.all().keys()]).toEqual([B]);
  });
});
