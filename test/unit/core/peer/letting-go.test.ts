// Copies that go because another device proved the same fragment: however requests and proofs cross, one copy
// stays; a proof that comes too late counts for nothing.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { CHALLENGE_DEADLINE_MS, MAX_PLEDGES } from '../../../../src/core/model/limits.ts';
import { LettingGo, PLEDGE_MS } from '../../../../src/core/peer/letting-go.ts';
import { deviceAt, fileIdAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const FILE = fileIdAt(0);
const PLACE = { file: FILE, fragment: 3 };
const [A, B] = [deviceAt(0).deviceId, deviceAt(1).deviceId];
const LONG_MS = 10 * PLEDGE_MS;

/** What a holder may do about the fragment at any time. */
interface Step {
  readonly atMs: number;
  readonly dropper: number;
  /** Whom it asks. */
  readonly keepers: readonly number[];
  /** How long its challenge and the answer travel. */
  readonly thereMs: number;
  readonly backMs: number;
}

/** Few times, close to each other, so that many things happen between a challenge and its proof. */
const halfSeconds = (most: number): fc.Arbitrary<number> =>
  fc.nat({ max: most / 500 }).map((half) => half * 500);

const step = (holderCount: number): fc.Arbitrary<Step> =>
  fc.record({
    atMs: halfSeconds(12_000),
    dropper: fc.nat({ max: holderCount - 1 }),
    keepers: fc.uniqueArray(fc.nat({ max: holderCount - 1 }), { minLength: 1, maxLength: 2 }),
    thereMs: halfSeconds(CHALLENGE_DEADLINE_MS),
    backMs: halfSeconds(CHALLENGE_DEADLINE_MS),
  });

/** Holders of one fragment, each of which tries to drop its copy at any time. */
class Holders {
  readonly ids: readonly DeviceId[];
  readonly holding: Set<DeviceId>;
  readonly #parts: ReadonlyMap<DeviceId, LettingGo>;
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(count: number) {
    this.ids = Array.from({ length: count }, (_, index) => deviceAt(index).deviceId);
    this.holding = new Set(this.ids);
    const challenges = { canProve: () => true, want: () => 1 };
    this.#parts = new Map(this.ids.map((id) => [id, new LettingGo(id, challenges)]));
    for (const part of this.#parts.values()) part.keepUntilMs(-LONG_MS, FILE, PLACE.fragment);
  }

  plan({ atMs, dropper, keepers, thereMs, backMs }: Step): void {
    const self = itemAt(this.ids, dropper);
    const asked = keepers.map((at) => itemAt(this.ids, at)).filter((id) => id !== self);
    this.#at(atMs, () => {
      if (!this.holding.has(self)) return;
      const claims = new Map(asked.map((id) => [id, new Set([PLACE.fragment])]));
      if (!this.#part(self).begin(atMs, FILE, claims)) return;
      for (const keeper of asked) this.#ask(atMs, self, keeper, thereMs, backMs);
    });
  }

  run(check: () => void): void {
    while (this.#events.length > 0) {
      this.#events.sort((a, b) => a.atMs - b.atMs);
      this.#events.shift()?.run();
      check();
    }
  }

  #ask(sentMs: number, self: DeviceId, keeper: DeviceId, thereMs: number, backMs: number): void {
    const arrivedMs = sentMs + thereMs;
    this.#at(arrivedMs, () => {
      const isProved = this.holding.has(keeper) && this.#part(keeper).challenged(arrivedMs, self, PLACE);
      const answeredMs = Math.min(arrivedMs + backMs, sentMs + CHALLENGE_DEADLINE_MS);
      const isInTime = arrivedMs + backMs <= sentMs + CHALLENGE_DEADLINE_MS;
      this.#at(answeredMs, () => {
        const outcome = isProved && isInTime ? 'proved' : 'silent';
        if (this.#part(self).judged({ device: keeper, place: PLACE, outcome })) this.holding.delete(self);
      });
    });
  }

  #part(id: DeviceId): LettingGo {
    const part = this.#parts.get(id);
    if (part === undefined) throw new Error('expected a holder');
    return part;
  }

  #at(atMs: number, run: () => void): void {
    this.#events.push({ atMs, run });
  }
}

