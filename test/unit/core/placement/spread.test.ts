// Which second copies can go, and which fragments move: always toward an even spread, never below the margin,
// and never in circles.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { fragmentCap } from '../../../../src/core/model/limits.ts';
import { NO_ANCHORS } from '../../../../src/core/placement/anchors.ts';
import { marginOf, reachOf } from '../../../../src/core/placement/health.ts';
import { evenMargin, evenMove, HASTE, roomMove, spreadOf } from '../../../../src/core/placement/spread.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const salt = seededBytes(16, 9);
const FILE = { k: 4, n: 8, salt };

function inputOf(held: readonly (readonly number[])[], hastes: readonly number[] = []) {
  const ids = held.map((_, at) => deviceAt(at).deviceId);
  const holders = new Map(held.map((fragments, at) => [itemAt(ids, at), new Set(fragments)]));
  const hasteOf = (device: DeviceId): number => hastes[ids.indexOf(device)] ?? HASTE.none;
  return { file: FILE, holders, isThere: () => true, hasteOf, anchors: NO_ANCHORS, lacksHomes: false };
}

const countsAfter = (input: ReturnType<typeof inputOf>): number[] =>
  Array.from(spreadOf(input).after.values(), ({ size }) => size);

describe('second copies', () => {
  it('go from the fuller devices, so that each fragment stays once', () => {
    const input = inputOf([[0], [1], [2, 6], [3, 7], [4], [5], [6], [7]]);
    expect(
      spreadOf(input)
        .surplus.map(({ fragment }) => fragment)
        .toSorted((a, b) => a - b),
    ).toEqual([6, 7]);
    expect(countsAfter(input)).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('stay where the others are away', () => {
    const input = inputOf([[0, 1], [1], [2], [3], [4], [5], [6], [7]]);
    const isThere = (device: DeviceId): boolean => device !== deviceAt(1).deviceId;
    expect(spreadOf({ ...input, isThere }).surplus).toEqual([]);
  });

  it('stay where only they let any one device be lost', () => {
    // Five fragments on three devices: without copies, two go with one device.
    const held = [
      [0, 1, 4],
      [2, 3],
      [4, 0],
    ];
    const input = { ...inputOf(held), file: { k: 4, n: 5, salt } };
    const { after } = spreadOf(input);
    expect(marginOf(after, 4)).toBe(marginOf(input.holders, 4));
  });

  describe('where each device has as much as it may, and some of the file is missing,', () => {
    const full = { ...inputOf([[0], [0], [1], [2], [3], [3]]), file: { k: 2, n: 6, salt }, lacksHomes: true };

    it('one makes room for what repair rebuilds, though the file survives fewer losses meanwhile', () => {
      const { surplus, after } = spreadOf(full);
      expect(surplus).toHaveLength(1);
      expect([0, 3]).toContain(surplus[0]?.fragment);
      expect(marginOf(full.holders, 2)).toBe(3);
      expect(marginOf(after, 2)).toBe(2);
      // Each concludes the same, so only one goes.
      const reordered = new Map([...full.holders].toReversed());
      expect(spreadOf({ ...full, holders: reordered }).surplus).toEqual(surplus);
    });

    it('all stay that repair has a home without, or that no repair would replace', () => {
      expect(spreadOf({ ...full, lacksHomes: false }).surplus).toEqual([]);
      const enough = inputOf([[0], [0], [1], [1], [2], [3], [4], [5]]);
      expect(spreadOf({ ...enough, file: { k: 2, n: 8, salt }, lacksHomes: true }).surplus).toEqual([]);
    });

    it('the one stays by which the file survives any loss', () => {
      const few = inputOf([[0], [0], [1], [1]]);
      expect(spreadOf({ ...few, file: full.file, lacksHomes: true }).surplus).toEqual([]);
    });
  });

  it('go first from a device that leaves, then from one that is nearly full', () => {
    const held = [[0, 1], [0, 2], [3], [4], [5]];
    const dropper = (...hastes: number[]): DeviceId | undefined =>
      spreadOf({ ...inputOf(held, hastes), file: { k: 4, n: 6, salt } }).surplus[0]?.device;
    expect(dropper(HASTE.full)).toBe(deviceAt(0).deviceId);
    expect(dropper(HASTE.none, HASTE.full)).toBe(deviceAt(1).deviceId);
    expect(dropper(HASTE.leaving, HASTE.full)).toBe(deviceAt(0).deviceId);
  });

  it('never take a fragment away, nor the margin that an even spread has', () => {
    const device = fc.uniqueArray(fc.nat({ max: 7 }), { maxLength: fragmentCap(4) });
    fc.assert(
      fc.property(fc.array(device, { minLength: 1, maxLength: 8 }), (held) => {
        const input = inputOf(held);
        const { after, surplus } = spreadOf(input);
        expect(reachOf(after)).toBe(reachOf(input.holders));
        const deviceCount = held.filter(({ length }) => length > 0).length;
        const least = Math.min(marginOf(input.holders, 4), Math.max(1, evenMargin(FILE, deviceCount)));
        expect(marginOf(after, 4)).toBeGreaterThanOrEqual(least);
        // At every step on the way, too.
        const onTheWay = new Map(Array.from(input.holders, ([id, has]) => [id, new Set(has)] as const));
        for (const { device: id, fragment } of surplus) {
          onTheWay.get(id)?.delete(fragment);
          expect(marginOf(onTheWay, 4)).toBeGreaterThanOrEqual(least);
        }
      }),
    );
  });
});

describe('moves', () => {
  const ids = Array.from({ length: 8 }, (_, at) => deviceAt(at).deviceId);

  /** Moves one fragment after another until no device has one to give. Returns the counts. */
  function untilRest(held: readonly (readonly number[])[]): number[] {
    let now = held.map((fragments) => [...fragments]);
    for (let moveCount = 0; ; moveCount++) {
      expect(moveCount).toBeLessThan(64);
      const input = inputOf(now);
      const moves = ids.flatMap((self) => {
        const takers = ids.filter((id) => id !== self);
        const move = evenMove(spreadOf(input), { ...input, self, takers });
        return move?.turn === 0 ? [{ self, ...move }] : [];
      });
      const [move] = moves;
      if (move === undefined) return now.map(({ length }) => length).toSorted((a, b) => b - a);
      now = now.map((fragments, at) => {
        if (ids[at] === move.self) return fragments.filter((each) => each !== move.fragment);
        return ids[at] === move.to ? [...fragments, move.fragment] : fragments;
      });
    }
  }

  it('fill new devices from those that hold several', () => {
    expect(untilRest([[0, 1, 2], [3, 4, 5], [6, 7], [], [], [], [], []])).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it('end where the file survives as many losses as it ever can', () => {
    const share = fc.nat({ max: 7 });
    fc.assert(
      fc.property(fc.array(share, { minLength: 8, maxLength: 8 }), (homes) => {
        const held = ids.map((_, at) => homes.flatMap((home, fragment) => (home === at ? [fragment] : [])));
        fc.pre(held.every(({ length }) => length <= fragmentCap(4)));
        const counts = untilRest(held);
        const holders = new Map(
          counts.map((count, at) => {
            const before = counts.slice(0, at).reduce((sum, each) => sum + each, 0);
            return [itemAt(ids, at), new Set(Array.from({ length: count }, (_, each) => before + each))];
          }),
        );
        expect(marginOf(holders, 4)).toBe(evenMargin(FILE, 8));
      }),
    );
  });

  it('do not begin where they make nothing safer', () => {
    const input = inputOf([[0, 1, 2], [3, 4, 5], [6, 7], []]);
    const mover = (takers: readonly DeviceId[]) =>
      ids.slice(0, 3).map((self) => evenMove(spreadOf(input), { ...input, self, takers }));
    expect(mover([]).filter((move) => move !== undefined)).toEqual([]);
    // One of the two fullest comes first; the third has its turn when they hold no more than it does.
    const turns = mover([itemAt(ids, 3)]).map((move) => move?.turn);
    expect(turns.filter((turn) => turn !== undefined).toSorted((a, b) => a - b)).toEqual([0, 1]);
  });

  it('make room only where the file survives as much', () => {
    const input = inputOf([[0], [1], [2], [3], [4], [5], [6], [7]]);
    const self = itemAt(ids, 0);
    // With two on one device, four devices could no longer be lost.
    expect(roomMove(spreadOf(input), { ...input, self, takers: ids.slice(1) })).toBeUndefined();
    const nine = inputOf([[0, 1], [2], [3, 4], [5], [6], [7], [], []]);
    const move = roomMove(spreadOf(nine), { ...nine, self, takers: ids.slice(1) });
    expect([itemAt(ids, 6), itemAt(ids, 7)]).toContain(move?.to);
  });
});
