// The share of the links that repairs use: over time they move no more, and an end is noticed while waiting.

import { expect, it } from 'vitest';
import { deviceIdOf } from '../../../../src/core/model/ids.ts';
import { LinkShare } from '../../../../src/runtime/repair/link-share.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';

const MIB = 2 ** 20;
const FAST = deviceIdOf(seededBytes(32, 1));
const SLOW = deviceIdOf(seededBytes(32, 2));
const RATES = { of: (device: typeof FAST) => (device === SLOW ? 1_000_000 : 8_000_000), all: 8_000_000 };

it.each([
  ['the fast link', [FAST], 40e6],
  ['the slow link', [SLOW], 5e6],
  ['both, which is bound by the slow one', [FAST, SLOW], 10e6],
] as const)('moves no more than its part over %s, whatever one spend costs', async (_what, devices, most) => {
  const clock = new ManualClock();
  const share = new LinkShare(clock, RATES, () => 0.5);
  let movedBytes = 0;
  const repair = async (): Promise<void> => {
    for (;;) {
      await share.ready(devices, new AbortController().signal);
      for (const device of devices) {
        share.spend(device, MIB);
        movedBytes += MIB;
      }
    }
  };
  void repair();
  for (let ms = 0; ms < 10_000; ms += 50) {
    await settled();
    clock.advance(50);
  }
  expect(movedBytes).toBeGreaterThan(most * 0.8);
  expect(movedBytes).toBeLessThanOrEqual(most + devices.length * MIB);
});

it('ends the wait with the reason of its signal', async () => {
  const share = new LinkShare(new ManualClock(), RATES, () => 0.2);
  share.spend(FAST, 100 * MIB);
  const controller = new AbortController();
  const waiting = share.ready([FAST], controller.signal);
  controller.abort(new Error('no longer wanted'));
  await expect(waiting).rejects.toThrow('no longer wanted');
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}
