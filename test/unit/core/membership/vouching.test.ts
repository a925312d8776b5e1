// Whom a device asks to vouch for itself, how often, and when a device that does not is silent.

import { describe, expect, it } from 'vitest';
import {
  LONG_PERIOD_MS,
  SHORT_PERIOD_MS,
  VOUCH_DEADLINE_MS,
  Vouching,
} from '../../../../src/core/membership/vouching.ts';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { deviceAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const SELF = deviceAt(0).deviceId;
const OTHERS = [1, 2, 3, 4].map((index) => deviceAt(index).deviceId);

/** One device that asks others, each of which answers as its entry in `answers` says. */
class Asker {
  readonly vouching = new Vouching(SELF);
  nowMs = 0;
  mayAccuse = true;
  readonly asked: { readonly atMs: number; readonly device: DeviceId }[] = [];
  readonly silent: DeviceId[] = [];
  readonly overdue: DeviceId[] = [];
  answers: (device: DeviceId) => 'agrees' | 'differs' | 'nothing' = () => 'agrees';

  constructor(count: number) {
    for (const device of OTHERS.slice(0, count)) this.vouching.speaks(0, device);
  }

  pass(ms: number): this {
    const endMs = this.nowMs + ms;
    for (;;) {
      const dueMs = this.vouching.nextDeadlineMs();
      if (dueMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      const { ask, overdue, silent } = this.vouching.advance(this.nowMs, this.mayAccuse);
      this.overdue.push(...overdue);
      this.silent.push(...silent);
      if (ask === undefined) continue;
      this.asked.push({ atMs: this.nowMs, device: ask });
      const answer = this.answers(ask);
      if (answer !== 'nothing') this.vouching.works(this.nowMs, ask);
      if (answer === 'agrees') this.vouching.agrees(ask);
    }
    this.nowMs = endMs;
    return this;
  }

  askedWithin(ms: number): number {
    return this.asked.filter(({ atMs }) => atMs > this.nowMs - ms).length;
  }
}

describe('a device asks the linked devices to vouch', () => {
  it('one a period: each once after a change, then ever less often, down to once a minute', () => {
    const asker = new Asker(4).pass(4 * SHORT_PERIOD_MS);
    expect(new Set(asker.asked.map(({ device }) => device))).toEqual(new Set(OTHERS));
    asker.pass(10 * LONG_PERIOD_MS);
    expect(asker.askedWithin(5 * LONG_PERIOD_MS)).toBe(5);
    asker.vouching.changed(asker.nowMs);
    asker.pass(4 * SHORT_PERIOD_MS);
    const last = asker.asked.slice(-4).map(({ device }) => device);
    expect(new Set(last)).toEqual(new Set(OTHERS));
  });

  it('in turn from its successor on, so that devices that begin together ask different ones', () => {
    const first = [SELF, ...OTHERS].map((self) => {
      const vouching = new Vouching(self);
      for (const device of [SELF, ...OTHERS]) if (device !== self) vouching.speaks(0, device);
      return vouching.advance(SHORT_PERIOD_MS, true).ask;
    });
    expect(new Set(first).size).toBe(5);
  });

  it('a few times only about one change, even if one contradicts for ever', () => {
    const asker = new Asker(4);
    asker.answers = (device) => (device === itemAt(OTHERS, 0) ? 'differs' : 'agrees');
    asker.pass(20 * LONG_PERIOD_MS);
    expect(asker.askedWithin(5 * LONG_PERIOD_MS)).toBe(5);
  });
});

describe('a device that does not vouch', () => {
  const [hung] = OTHERS;

  it('is silent after three missing answers, while others answer', () => {
    const asker = new Asker(4).pass(5 * LONG_PERIOD_MS);
    asker.answers = (device) => (device === hung ? 'nothing' : 'agrees');
    asker.pass(4 * LONG_PERIOD_MS + 3 * (VOUCH_DEADLINE_MS + SHORT_PERIOD_MS));
    expect(asker.silent).toEqual([hung]);
    // It is then asked in its turn, and the pool is as quiet as before.
    asker.pass(10 * LONG_PERIOD_MS);
    expect(asker.askedWithin(5 * LONG_PERIOD_MS)).toBe(5);
    asker.answers = () => 'agrees';
    expect(asker.vouching.works(asker.nowMs, itemAt(OTHERS, 0))).toBe(true);
  });

  it('is not accused by one whom nobody answers, nor by one who was asleep', () => {
    const deaf = new Asker(4).pass(LONG_PERIOD_MS);
    deaf.answers = () => 'nothing';
    deaf.pass(10 * LONG_PERIOD_MS);
    expect(deaf.overdue.length).toBeGreaterThan(12);
    expect(deaf.silent).toEqual([]);
    const sleepy = new Asker(4).pass(LONG_PERIOD_MS);
    sleepy.answers = (device) => (device === hung ? 'nothing' : 'agrees');
    sleepy.mayAccuse = false;
    sleepy.pass(5 * LONG_PERIOD_MS);
    expect(sleepy.silent).toEqual([]);
  });

  it('owes nothing that was due while the asker slept', () => {
    const asker = new Asker(4);
    asker.answers = () => 'nothing';
    asker.pass(2 * SHORT_PERIOD_MS);
    asker.nowMs += 60_000;
    asker.vouching.slept(asker.nowMs);
    const { overdue } = asker.vouching.advance(asker.nowMs, true);
    expect(overdue).toEqual([]);
  });
});
