// The read plan on virtual time, against holders that answer, lag, stall, fail, leave and come back: whatever
// they do, a read completes within its bounds if k fragments of each segment allow it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import type { ReadEffect, ReadInput } from '../../../../src/core/reading/read-events.ts';
import { ReadPlan, type ReadPlanOptions } from '../../../../src/core/reading/read-plan.ts';
import { deviceAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const HEDGE_MS = 1_500;
const PATIENCE_MS = 3_000;
const DEADLINE_MS = 10_000;
const MAX_ASKED_PER_DEVICE = 16;
const SELF = deviceAt(7).deviceId;
const A = deviceAt(0).deviceId;
const B = deviceAt(1).deviceId;
const C = deviceAt(2).deviceId;
const D = deviceAt(3).deviceId;

type Outcome = 'arrives' | 'fails' | 'fails-for-good';
/** What a device does with one request: when, ms after it, and what. */
type Holder = (ask: {
  readonly segment: number | undefined;
  readonly fragment: number;
  readonly turn: number;
}) => {
  readonly afterMs: number;
  readonly outcome: Outcome;
};

const answersIn =
  (afterMs: number): Holder =>
  () => ({ afterMs, outcome: 'arrives' });
/** Takes requests and never answers; the caller's deadline ends them. */
const stalled: Holder = () => ({ afterMs: DEADLINE_MS, outcome: 'fails' });

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

interface InFlight {
  readonly device: DeviceId;
  readonly isIndex: boolean;
  readonly fragment: number;
  /** Set by stop-block, or when the link is lost. */
  ended: boolean;
}

/** Carries a plan's effects out on virtual time, and checks its bounds at every step. */
class Reading {
  readonly plan: ReadPlan;
  readonly options: ReadPlanOptions;
  readonly asks: ReadEffect[] = [];
  readonly holders: ReadonlyMap<DeviceId, Holder>;
  /** Segments whose blocks are lost before they are opened, once. */
  readonly losing = new Set<number>();
  /** Fragments whose blocks, of this segment, do not fit their hashes; found when the segment is complete. */
  readonly damaged = new Map<number, Set<number>>();
  nowMs = 0;
  takenCount = 0;
  starved: number | undefined;
  starvedCount = 0;
  #sources: ReadonlyMap<number, readonly DeviceId[]> = new Map();
  readonly #events: Event[] = [];
  readonly #inFlight = new Map<string, InFlight>();
  readonly #turns = new Map<string, number>();
  readonly #indexed = new Set<number>();
  /** By segment and fragment: the device that brought it. */
  readonly #got = new Map<number, Map<number, DeviceId>>();
  readonly #complete = new Set<number>();
  readonly #takeAfterMs: number;

  constructor(options: Partial<ReadPlanOptions>, holders: ReadonlyMap<DeviceId, Holder>, takeAfterMs = 0) {
    this.options = {
      self: SELF,
      k: 2,
      n: 4,
      firstSegment: 0,
      endSegment: 1,
      windowSegments: 4,
      ...options,
    };
    this.plan = new ReadPlan(this.options);
    this.holders = holders;
    this.#takeAfterMs = takeAfterMs;
  }

  get done(): boolean {
    return this.takenCount === this.options.endSegment - this.options.firstSegment;
  }

  sources(sources: ReadonlyMap<number, readonly DeviceId[]>): void {
    this.#sources = sources;
    this.input({ kind: 'sources', sources });
    for (const [key, ask] of this.#inFlight) {
      const [segment, fragment] = key.split('/');
      if (ask.ended || sources.get(Number(fragment))?.includes(ask.device) === true) continue;
      ask.ended = true; // its link closed
      this.#fail(segment, Number(fragment), ask.device, false);
    }
  }

  at(atMs: number, run: () => void): void {
    const later = this.#events.findIndex((event) => event.atMs > atMs);
    this.#events.splice(later === -1 ? this.#events.length : later, 0, { atMs, run });
  }

  input(input: ReadInput): void {
    for (const effect of this.plan.handle(this.nowMs, input)) this.#carryOut(effect);
  }

  /** Runs until the file is read or starved, or `limitMs`. */
  run(limitMs = 600_000): this {
    while (!this.done && this.starved === undefined) {
      const deadlineMs = this.plan.nextDeadlineMs();
      const [event] = this.#events;
      const nextMs = Math.max(this.nowMs, Math.min(deadlineMs, event?.atMs ?? Infinity));
      if (nextMs > limitMs) return this;
      this.nowMs = nextMs;
      if (event !== undefined && event.atMs <= nextMs) {
        this.#events.shift();
        event.run();
      } else {
        this.input({ kind: 'tick' });
        if (this.plan.nextDeadlineMs() <= this.nowMs) throw new Error('a tick left its deadline in the past');
      }
    }
    return this;
  }

  #carryOut(effect: ReadEffect): void {
    switch (effect.kind) {
      case 'ask-index':
        this.asks.push(effect);
        check(!this.#indexed.has(effect.fragment), 'an index is asked for that is here');
        this.#begin('index', undefined, effect.fragment, effect.device);
        break;
      case 'ask-block': {
        this.asks.push(effect);
        const first = this.options.firstSegment + this.takenCount;
        const end = Math.min(first + this.options.windowSegments, this.options.endSegment);
        check(effect.segment >= first && effect.segment < end, 'a segment outside the window');
        check(this.#indexed.has(effect.fragment), 'a block of a fragment without its index');
        check(
          this.#got.get(effect.segment)?.has(effect.fragment) !== true,
          'a fragment twice for one segment',
        );
        check(!this.#complete.has(effect.segment), 'a block for a segment that is complete');
        const same = this.#inFlight.get(`${effect.segment}/${effect.fragment}`);
        check(same === undefined || same.ended, 'a block was asked for twice at once');
        this.#begin(`${effect.segment}`, effect.segment, effect.fragment, effect.device);
        break;
      }
      case 'stop-block': {
        const ask = this.#inFlight.get(`${effect.segment}/${effect.fragment}`);
        check(ask?.ended === false, 'a block is stopped that was not asked for');
        if (ask !== undefined) ask.ended = true;
        break;
      }
      case 'complete': {
        if (this.#findDamaged(effect.segment)) break;
        check(this.#got.get(effect.segment)?.size === this.options.k, 'complete without k blocks');
        check(!this.#complete.has(effect.segment), 'complete twice');
        this.#complete.add(effect.segment);
        this.at(this.nowMs + this.#takeAfterMs, () => this.#take());
        break;
      }
      case 'starved':
        this.starved = effect.reach;
        this.starvedCount += 1;
        break;
    }
  }

  #begin(name: string, segment: number | undefined, fragment: number, device: DeviceId): void {
    check(this.#sources.get(fragment)?.includes(device) === true, 'a device that is no source');
    const key = `${name}/${fragment}`;
    const ask: InFlight = { device, isIndex: segment === undefined, fragment, ended: false };
    // Another device is asked for the same index. The first may still answer, and does no harm.
    this.#inFlight.set(key, ask);
    // An index that came from elsewhere is no longer waited for: the request does not count.
    const load = [...this.#inFlight.values()].filter(
      (other) =>
        other.device === device && !other.ended && !(other.isIndex && this.#indexed.has(other.fragment)),
    );
    check(load.length <= MAX_ASKED_PER_DEVICE, `${load.length} blocks asked of one device`);
    const turnKey = `${key}@${device}`;
    const turn = this.#turns.get(turnKey) ?? 0;
    this.#turns.set(turnKey, turn + 1);
    const holder = this.holders.get(device);
    if (holder === undefined) throw new Error('only holders may be asked');
    const { afterMs, outcome } = holder({ segment, fragment, turn });
    this.at(this.nowMs + afterMs, () => {
      if (this.#inFlight.get(key) === ask) this.#inFlight.delete(key);
      if (ask.ended) return;
      ask.ended = true;
      if (outcome !== 'arrives') this.#fail(name, fragment, device, outcome === 'fails-for-good');
      else if (segment === undefined) {
        this.#indexed.add(fragment);
        this.input({ kind: 'index', fragment });
      } else {
        this.#got.set(segment, (this.#got.get(segment) ?? new Map<number, DeviceId>()).set(fragment, device));
        this.input({ kind: 'block', segment, fragment });
      }
    });
  }

  #fail(name: string | undefined, fragment: number, device: DeviceId, forGood: boolean): void {
    if (name === 'index') this.input({ kind: 'index-failed', fragment, device, forGood });
    else this.input({ kind: 'block-failed', segment: Number(name), fragment, device, forGood });
  }

  #findDamaged(segment: number): boolean {
    const got = this.#got.get(segment) ?? new Map<number, DeviceId>();
    const found = [...got].filter(([fragment]) => this.damaged.get(segment)?.has(fragment) === true);
    for (const [fragment] of found) got.delete(fragment);
    this.at(this.nowMs, () => {
      for (const [fragment, device] of found) this.input({ kind: 'unsound', segment, fragment, device });
    });
    return found.length > 0;
  }

  /** The reader takes complete segments in order; those it is to lose are read again. */
  #take(): void {
    for (;;) {
      const segment = this.options.firstSegment + this.takenCount;
      if (!this.#complete.has(segment)) return;
      if (this.losing.delete(segment)) {
        this.#complete.delete(segment);
        this.#got.delete(segment);
        this.input({ kind: 'lost', segment });
        return;
      }
      this.takenCount += 1;
      this.input({ kind: 'taken' });
    }
  }
}

/** Like `expect`, but cheap: it runs some hundred thousand times. */
function check(holds: boolean, what: string): void {
  if (!holds) expect.fail(what);
}

/** Fragment i on device i. */
const ONE_EACH: ReadonlyMap<number, readonly DeviceId[]> = new Map([
  [0, [A]],
  [1, [B]],
  [2, [C]],
  [3, [D]],
]);

function holdersOf(...holders: readonly Holder[]): Map<DeviceId, Holder> {
  return new Map(holders.map((holder, index) => [deviceAt(index).deviceId, holder]));
}

describe('when all answer', () => {
  it('k data fragments are asked for, and no more', () => {
    const reading = new Reading({ endSegment: 6 }, holdersOf(...[5, 5, 5, 5].map(answersIn)));
    reading.sources(ONE_EACH);
    reading.run();
    expect(reading.done).toBe(true);
    expect(reading.asks).toHaveLength(2 + 6 * 2);
    expect(new Set(reading.asks.map((ask) => ('fragment' in ask ? ask.fragment : -1)))).toEqual(
      new Set([0, 1]),
    );
  });

  it('the whole window is asked for, and the next segment when one is taken', () => {
    const reading = new Reading(
      { endSegment: 9, windowSegments: 3 },
      holdersOf(...[5, 5, 5, 5].map(answersIn)),
    );
    reading.sources(ONE_EACH);
    reading.run(5);
    expect(segmentsAsked(reading)).toEqual([0, 1, 2]);
    reading.run(10);
    expect(segmentsAsked(reading)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('a range reads only its segments', () => {
    const reading = new Reading(
      { firstSegment: 7, endSegment: 9 },
      holdersOf(...[5, 5, 5, 5].map(answersIn)),
    );
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    expect(segmentsAsked(reading)).toEqual([7, 8]);
  });

  it('local fragments are read locally', () => {
    const reading = new Reading(
      { endSegment: 20 },
      new Map([
        [SELF, answersIn(1)],
        [A, answersIn(1)],
      ]),
    );
    reading.sources(new Map([0, 1, 2].map((fragment) => [fragment, [A, SELF]])));
    expect(reading.run().done).toBe(true);
    expect(new Set(reading.asks.map((ask) => ('device' in ask ? ask.device : '')))).toEqual(new Set([SELF]));
  });
});

describe('blocks that are lost, or found damaged, before their segment is opened', () => {
  it('are asked for again, and no others', () => {
    const reading = new Reading({ endSegment: 6 }, holdersOf(...[5, 5, 5, 5].map(answersIn)));
    reading.losing.add(2);
    reading.sources(ONE_EACH);
    reading.run();
    expect(reading.done).toBe(true);
    expect(reading.asks).toHaveLength(2 + 6 * 2 + 2);
    expect(blocksAsked(reading, 2)).toHaveLength(4);
  });

  it('that do not fit their hashes are each asked for elsewhere, and the others stay', () => {
    const reading = new Reading({ endSegment: 6 }, holdersOf(...[5, 5, 5, 5].map(answersIn)));
    reading.damaged.set(2, new Set([0])).set(4, new Set([0, 1]));
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    expect(blocksAsked(reading, 2).map(({ device }) => device)).toHaveLength(3);
    expect(new Set(blocksAsked(reading, 4).map(({ device }) => device))).toEqual(new Set([A, B, C, D]));
    for (const segment of [0, 1, 3, 5]) expect(blocksAsked(reading, segment)).toHaveLength(2);
  });

  it('starve the read when no device has sound ones', () => {
    const reading = new Reading({ endSegment: 6 }, holdersOf(...[5, 5, 5, 5].map(answersIn)));
    reading.damaged.set(2, new Set([0, 1, 2]));
    reading.sources(ONE_EACH);
    expect(reading.run().starved).toBe(1);
  });

  it('are not asked of a device that cannot have them', () => {
    const lacksOne: Holder = ({ segment }) => ({
      afterMs: 5,
      outcome: segment === 2 ? 'fails-for-good' : 'arrives',
    });
    const reading = new Reading({ endSegment: 6 }, holdersOf(lacksOne, ...[5, 5, 5].map(answersIn)));
    reading.losing.add(2);
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    expect(blocksAsked(reading, 2).filter(({ device }) => device === A)).toHaveLength(1);
  });
});

describe('a holder that stalls', () => {
  it('costs one hedge delay, however long the file is', () => {
    const reading = new Reading(
      { endSegment: 300, windowSegments: 8 },
      holdersOf(answersIn(10), stalled, answersIn(10), answersIn(10)),
    );
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    const withoutMs = 300 * 10;
    expect(reading.nowMs).toBeGreaterThan(HEDGE_MS);
    expect(reading.nowMs).toBeLessThan(HEDGE_MS + withoutMs);
    const ofStalled = reading.asks.filter((ask) => 'device' in ask && ask.device === B);
    expect(ofStalled.length).toBeLessThanOrEqual(1 + MAX_ASKED_PER_DEVICE);
  });

  it('after it served well also costs one hedge delay', () => {
    let servedCount = 0;
    const tires: Holder = () =>
      (servedCount++ < 50 ? answersIn(10) : stalled)({ segment: 0, fragment: 0, turn: 0 });
    const reading = new Reading(
      { endSegment: 300, windowSegments: 8 },
      holdersOf(answersIn(10), tires, answersIn(10), answersIn(10)),
    );
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    expect(reading.nowMs).toBeLessThan(HEDGE_MS + 300 * 10);
  });

  it('is replaced by another holder of the same fragment when no other fragment is left', () => {
    const reading = new Reading({ n: 2 }, holdersOf(stalled, answersIn(10), answersIn(10)));
    reading.sources(
      new Map([
        [0, [A, C]],
        [1, [B]],
      ]),
    );
    expect(reading.run().done).toBe(true);
    expect(reading.nowMs).toBeLessThan(2 * HEDGE_MS + 100);
  });

  it('that comes back to life is used again when it is needed', () => {
    const wakes: Holder = ({ turn }) => ({ afterMs: turn === 0 ? 2_000 : 10, outcome: 'arrives' });
    const reading = new Reading({ n: 2, endSegment: 20 }, holdersOf(answersIn(10), wakes));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
      ]),
    );
    expect(reading.run().done).toBe(true);
  });
});

describe('a silent holder', () => {
  it('ends a read that needs it immediately, by name, also where others are too few without it', () => {
    const plan = new ReadPlan(new Reading({}, new Map()).options);
    plan.handle(0, { kind: 'sources', sources: new Map([[0, [A]]]) });
    const effects = plan.handle(4_000, { kind: 'silent', devices: new Set([A]) });
    expect(effects).toEqual([{ kind: 'starved', reach: 0, silent: [A] }]);
  });

  it('gives way to another holder of the same fragment, even one that lags', () => {
    const reading = new Reading({ k: 1, n: 1 }, holdersOf(stalled, stalled));
    reading.sources(new Map([[0, [A, B]]]));
    reading.run(2 * HEDGE_MS);
    expect(reading.asks).toEqual([
      { kind: 'ask-index', fragment: 0, device: A },
      { kind: 'ask-index', fragment: 0, device: B },
    ]);
    reading.input({ kind: 'silent', devices: new Set([B]) });
    expect(reading.asks.slice(2)).toEqual([{ kind: 'ask-index', fragment: 0, device: A }]);
    expect(reading.starved).toBeUndefined();
    reading.input({ kind: 'silent', devices: new Set([A, B]) });
    expect(reading.starved).toBe(0);
  });

  it('is asked for nothing more while others are asked', () => {
    const reading = new Reading(
      { endSegment: 9 },
      holdersOf(answersIn(10), stalled, answersIn(10), answersIn(10)),
    );
    reading.sources(ONE_EACH);
    reading.input({ kind: 'silent', devices: new Set([B]) });
    const before = reading.asks.length;
    expect(reading.run().done).toBe(true);
    expect(reading.asks.slice(before).some((ask) => 'device' in ask && ask.device === B)).toBe(false);
  });
});

describe('several holders that stall', () => {
  it('are not tried one after the other: at the first delay one more is asked than needed', () => {
    const reading = new Reading({}, holdersOf(answersIn(10), stalled, stalled, answersIn(10)));
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    expect(reading.nowMs).toBeLessThan(HEDGE_MS + 100);
  });
});

describe('a holder that fails', () => {
  it('permanently with one block is still asked for the others', () => {
    const damaged: Holder = ({ segment }) => ({
      afterMs: 5,
      outcome: segment === 1 ? 'fails-for-good' : 'arrives',
    });
    const reading = new Reading({ endSegment: 3 }, holdersOf(answersIn(5), damaged, answersIn(5)));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
        [2, [C]],
      ]),
    );
    expect(reading.run().done).toBe(true);
    const blocks = reading.asks.flatMap((ask) =>
      ask.kind === 'ask-block' ? [`${ask.segment}@${nameOf(ask.device)}`] : [],
    );
    expect(blocks.filter((block) => block === '1@B')).toHaveLength(1);
    expect(blocks).toContain('2@B');
    expect(blocks).toContain('1@C');
  });

  it('immediately, again and again, is neither asked endlessly nor preferred', () => {
    const broken: Holder = () => ({ afterMs: 0, outcome: 'fails' });
    const reading = new Reading(
      { endSegment: 50 },
      holdersOf(answersIn(10), broken, answersIn(10), answersIn(10)),
    );
    reading.sources(ONE_EACH);
    expect(reading.run().done).toBe(true);
    expect(reading.nowMs).toBeLessThan(HEDGE_MS);
    expect(reading.asks.filter((ask) => 'device' in ask && ask.device === B).length).toBeLessThan(5);
  });

  it('immediately for a second, and is needed, is not given up but rests between tries', () => {
    const nowMs: () => number = () => reading.nowMs;
    const recovers: Holder = () => ({ afterMs: 0, outcome: nowMs() < 1_000 ? 'fails' : 'arrives' });
    const reading = new Reading({ n: 2 }, holdersOf(answersIn(10), recovers));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
      ]),
    );
    expect(reading.run().done).toBe(true);
    expect(reading.asks.filter((ask) => 'device' in ask && ask.device === B).length).toBeLessThan(6);
  });

  it('forever, and is needed, ends the read: no read waits forever', () => {
    const reading = new Reading({ n: 2 }, holdersOf(answersIn(10), stalled));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
      ]),
    );
    reading.run();
    expect(reading.starved).toBe(1);
    expect(reading.nowMs).toBeLessThan(60_000);
  });

  it('to give its index is not asked for any block', () => {
    const noIndex: Holder = ({ segment }) => ({
      afterMs: 5,
      outcome: segment === undefined ? 'fails-for-good' : 'arrives',
    });
    const reading = new Reading({ endSegment: 3 }, holdersOf(noIndex, answersIn(5), answersIn(5)));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
        [2, [C]],
      ]),
    );
    expect(reading.run().done).toBe(true);
    expect(reading.asks.some((ask) => ask.kind === 'ask-block' && ask.device === A)).toBe(false);
  });
});

