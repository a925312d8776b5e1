// Placement: the caps and the space are never exceeded, the spread is even, and the order depends only on the
// file, the devices and their space.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import { fragmentCap } from '../../../../src/core/model/limits.ts';
import { NO_ANCHORS } from '../../../../src/core/placement/anchors.ts';
import type { FragmentSet } from '../../../../src/core/placement/fragment-set.ts';
import { marginOf } from '../../../../src/core/placement/health.ts';
import {
  planCopies,
  planPlacement,
  type Candidate,
  type PlacementInput,
} from '../../../../src/core/placement/placement.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';

const GIB = 2 ** 30;
const DEVICE_IDS = indicesOf(40).map((index) => deviceIdOf(seededBytes(32, 300 + index)));

function candidates(count: number, freeBytes = GIB): Candidate[] {
  return DEVICE_IDS.slice(0, count).map((device) => ({ device, freeBytes }));
}

function saltAt(file: number): Uint8Array {
  return seededBytes(32, 5_000 + file);
}

function plan(input: Partial<PlacementInput> & { readonly n?: number } = {}): Map<number, DeviceId> {
  return planPlacement({
    salt: saltAt(0),
    k: 4,
    fragments: indicesOf(input.n ?? 8),
    fragmentBytes: 1_000,
    candidates: candidates(8),
    held: new Map(),
    anchors: NO_ANCHORS,
    ...input,
  });
}

function countsOf(homes: ReadonlyMap<number, DeviceId>): Map<DeviceId, number> {
  const counts = new Map<DeviceId, number>();
  for (const device of homes.values()) counts.set(device, (counts.get(device) ?? 0) + 1);
  return counts;
}

const scenario = fc
  .record({ k: fc.integer({ min: 1, max: 12 }), spare: fc.nat(12), file: fc.nat(50) })
  .chain(({ k, spare, file }) =>
    fc.record({
      k: fc.constant(k),
      n: fc.constant(k + spare),
      file: fc.constant(file),
      free: fc.array(fc.nat(6), { maxLength: 10 }),
      wanted: fc.array(fc.tuple(fc.nat(k + spare - 1), fc.nat(11)), { maxLength: 12 }),
      held: fc.array(fc.tuple(fc.nat(11), fc.nat(k + spare - 1)), { maxLength: 12 }),
      fragmentBytes: fc.integer({ min: 1, max: 1_000 }),
    }),
  );

