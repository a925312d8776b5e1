// Leaving from a tab that does not have the device.

import { expect, it } from 'vitest';
import { systemClock } from '../../../src/adapters/portable/clock.ts';
import { openPalm } from '../../../src/runtime/palm.ts';

it('leaving reports that another tab has the device instead of waiting for it', async () => {
  const ports = new Promise<never>(() => undefined);
  const pool = openPalm({
    clock: systemClock,
    suggestedDeviceName: 'Phone',
    ports,
    isElsewhere: () => true,
  });
  await expect(pool.leave()).rejects.toMatchObject({ code: 'other-tab' });
});
