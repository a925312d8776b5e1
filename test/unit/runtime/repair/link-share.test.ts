// The share of the link that repairs use: over time they move no more, and an end is noticed while waiting.

import { expect, it } from 'vitest';
import { LinkShare } from '../../../../src/runtime/repair/link-share.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';

const MIB = 2 ** 20;

it('moves no more than its part, whatever one spend costs', async () => {
  const clock = new ManualClock();
  const share = new LinkShare(clock, () => 0.5);
  let movedBytes = 0;
  const repair = async (): Promise<void> => {
    for (;;) {
      await share.ready(new AbortController().signal);
      share.spend(MIB);
      movedBytes += MIB;
    }
  };
  void repair();
  for (let ms = 0; ms < 10_000; ms += 50) {
    await settled();
    clock.advance(50);
  }
  // Half of 8 MB/s for ten seconds.
  expect(movedBytes).toBeGreaterThan(36e6);
  expect(movedBytes).toBeLessThanOrEqual(40e6 + MIB);
});

it('ends the wait with the reason of its signal', async () => {
  const share = new LinkShare(new ManualClock(), () => 0.2);
  share.spend(100 * MIB);
  const controller = new AbortController();
  const waiting = share.ready(controller.signal);
  controller.abort(new Error('no longer wanted'));
  await expect(waiting).rejects.toThrow('no longer wanted');
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}
