// A file with anchors: every pool of 2 to 20 devices besides up to 3 anchors, whoever is awake when it is
// stored and in whatever order the others come. No device ever holds k, no copy is dropped that was the last
// one, and once all were awake every device opens the file beside an anchor.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anchoredCounts } from '../../../../src/core/model/geometry.ts';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import { fragmentCap, MAX_ANCHORED_OTHERS } from '../../../../src/core/model/limits.ts';
import { anchoredMove } from '../../../../src/core/placement/anchored-move.ts';
import { anchoredMargin, canBeAnchored, NO_ANCHORS } from '../../../../src/core/placement/anchors.ts';
import { marginOf, reachOf } from '../../../../src/core/placement/health.ts';
import { planPlacement } from '../../../../src/core/placement/placement.ts';
import { HASTE, roomMove, spreadOf } from '../../../../src/core/placement/spread.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';

const DEVICE_IDS = indicesOf(23).map((at) => deviceIdOf(seededBytes(32, 700 + at)));
const OTHERS = DEVICE_IDS.slice(0, 20);
const ANCHORS = DEVICE_IDS.slice(20);
const MANY_STEPS = 2_000;

interface Drawn {
  readonly k: number;
  readonly n: number;
  readonly others: readonly DeviceId[];
  readonly anchors: readonly DeviceId[];
  readonly file: number;
}

/** One file in a pool, with what its rules say, and nothing else: every step is one copy or one drop. */
class Pool {
  readonly held: Map<DeviceId, Set<number>>;
  readonly awake = new Set<DeviceId>();
  readonly #drawn: Drawn;
  readonly #salt: Uint8Array;
  readonly #anchors: ReadonlySet<DeviceId>;
  #stepCount = 0;

  constructor(drawn: Drawn) {
    this.#drawn = drawn;
    this.#salt = seededBytes(32, drawn.file);
    this.#anchors = new Set(drawn.anchors);
    this.held = new Map([...drawn.anchors, ...drawn.others].map((device) => [device, new Set<number>()]));
  }

  /** Hands out what the storer still has; false while something has no home. */
  place(): boolean {
    const { k, n } = this.#drawn;
    const candidates = [...this.awake].map((device) => ({ device, freeBytes: 1e9 }));
    const homes = planPlacement({
      salt: this.#salt,
      k,
      fragments: indicesOf(n),
      fragmentBytes: 1,
      candidates,
      held: this.held,
      anchors: this.#anchors,
    });
    for (const [fragment, device] of homes) this.held.get(device)?.add(fragment);
    this.#check();
    return reachOf(this.held) === n;
  }

