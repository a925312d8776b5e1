// Pools over months (years.ts): devices that mostly sleep, are lost for good and are replaced.

import { expect, test } from 'vitest';
import { scaled, scaleNote, timeLimitMs } from '../../scale.ts';
import { tellYears } from './years.ts';

const FACTOR = 5;
const SHOWN_LINES = 60;
const TOLD = [
  ...Array.from({ length: scaled(5, FACTOR) }, (_, index) => ({
    population: 'club',
    days: 90,
    seed: 1 + index,
  })),
  { population: 'household', days: 0.5, seed: 1 },
];

test.each(TOLD)(
  `a $population keeps every file for $days days (seed $seed), ${scaleNote(FACTOR)}`,
  async ({ population, days, seed }) => {
    const { failure, trace, lostFiles, deviceMs, openMs } = await tellYears({ population, days, seed });
    expect(failure, trace.slice(-SHOWN_LINES).join('\n')).toBeUndefined();
    expect(lostFiles).toBe(0);
    // Most of the time is slept through.
    expect(openMs).toBeGreaterThan(0);
    expect(openMs).toBeLessThan(deviceMs / 4);
  },
  timeLimitMs(300_000, 300_000),
);

test('a population that nobody stays in has no years', async () => {
  await expect(tellYears({ population: 'event', days: 1, seed: 1 })).rejects.toThrow('household, class');
});