describe('a copy that goes because another device has one', () => {
  it('is never the last, however challenges and proofs of all holders cross', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 2, max: 4 })
          .chain((count) =>
            fc.tuple(fc.constant(count), fc.array(step(count), { minLength: 2, maxLength: 12 })),
          ),
        ([count, steps]) => {
          const holders = new Holders(count);
          for (const each of steps) holders.plan(each);
          holders.run(() => {
            if (holders.holding.size === 0) throw new Error('no copy is left');
          });
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('goes although both asked each other: one of the two refuses', () => {
    const dropped: DeviceId[] = [];
    const parts = [A, B].map((id) => new LettingGo(id, { canProve: () => true, want: () => 1 }));
    const [first, second] = [itemAt(parts, 0), itemAt(parts, 1)];
    for (const [part, other] of [
      [first, B],
      [second, A],
    ] as const) {
      part.keepUntilMs(-LONG_MS, FILE, 3);
      expect(part.begin(0, FILE, new Map([[other, new Set([3])]]))).toBe(true);
    }
    const proofOfB = second.challenged(1, A, PLACE);
    const proofOfA = first.challenged(1, B, PLACE);
    expect([proofOfA, proofOfB]).toEqual([false, true]);
    if (first.judged({ device: B, place: PLACE, outcome: 'proved' })) dropped.push(A);
    if (second.judged({ device: A, place: PLACE, outcome: 'silent' })) dropped.push(B);
    expect(dropped).toEqual([A]);
  });
});

describe('a proof is a promise to keep the fragment', () => {
  const some = new Map([[B, new Set([3])]]);
  const made = (): LettingGo => {
    const part = new LettingGo(A, { canProve: () => true, want: () => 1 });
    part.keepUntilMs(-LONG_MS, FILE, 3);
    return part;
  };

  it('for longer than anybody may wait for it', () => {
    const part = made();
    expect(part.challenged(0, B, PLACE)).toBe(true);
    expect(part.begin(PLEDGE_MS - 1, FILE, some)).toBe(false);
    expect(part.begin(PLEDGE_MS, FILE, some)).toBe(true);
    expect(PLEDGE_MS).toBeGreaterThan(2 * CHALLENGE_DEADLINE_MS);
  });

  it('that an earlier page may have given as well', () => {
    const part = new LettingGo(A, { canProve: () => true, want: () => 1 });
    expect(part.begin(1_000, FILE, some)).toBe(false);
    expect(part.begin(1_000 + PLEDGE_MS, FILE, some)).toBe(true);
  });

  it('of which it remembers no more than it may: with too many it keeps everything', () => {
    const part = made();
    for (let index = 0; index < MAX_PLEDGES; index++)
      part.challenged(0, B, { file: fileIdAt(1 + (index >> 6)), fragment: index & 63 });
    expect(part.keepUntilMs(1, FILE, 3)).toBeLessThanOrEqual(1);
    part.challenged(1, B, { file: FILE, fragment: 4 });
    expect(part.keepUntilMs(1, FILE, 3)).toBe(1 + PLEDGE_MS);
  });

  it('that a device gives to nobody while it leaves', () => {
    const part = made();
    part.isLeaving = true;
    expect(part.challenged(0, B, PLACE)).toBe(false);
  });
});

describe('an attempt to drop', () => {
  const some = new Map([[B, new Set([3])]]);

  it.each<[string, (part: LettingGo) => void]>([
    ['the clock jumped: the device may have slept', (part) => part.clockJumped()],
    ['this device gave a proof meanwhile', (part) => void part.challenged(1, deviceAt(2).deviceId, PLACE)],
    ['it took too long', (part) => void part.expired(60_000)],
    ['the file is gone', (part) => part.forget(FILE)],
  ])('is over once %s', (_, interrupt) => {
    const part = new LettingGo(A, { canProve: () => true, want: () => 1 });
    part.keepUntilMs(-LONG_MS, FILE, 3);
    expect(part.begin(0, FILE, some)).toBe(true);
    interrupt(part);
    expect(part.judged({ device: B, place: PLACE, outcome: 'proved' })).toBe(false);
  });
});