describe('too few fragments', () => {
  it('are reported after the time of patience, once, with the reach', () => {
    const reading = new Reading({ k: 3 }, holdersOf(answersIn(10), answersIn(10)));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
      ]),
    );
    reading.run();
    expect([reading.starved, reading.done]).toEqual([2, false]);
    expect(reading.nowMs).toBeGreaterThanOrEqual(PATIENCE_MS);
    expect(reading.nowMs).toBeLessThan(PATIENCE_MS + 100);
    expect(reading.plan.nextDeadlineMs()).toBe(Infinity);
    reading.input({ kind: 'tick' });
    expect(reading.starvedCount).toBe(1);
  });

  it('are reported only after first links had their chance', () => {
    const untilMs = 5_000;
    const reading = new Reading({}, holdersOf(answersIn(10), answersIn(10)));
    reading.input({ kind: 'awaited', untilMs });
    reading.sources(new Map());
    reading.run();
    expect(reading.nowMs).toBe(untilMs + PATIENCE_MS);
    // The chance is over sooner than was thought.
    const hurried = new Reading({}, holdersOf(answersIn(10), answersIn(10)));
    hurried.input({ kind: 'awaited', untilMs });
    hurried.sources(new Map());
    hurried.at(1_000, () => hurried.input({ kind: 'awaited', untilMs: 2_000 }));
    hurried.run();
    expect(hurried.nowMs).toBe(2_000 + PATIENCE_MS);
  });

  it('are waited for, and not reported when a device comes back in time', () => {
    const reading = new Reading({}, holdersOf(answersIn(10), answersIn(10)));
    reading.sources(new Map());
    reading.at(PATIENCE_MS - 1, () =>
      reading.sources(
        new Map([
          [0, [A]],
          [1, [B]],
        ]),
      ),
    );
    expect(reading.run().done).toBe(true);
    expect(reading.starved).toBeUndefined();
  });

  it('are reported when k blocks of one segment are damaged everywhere', () => {
    const damaged: Holder = ({ segment }) => ({
      afterMs: 5,
      outcome: segment === 2 ? 'fails-for-good' : 'arrives',
    });
    const reading = new Reading({ n: 3, endSegment: 4 }, holdersOf(answersIn(5), damaged, damaged));
    reading.sources(
      new Map([
        [0, [A]],
        [1, [B]],
        [2, [C]],
      ]),
    );
    reading.run();
    expect([reading.starved, reading.takenCount]).toEqual([1, 2]);
  });

  it('cost no read when a link is rebuilt within the patience, however often', () => {
    const reading = new Reading({ n: 2, endSegment: 40 }, holdersOf(answersIn(400), answersIn(400)), 0);
    const both = new Map([
      [0, [A]],
      [1, [B]],
    ]);
    reading.sources(both);
    for (let flap = 0; flap < 10; flap++) {
      reading.at(200 + flap * 700, () => reading.sources(new Map([[0, [A]]])));
      reading.at(300 + flap * 700, () => reading.sources(both));
    }
    expect(reading.run().done).toBe(true);
  });
});