  /** Moves and drops among those that are awake, one after another, until nobody has anything to do. */
  untilRest(): void {
    for (let didAny = true; didAny;) {
      didAny = false;
      for (const self of this.awake) {
        if (!this.#step(self)) continue;
        expect(this.#stepCount++).toBeLessThan(MANY_STEPS);
        this.#check();
        didAny = true;
      }
    }
  }

  #step(self: DeviceId): boolean {
    const input = this.inputOf(self);
    const spread = spreadOf(input);
    const drop = spread.surplus.find(({ device }) => device === self);
    if (drop !== undefined) {
      this.#drop(self, drop.fragment);
      return true;
    }
    const move = anchoredMove(spread, input);
    if (move === undefined) return false;
    expect(this.held.get(move.to)?.has(move.fragment)).toBe(false);
    expect(this.held.get(self)?.has(move.fragment)).toBe(true);
    this.held.get(move.to)?.add(move.fragment);
    return true;
  }

  /** Before a copy goes, another device that is awake has it: distinct fragments never get fewer. */
  #drop(device: DeviceId, fragment: number): void {
    const isElsewhere = [...this.awake].some(
      (other) => other !== device && this.held.get(other)?.has(fragment) === true,
    );
    expect(isElsewhere).toBe(true);
    // In large pools the exact margin takes long.
    const isExact = this.#drawn.others.length <= 8;
    const margin = isExact ? marginOf(this.held, this.#drawn.k) : 0;
    this.held.get(device)?.delete(fragment);
    if (!isExact) return;
    const least = anchoredMargin(this.#drawn, this.#drawn.others.length);
    expect(marginOf(this.held, this.#drawn.k)).toBeGreaterThanOrEqual(Math.min(margin, 1, least));
  }

  inputOf(self: DeviceId) {
    return {
      file: { k: this.#drawn.k, n: this.#drawn.n, salt: this.#salt },
      holders: this.held,
      self,
      takers: [...this.awake].filter((device) => device !== self),
      isThere: (device: DeviceId) => this.awake.has(device),
      lacksHomes: false,
      hasteOf: () => HASTE.none,
      anchors: this.#anchors,
    };
  }

  #check(): void {
    const { k } = this.#drawn;
    for (const fragments of this.held.values()) expect(fragments.size).toBeLessThanOrEqual(fragmentCap(k));
    expect(reachOf(this.ofAnchors())).toBeLessThan(k);
  }

  ofAnchors(): Map<DeviceId, Set<number>> {
    return new Map([...this.held].filter(([device]) => this.#anchors.has(device)));
  }

  /** Whether this device and the anchors have k together. */
  opens(device: DeviceId): boolean {
    return reachOf(this.ofAnchors().set(device, this.held.get(device) ?? new Set())) >= this.#drawn.k;
  }
}

/** Every pool size, and for each of them several orders of waking. */
const pools = indicesOf(19).flatMap((at) => [1, 2, 3].map((anchorCount) => [at + 2, anchorCount] as const));

describe('a file of its own geometry', () => {
  it.each(pools)('in a pool of %d devices and %d anchors', (otherCount, anchorCount) => {
    const { k, n } = anchoredCounts(otherCount);
    const others = OTHERS.slice(0, otherCount);
    const anchors = ANCHORS.slice(0, anchorCount);
    fc.assert(
      fc.property(
        fc.nat(1_000),
        fc.shuffledSubarray([...others, ...anchors], { minLength: otherCount + anchorCount }),
        fc.nat(otherCount + anchorCount),
        (file, order, awakeCount) => {
          const pool = new Pool({ k, n, others, anchors, file });
          for (const device of order.slice(0, awakeCount)) pool.awake.add(device);
          let isPlaced = pool.place();
          for (const device of order.slice(awakeCount)) {
            if (isPlaced) pool.untilRest();
            pool.awake.add(device);
            isPlaced = isPlaced || pool.place();
          }
          expect(isPlaced).toBe(true);
          pool.untilRest();
          for (const anchor of anchors) expect(pool.held.get(anchor)?.size).toBe(k - 1);
          expect(reachOf(pool.ofAnchors())).toBe(k - 1);
          for (const other of others) {
            expect(pool.held.get(other)?.size).toBe(1);
            expect(pool.opens(other)).toBe(true);
          }
          const without = new Map([...pool.held].filter(([device]) => !anchors.includes(device)));
          expect(marginOf(without, k)).toBe(Math.min(2, otherCount - 2));
        },
      ),
      { numRuns: Math.ceil(12 / otherCount) },
    );
  });

  it('grows with the devices besides, up to a bound', () => {
    expect([0, 1, 2, 3, 4, 5, 9, 20, 21].map(anchoredCounts)).toEqual([
      { k: 2, n: 3 },
      { k: 2, n: 3 },
      { k: 2, n: 3 },
      { k: 2, n: 4 },
      { k: 2, n: 5 },
      { k: 3, n: 7 },
      { k: 7, n: 15 },
      { k: 18, n: 37 },
      { k: 18, n: 37 },
    ]);
    for (let count = 4; count <= MAX_ANCHORED_OTHERS; count++) {
      const counts = anchoredCounts(count);
      expect(canBeAnchored(counts)).toBe(true);
      expect(anchoredMargin(counts, count)).toBe(3);
    }
  });
});

describe('a file that was there before', () => {
  const drawn = fc
    .record({ k: fc.integer({ min: 2, max: 8 }), spare: fc.nat(8), file: fc.nat(1_000) })
    .chain(({ k, spare, file }) =>
      fc.record({
        k: fc.constant(k),
        n: fc.constant(k === 2 ? k + 1 + spare : 2 * k + spare),
        file: fc.constant(file),
        otherCount: fc.integer({ min: 3, max: 12 }),
        anchorCount: fc.integer({ min: 1, max: 3 }),
        /** Homes of the fragments, and of second copies. */
        homes: fc.array(fc.nat(14), { minLength: 32, maxLength: 32 }),
        copies: fc.array(fc.tuple(fc.nat(30), fc.nat(14)), { maxLength: 8 }),
      }),
    );

  it('comes to rest with k - 1 on its anchors and the others spread, whatever it begins with', () => {
    fc.assert(
      fc.property(drawn, ({ k, n, file, otherCount, anchorCount, homes, copies }) => {
        const others = OTHERS.slice(0, otherCount);
        const anchors = ANCHORS.slice(0, anchorCount);
        const pool = new Pool({ k, n, others, anchors, file });
        const all = [...others, ...anchors];
        const give = (fragment: number, at: number): void => {
          const held = pool.held.get(itemAt(all, at % all.length));
          if (held !== undefined && held.size < fragmentCap(k)) held.add(fragment);
        };
        for (const [fragment, at] of homes.slice(0, n).entries()) give(fragment, at);
        for (const [fragment, at] of copies) give(fragment % n, at);
        fc.pre(reachOf(pool.held) === n);
        // Anchors that held different fragments before may have k together, until they gave them away.
        fc.pre(reachOf(pool.ofAnchors()) < k);
        const before = marginOf(pool.held, k);
        for (const device of all) pool.awake.add(device);
        pool.untilRest();
        for (const anchor of anchors) expect(pool.held.get(anchor)?.size).toBe(k - 1);
        const openingCount = others.filter((device) => pool.opens(device)).length;
        expect(openingCount).toBeGreaterThanOrEqual(Math.min(otherCount, n - k + 1));
        expect(marginOf(pool.held, k)).toBeGreaterThanOrEqual(
          Math.min(before, anchoredMargin({ k, n }, otherCount)),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('stays spread if the loss of its anchor and of one more would lose it', () => {
    expect(
      [
        [4, 8],
        [4, 7],
        [2, 3],
        [2, 2],
        [1, 3],
      ].map(([k = 0, n = 0]) => canBeAnchored({ k, n })),
    ).toEqual([true, false, true, true, false]);
  });
});

describe('an anchor', () => {
  const [a, b, c] = OTHERS;
  const [anchor] = ANCHORS;
  const base = { file: { k: 4, n: 8, salt: seededBytes(32, 1) }, isThere: () => true, lacksHomes: false };

  it('keeps what it is to hold where a copy lies elsewhere, unless it is full', () => {
    if (a === undefined || b === undefined || c === undefined || anchor === undefined) throw new Error();
    const holders = new Map([
      [anchor, new Set([0, 1, 2])],
      [a, new Set([2, 3])],
      [b, new Set([4, 5])],
      [c, new Set([6, 7])],
    ]);
    const input = { ...base, holders, hasteOf: () => HASTE.none, anchors: new Set([anchor]) };
    expect(spreadOf(input).surplus).toEqual([{ device: a, fragment: 2 }]);
    const isFull = (device: DeviceId) => (device === anchor ? HASTE.full : HASTE.none);
    expect(spreadOf({ ...input, hasteOf: isFull }).surplus).toEqual([{ device: anchor, fragment: 2 }]);
    const spread = spreadOf({ ...input, anchors: NO_ANCHORS });
    expect(spread.surplus).toEqual([{ device: anchor, fragment: 2 }]);
  });

  it('lets no device drop the fragment by which it opens the file, until that has another', () => {
    if (a === undefined || b === undefined || c === undefined || anchor === undefined) throw new Error();
    const holders = new Map([
      [anchor, new Set([0, 1, 2])],
      [a, new Set([3])],
      [b, new Set([3])],
      [c, new Set([4, 5, 6, 7].slice(0, 3))],
    ]);
    const input = { ...base, file: { ...base.file, n: 7 }, holders, hasteOf: () => HASTE.none };
    const anchored = { ...input, anchors: new Set([anchor]) };
    expect(spreadOf(anchored).surplus).toEqual([]);
    expect(spreadOf({ ...input, anchors: NO_ANCHORS }).surplus.length).toBe(1);
    // The third gives one to whichever of the two would drop.
    const move = anchoredMove(spreadOf(anchored), { ...anchored, self: c, takers: [a, b] });
    const to = move?.to ?? a;
    expect([a, b]).toContain(move?.to);
    holders.get(to)?.add(4);
    expect(spreadOf(anchored).surplus).toContainEqual({ device: to, fragment: 3 });
  });

  it('is given nothing by a device that makes room, and makes room itself', () => {
    if (a === undefined || b === undefined || c === undefined || anchor === undefined) throw new Error();
    const holders = new Map([
      [anchor, new Set([0, 1])],
      [a, new Set([2, 3])],
      [b, new Set([4, 5])],
      [c, new Set([6, 7])],
    ]);
    const input = { ...base, holders, hasteOf: () => HASTE.none, anchors: new Set([anchor]) };
    const give = (self: DeviceId, takers: readonly DeviceId[]) =>
      roomMove(spreadOf(input), { ...input, self, takers })?.to;
    expect(give(a, [anchor])).toBeUndefined();
    expect(give(a, [anchor, b])).toBe(b);
    expect(give(anchor, [b])).toBe(b);
  });
});
