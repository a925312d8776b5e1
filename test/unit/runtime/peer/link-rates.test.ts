// What links carry, as measured: pauses do not count, luck raises it slowly, and nothing pushes it to zero.

import { describe, expect, it } from 'vitest';
import { deviceIdOf } from '../../../../src/core/model/ids.ts';
import { MIN_LINK_BYTES_PER_S } from '../../../../src/core/model/limits.ts';
import { LinkRates } from '../../../../src/runtime/peer/link-rates.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';

const BLOCK_BYTES = 262_144;
const [one, other] = [deviceIdOf(seededBytes(32, 1)), deviceIdOf(seededBytes(32, 2))];

class Links {
  readonly clock = new ManualClock();
  readonly rates = new LinkRates(this.clock);

  /** `count` blocks, one after the other, each taking `ms`, with `pauseMs` between them. */
  async fetch(count: number, ms: number, pauseMs = 0, from = one): Promise<void> {
    for (const at of indicesOf(count)) {
      if (at > 0) this.clock.advance(pauseMs);
      await this.rates.measured(from, async () => {
        this.clock.advance(ms);
        return new Uint8Array(BLOCK_BYTES);
      });
    }
  }
}

describe('the measured rate', () => {
  it.each([
    ['without pauses', 0],
    ['with the pauses of a repair that keeps to its share', 5_000],
  ])('is that of the single blocks, %s', async (_what, pauseMs) => {
    const links = new Links();
    await links.fetch(100, 50, pauseMs);
    expect(links.rates.of(one)).toBeCloseTo((BLOCK_BYTES * 1_000) / 50, -3);
    expect(links.rates.all).toBeCloseTo((BLOCK_BYTES * 1_000) / 50, -3);
  });

  it('rises by a tenth at most with each measurement, and falls faster', async () => {
    const links = new Links();
    const before = links.rates.of(one);
    await links.fetch(1, 20);
    expect(links.rates.of(one)).toBeLessThanOrEqual(before * 1.1);
    await links.fetch(10, 1_000);
    expect(links.rates.of(one)).toBeLessThan(before / 2);
  });

  it('does not fall below what any link is taken to carry', async () => {
    const links = new Links();
    await links.fetch(100, 30_000);
    expect(links.rates.of(one)).toBe(MIN_LINK_BYTES_PER_S);
  });

  it('is not taken from blocks that came in one moment', async () => {
    const links = new Links();
    const before = links.rates.of(one);
    await links.fetch(50, 0);
    expect(links.rates.of(one)).toBe(before);
  });

  it('of a link says nothing about another, nor about the next one with the same device', async () => {
    const links = new Links();
    const before = links.rates.of(other);
    await links.fetch(50, 200);
    expect(links.rates.of(other)).toBe(before);
    expect(links.rates.of(one)).not.toBe(before);
    links.rates.forget(one);
    expect(links.rates.of(one)).toBe(before);
  });

  it('of all links together counts what comes over several at once', async () => {
    const links = new Links();
    const answers: (() => void)[] = [];
    const ask = (from: typeof one): Promise<unknown> =>
      links.rates.measured(from, async () => {
        await new Promise<void>((resolve) => answers.push(resolve));
        return new Uint8Array(BLOCK_BYTES);
      });
    for (let turn = 0; turn < 40; turn++) {
      const both = [ask(one), ask(other)];
      links.clock.advance(50);
      answers.shift()?.();
      await both[0];
      links.clock.advance(50);
      answers.shift()?.();
      await both[1];
    }
    expect(links.rates.all).toBeGreaterThan(1.3 * links.rates.of(other));
  });
});
