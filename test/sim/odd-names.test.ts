// Names and dates as file systems have them: what is beyond a record's bounds is written otherwise, not
// refused.

import { expect } from 'vitest';
import { MAX_HYBRID_MS } from '../../src/core/catalogue/clock.ts';
import { settledOutboxes } from './checks.ts';
import { first, scenario } from './scenario.ts';

/** Files dated by clocks that were off, ms, and the date that everybody sees. */
const DATES = [
  [-86_400_000, 0],
  [MAX_HYBRID_MS + 1, MAX_HYBRID_MS],
  [8_640_000_000_000_000, MAX_HYBRID_MS],
] as const;

scenario('odd dates and long names reach every device, also after a restart', [1_450], async (simulation) => {
  const { world, pool } = simulation;
  const devices = await pool(3);
  const one = first(devices);
  const given = DATES.map(([lastModified], at) => ({ lastModified, name: `${at}${'語'.repeat(254)}` }));
  for (const { lastModified, name } of given) {
    const file = new File([world.random.bytes(1_000)], name, { lastModified });
    await world.settled(`store ${lastModified}`, one.pool.store(file, { name, path: 'a/b' }));
  }
  await world.until('placed', () => settledOutboxes(devices));
  one.kill();
  await one.reopen();
  await world.until('all list them', () =>
    devices.every((device) => device.pool.status().files.length === DATES.length),
  );
  for (const device of devices) {
    const seen = device.pool
      .status()
      .files.map(({ name, path, modifiedMs }) => `${path}/${name} ${modifiedMs}`);
    expect(new Set(seen)).toEqual(new Set(given.map(({ name }, at) => `a/b/${name} ${DATES[at]?.[1]}`)));
  }
});