describe('planPlacement', () => {
  it('keeps every cap and the space, places what lacks a home, and leaves out only what fits nowhere', () => {
    fc.assert(
      fc.property(scenario, ({ k, n, file, free, wanted, held: pairs, fragmentBytes }) => {
        const held = new Map<DeviceId, Set<number>>();
        for (const [device, fragment] of pairs) {
          const id = itemAt(DEVICE_IDS, device);
          held.set(id, (held.get(id) ?? new Set()).add(fragment));
        }
        const open = free.map((rooms, index) => ({
          device: itemAt(DEVICE_IDS, index),
          freeBytes: rooms * fragmentBytes + (fragmentBytes - 1),
        }));
        const preferred = new Map(wanted.map(([fragment, device]) => [fragment, itemAt(DEVICE_IDS, device)]));
        const salt = saltAt(file);
        const homes = plan({ salt, k, n, fragmentBytes, candidates: open, held, preferred });
        const counts = countsOf(homes);
        let roomLeft = 0;
        for (const [index, { device }] of open.entries()) {
          const before = held.get(device)?.size ?? 0;
          const added = counts.get(device) ?? 0;
          if (added > 0) expect(before + added).toBeLessThanOrEqual(fragmentCap(k));
          expect(added).toBeLessThanOrEqual(free[index] ?? 0);
          roomLeft += Math.max(0, Math.min(fragmentCap(k) - before, free[index] ?? 0) - added);
        }
        expect([...homes.values()].every((home) => open.some(({ device }) => device === home))).toBe(true);
        const taken = new Set([...held.values()].flatMap((set) => [...set]));
        expect([...homes.keys()].some((fragment) => taken.has(fragment))).toBe(false);
        const homeless = indicesOf(n).filter((fragment) => !taken.has(fragment) && !homes.has(fragment));
        expect(homeless.length === 0 || roomLeft === 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('spreads evenly: no device has two more than another that had room', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 20 }),
        fc.nat(50),
        (deviceCount, n, file) => {
          const homes = plan({ salt: saltAt(file), k: 12, n, candidates: candidates(deviceCount) });
          const counts = countsOf(homes);
          const all = DEVICE_IDS.slice(0, deviceCount).map((device) => counts.get(device) ?? 0);
          expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('continues evenly from what devices hold already', () => {
    const [full, , , empty] = DEVICE_IDS;
    if (full === undefined || empty === undefined) throw new Error('expected a device');
    const homes = plan({ n: 6, candidates: candidates(4), held: new Map([[full, new Set([0, 1])]]) });
    const counts = countsOf(homes);
    expect(counts.get(full)).toBeUndefined();
    expect([...counts.values()].toSorted((a, b) => a - b)).toEqual([1, 1, 2]);
  });

  it('keeps to preferred homes that are candidates with room and below the cap', () => {
    const [b, c, gone] = [itemAt(DEVICE_IDS, 1), itemAt(DEVICE_IDS, 2), itemAt(DEVICE_IDS, 30)];
    const open = [...candidates(5), { device: c, freeBytes: 1_500 }];
    const preferred = new Map([...[0, 1, 2, 3].map((fragment) => [fragment, b] as const), [4, c], [5, gone]]);
    open.splice(2, 1);
    const homes = plan({ candidates: open, preferred });
    expect([0, 1, 2].map((fragment) => homes.get(fragment))).toEqual([b, b, b]);
    expect(homes.get(3), 'beyond the cap').not.toBe(b);
    expect(homes.get(4)).toBe(c);
    expect(homes.get(5)).not.toBe(gone);
    expect(homes.size).toBe(8);
    const full = plan({ candidates: candidates(5), held: new Map([[b, new Set([5, 6])]]), preferred });
    expect([...full].filter(([, home]) => home === b)).toEqual([[0, b]]);
  });

  it('depends neither on the order of the candidates nor on that of the holders', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(candidates(9), { minLength: 9 }), fc.nat(50), (shuffled, file) => {
        const salt = saltAt(file);
        expect(plan({ salt, candidates: shuffled })).toEqual(plan({ salt, candidates: candidates(9) }));
      }),
    );
  });

  it('gives every device the same share, whatever space it claims', () => {
    const open = candidates(4).map((candidate, index) => ({
      ...candidate,
      freeBytes: index === 0 ? Number.MAX_SAFE_INTEGER : GIB,
    }));
    let boastfulCount = 0;
    for (let file = 0; file < 3_000; file++) {
      const [home] = plan({ salt: saltAt(file), n: 1, candidates: open }).values();
      if (home === DEVICE_IDS[0]) boastfulCount += 1;
    }
    // A quarter; five standard deviations of a fair draw are 119.
    expect(Math.abs(boastfulCount - 750)).toBeLessThan(119);
  });

  it('moves nothing that has a home when a device joins', () => {
    for (let file = 0; file < 50; file++) {
      const salt = saltAt(file);
      const before = plan({ salt, candidates: candidates(5) });
      const held = new Map<DeviceId, Set<number>>();
      for (const [fragment, device] of before)
        held.set(device, (held.get(device) ?? new Set()).add(fragment));
      expect(plan({ salt, candidates: candidates(6), held }).size).toBe(0);
    }
  });

  it('changes a new file’s homes only by the device that joins', () => {
    let changedCount = 0;
    const fileCount = 300;
    for (let file = 0; file < fileCount; file++) {
      const salt = saltAt(file);
      const before = new Set(plan({ salt, candidates: candidates(20) }).values());
      const after = new Set(plan({ salt, candidates: candidates(21) }).values());
      const gone = [...before].filter((device) => !after.has(device));
      const come = [...after].filter((device) => !before.has(device));
      expect(gone.length).toBeLessThanOrEqual(1);
      expect(come).toEqual(gone.length === 0 ? [] : [DEVICE_IDS[20]]);
      changedCount += gone.length;
    }
    // The newcomer is one of the 8 best of 21 in 8 of 21 cases: 114 of 300, with a deviation of 8.4.
    expect(Math.abs(changedCount - (fileCount * 8) / 21)).toBeLessThan(45);
  });
});

describe('planCopies', () => {
  it('makes any one device dispensable or plans nothing, within caps and space, with no copy twice', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 3 }), { minLength: 2, maxLength: 6 }),
        fc.array(fc.nat(3), { minLength: 6, maxLength: 6 }),
        (sets, rooms) => {
          const held = new Map<DeviceId, FragmentSet>(
            sets.map((set, index) => [itemAt(DEVICE_IDS, index), new Set(set)]),
          );
          const open = sets.map((_, index) => ({
            device: itemAt(DEVICE_IDS, index),
            freeBytes: itemAt(rooms, index) * 1_000,
          }));
          const self = itemAt(DEVICE_IDS, 0);
          const copies = planCopies({
            k: 4,
            fragments: indicesOf(8),
            fragmentBytes: 1_000,
            candidates: open,
            held,
            self,
            salt: saltAt(0),
            anchors: NO_ANCHORS,
          });
          if (copies.length === 0) return;
          const after = new Map([...held].map(([device, set]) => [device, new Set(set)]));
          for (const { fragment, device } of copies) {
            expect(after.get(device)?.has(fragment)).toBe(false);
            after.get(device)?.add(fragment);
          }
          expect(marginOf(held, 4)).toBeLessThan(1);
          expect(marginOf(after, 4)).toBeGreaterThanOrEqual(1);
          for (const [index, { device }] of open.entries()) {
            const added = copies.filter((copy) => copy.device === device).length;
            expect(added).toBeLessThanOrEqual(itemAt(rooms, index));
            if (added > 0) expect(after.get(device)?.size).toBeLessThanOrEqual(fragmentCap(4));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