describe('whatever the holders do,', () => {
  const latency = fc.integer({ min: 1, max: 800 });
  const badHolder: fc.Arbitrary<Holder> = fc.oneof(
    fc.constant(stalled),
    fc.integer({ min: 1_600, max: 9_000 }).map(answersIn),
    latency.map((afterMs): Holder => () => ({ afterMs, outcome: 'fails-for-good' })),
    latency.map((afterMs): Holder => () => ({ afterMs, outcome: 'fails' })),
    fc.tuple(latency, fc.integer({ min: 1, max: 3 })).map(([afterMs, bad]): Holder => ({ turn }) => ({
      afterMs,
      outcome: turn < bad ? 'fails' : 'arrives',
    })),
    fc.tuple(latency, fc.integer({ min: 2, max: 5 })).map(([afterMs, period]): Holder => ({ segment }) => ({
      afterMs,
      outcome: (segment ?? 1) % period === 0 ? 'fails-for-good' : 'arrives',
    })),
  );
  const scenario = fc.record({
    k: fc.integer({ min: 1, max: 6 }),
    spare: fc.nat(6),
    segments: fc.integer({ min: 1, max: 30 }),
    window: fc.integer({ min: 1, max: 8 }),
    good: fc.array(latency, { minLength: 1, maxLength: 4 }),
    bad: fc.array(badHolder, { maxLength: 3 }),
    spread: fc.infiniteStream(fc.nat(100)),
    takeAfterMs: fc.constantFrom(0, 0, 50, 4_000),
    away: fc.option(fc.record({ atMs: fc.nat(2_000), forMs: fc.nat(2_500) })),
    losing: fc.array(fc.nat(29), { maxLength: 3 }),
  });

  it('k good fragments of each segment suffice: the file is read, nothing starves, no bound is passed', () => {
    fc.assert(
      fc.property(
        scenario,
        ({ k, spare, segments, window, good, bad, spread, takeAfterMs, away, losing }) => {
          const n = k + spare;
          const holders = holdersOf(...good.map(answersIn), ...bad);
          const sources = new Map<number, DeviceId[]>();
          for (let fragment = 0; fragment < n; fragment++) {
            const pick = spread.next().value;
            // k of the fragments, not always the first, are on a good holder; all may also be on bad ones.
            const isGood = (fragment + pick) % 2 === 0 || n - fragment <= k - goodCount(sources, good.length);
            const at =
              isGood && goodCount(sources, good.length) < k ? [deviceAt(pick % good.length).deviceId] : [];
            if (bad.length > 0 && pick % 3 > 0) at.push(deviceAt(good.length + (pick % bad.length)).deviceId);
            sources.set(fragment, pick % 5 > 2 ? at : at.toReversed());
          }
          expect(goodCount(sources, good.length)).toBe(k);
          const reading = new Reading(
            { k, n, endSegment: segments, windowSegments: window },
            holders,
            takeAfterMs,
          );
          for (const segment of losing) reading.losing.add(segment);
          reading.sources(sources);
          if (away !== null) {
            reading.at(away.atMs, () => reading.sources(new Map()));
            reading.at(away.atMs + away.forMs, () => reading.sources(sources));
          }
          reading.run(3_600_000);
          expect([reading.starved, reading.done]).toEqual([undefined, true]);
        },
      ),
      { numRuns: 200 },
    );
  });
});

function goodCount(sources: ReadonlyMap<number, readonly DeviceId[]>, goodDevices: number): number {
  const good = new Set(Array.from({ length: goodDevices }, (_, index) => deviceAt(index).deviceId));
  return [...sources.values()].filter((devices) => devices.some((device) => good.has(device))).length;
}

function segmentsAsked(reading: Reading): number[] {
  return [...new Set(reading.asks.flatMap((ask) => (ask.kind === 'ask-block' ? [ask.segment] : [])))];
}

function blocksAsked(reading: Reading, segment: number): (ReadEffect & { kind: 'ask-block' })[] {
  return reading.asks.flatMap((ask) => (ask.kind === 'ask-block' && ask.segment === segment ? [ask] : []));
}

function nameOf(device: DeviceId): string {
  return itemAt(['A', 'B', 'C', 'D'], [A, B, C, D].indexOf(device));
}
