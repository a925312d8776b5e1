// Reach, margin and devices needed, compared with trying every possible loss of devices.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import type { FragmentSet } from '../../../../src/core/placement/fragment-set.ts';
import {
  devicesNeeded,
  marginOf,
  MAX_STEPS,
  reachOf,
  Steps,
  type Holders,
} from '../../../../src/core/placement/health.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

/** Up to 7 devices, whose holdings overlap; some hold nothing. */
const holderSets = fc.array(fc.array(fc.nat(9), { maxLength: 5 }), { maxLength: 7 });

function holdersFrom(sets: readonly (readonly number[])[], first = 0): Map<DeviceId, FragmentSet> {
  return new Map(sets.map((set, index) => [deviceAt(first + index).deviceId, new Set(set)]));
}

describe('reachOf', () => {
  it('counts each fragment once', () => {
    expect(reachOf(holdersFrom([[0, 1], [1, 2], []]))).toBe(3);
    expect(reachOf(new Map())).toBe(0);
  });
});

describe('marginOf', () => {
  it('is what trying every loss gives', () => {
    fc.assert(
      fc.property(holderSets, fc.integer({ min: 1, max: 10 }), (sets, k) => {
        expect(marginOf(holdersFrom(sets), k)).toBe(slowMargin(sets, k));
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, number[][], number, number]>([
    ['nobody', [], 1, -1],
    ['one device with everything', [[0, 1, 2, 3, 4, 5, 6, 7]], 4, 0],
    [
      'two devices with three each, k = 4',
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      4,
      0,
    ],
    ['eight devices with one each, k = 4', [[0], [1], [2], [3], [4], [5], [6], [7]], 4, 4],
    ['three, of which one is the bulk', [[0, 1, 2], [3], [4]], 2, 1],
    [
      'copies of the same fragments',
      [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      2,
      2,
    ],
    ['many fragments of which one is missing', [[0, 1, 2]], 4, -1],
    ['a mirror on three devices', [[0], [1], [2]], 1, 2],
    ['devices that hold nothing', [[0], [1], [], []], 2, 0],
  ])('%s', (_, sets, k, margin) => {
    expect(marginOf(holdersFrom(sets), k)).toBe(margin);
  });

  it('never promises too much when there are too many losses to try', () => {
    // 40 devices with neighbouring pairs: losing 20 of them gives some 10^11 sets to try.
    const holders: Holders = new Map(
      Array.from({ length: 40 }, (_, index): [DeviceId, FragmentSet] => [
        deviceIdOf(seededBytes(32, 900 + index)),
        new Set([index, (index + 1) % 40]),
      ]),
    );
    for (const k of [1, 5, 10, 20, 30, 39, 40]) {
      const margin = marginOf(holders, k);
      const truth = slowRingMargin(40, k);
      expect(margin).toBeLessThanOrEqual(truth);
      expect(margin).toBeGreaterThanOrEqual(Math.min(truth, 3));
    }
  });
});

describe('the work of health', () => {
  /** More devices than a few steps can try. */
  const manySets = fc.array(fc.array(fc.nat(11), { maxLength: 12 }), { maxLength: 9 });

  it('with few steps left gives a margin that is never too large, and a need that is never too small', () => {
    fc.assert(
      fc.property(manySets, fc.integer({ min: 1, max: 12 }), fc.nat(60), (sets, k, stepCount) => {
        const holders = new Map(
          sets.map((set, index) => [deviceIdOf(Uint8Array.of(index)), new Set(set)] as const),
        );
        expect(marginOf(holders, k, new Steps(stepCount))).toBeLessThanOrEqual(
          slowMargin(sets.map(uniqueOf), k),
        );
        const need = slowNeed([], sets, k);
        const told = devicesNeeded([], holders.values(), k, new Steps(stepCount));
        if (need === undefined) expect(told).toBeUndefined();
        else expect(told).toBeGreaterThanOrEqual(need);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, (device: number) => readonly number[], number]>([
    // Honest holders of a file of 4 of 8, each with two.
    ['that claim everything', () => [0, 1, 2, 3, 4, 5, 6, 7], 4],
    ['that claim half of it, each another half', (device) => randomHalf(device, 8), 4],
    ['that claim half of a file of 255', (device) => randomHalf(device, 255), 100],
    ['that claim one fragment each', (device) => [device % 8], 4],
    ['that claim pairs in a ring', (device) => [device, (device + 1) % 100], 30],
  ])('is bounded for 100 liars %s', (_, claimOf, k) => {
    const holders = new Map(
      Array.from({ length: 104 }, (__, device): [DeviceId, FragmentSet] => [
        deviceIdOf(Uint8Array.of(device)),
        new Set(device < 4 ? [2 * device, 2 * device + 1] : claimOf(device)),
      ]),
    );
    const steps = new Steps();
    const margin = marginOf(holders, k, steps);
    // The device that is one too many ends the search.
    expect(steps.taken).toBeLessThanOrEqual(MAX_STEPS + 255);
    expect(margin).toBeGreaterThanOrEqual(1);
    const needSteps = new Steps();
    expect(devicesNeeded([], holders.values(), k, needSteps)).toBeGreaterThanOrEqual(1);
    expect(needSteps.taken).toBeLessThanOrEqual(MAX_STEPS + 255);
  });

  it('takes a few hundred steps for the files of an honest pool', () => {
    for (const deviceCount of [3, 5, 8]) {
      const holders = new Map(
        Array.from({ length: deviceCount }, (_, device): [DeviceId, FragmentSet] => [
          deviceIdOf(Uint8Array.of(device)),
          new Set(
            Array.from({ length: 8 }, (__, fragment) => fragment).filter((f) => f % deviceCount === device),
          ),
        ]),
      );
      const steps = new Steps();
      marginOf(holders, 4, steps);
      expect(steps.taken).toBeLessThan(100);
    }
  });
});

describe('devicesNeeded', () => {
  it('is the fewest, by trying all choices', () => {
    fc.assert(
      fc.property(holderSets, holderSets, fc.integer({ min: 1, max: 10 }), (present, away, k) => {
        const [here, there] = [present.slice(0, 3), away.slice(0, 5)];
        expect(devicesNeeded(holdersFrom(here).values(), holdersFrom(there, 3).values(), k)).toBe(
          slowNeed(here, there, k),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('does not follow the largest one into a worse choice', () => {
    const away = holdersFrom([
      [1, 2, 3, 4],
      [1, 2, 5],
      [3, 4, 6],
    ]);
    expect(devicesNeeded([], away.values(), 6)).toBe(2);
  });

  it('is none when enough is here, and undefined when all together are too few', () => {
    expect(devicesNeeded(holdersFrom([[0, 1]]).values(), [], 2)).toBe(0);
    expect(devicesNeeded(holdersFrom([[0]]).values(), holdersFrom([[0]], 1).values(), 2)).toBeUndefined();
  });
});

function slowMargin(sets: readonly (readonly number[])[], k: number): number {
  const holders = sets.filter((set) => set.length > 0);
  if (distinct(holders) < k) return -1;
  let fewestThatBreak = Infinity;
  for (let lost = 0; lost < 1 << holders.length; lost++) {
    if (distinct(holders.filter((_, index) => !((lost >> index) & 1))) < k)
      fewestThatBreak = Math.min(fewestThatBreak, bitCount(lost));
  }
  return fewestThatBreak - 1;
}

/** In a ring of pairs, `count` lost neighbours in a row take count - 1 fragments, spread ones take none. */
function slowRingMargin(devices: number, k: number): number {
  for (let lost = 0; lost <= devices; lost++) {
    const left = lost === 0 ? devices : lost === devices ? 0 : devices - (lost - 1);
    if (left < k) return lost - 1;
  }
  return devices;
}

function slowNeed(
  here: readonly (readonly number[])[],
  there: readonly (readonly number[])[],
  k: number,
): number | undefined {
  let fewest: number | undefined;
  for (let chosen = 0; chosen < 1 << there.length; chosen++) {
    const together = [...here, ...there.filter((_, index) => (chosen >> index) & 1)];
    if (distinct(together) >= k) fewest = Math.min(fewest ?? Infinity, bitCount(chosen));
  }
  return fewest;
}

function uniqueOf(set: readonly number[]): number[] {
  return [...new Set(set)];
}

/** Half of `count` fragments, another half for each seed. */
function randomHalf(seed: number, count: number): number[] {
  const bytes = seededBytes(count, 5_000 + seed);
  return Array.from({ length: count }, (_, fragment) => fragment).filter(
    (fragment) => (bytes[fragment] ?? 0) < 128,
  );
}

function distinct(sets: readonly (readonly number[])[]): number {
  return new Set(sets.flat()).size;
}

function bitCount(bits: number): number {
  return bits.toString(2).replaceAll('0', '').length;
}
