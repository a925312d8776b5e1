// Who has the app open, and when: sessions of made-up devices after published measurements (Falaki 2010 and
// Böhmer 2011 for phones, Nurmi 2003 for the shape of uptimes, Douceur 2003 for cycled and always-on hosts).
// What no measurement gives, like the share of a phone's time that one app gets, is an assumption, and is
// said in docs/DURABILITY.md.

import type { SeededRandom } from '../sim/seeded-random.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export type Kind = 'anchor' | 'desk' | 'lid' | 'phone' | 'visitor' | 'pupil' | 'member';

/** From `startMs` to `endMs` the device has the app open. */
export interface Session {
  readonly startMs: number;
  readonly endMs: number;
}

export interface Population {
  readonly name: string;
  readonly counts: Readonly<Partial<Record<Kind, number>>>;
  readonly durationMs: number;
  /** Lost and wiped devices are replaced by new ones of their kind. */
  readonly isLasting: boolean;
  /** Its devices see each other every week or two, for minutes. */
  readonly meetsRarely?: boolean;
}

export const POPULATIONS: readonly Population[] = [
  { name: 'household', counts: { phone: 4, lid: 2, desk: 1 }, durationMs: 365 * DAY_MS, isLasting: true },
  { name: 'class', counts: { pupil: 25, lid: 2 }, durationMs: 365 * DAY_MS, isLasting: true },
  { name: 'club', counts: { member: 8 }, durationMs: 365 * DAY_MS, isLasting: true, meetsRarely: true },
  { name: 'event', counts: { visitor: 60, lid: 6 }, durationMs: 4 * DAY_MS, isLasting: false },
  {
    name: 'campus',
    counts: { phone: 120, lid: 60, desk: 18, anchor: 2 },
    durationMs: 90 * DAY_MS,
    isLasting: true,
  },
];

/** The mean life of a device, and of the storage of its browser, ms. */
const DEVICE_LIFE_MS = 3 * 365 * DAY_MS;
const STORAGE_LIFE_MS = (30 * DAY_MS) / 0.001;

/** How long after its beginning the device, or its storage, is lost for good. */
export function lifeMs(random: SeededRandom): number {
  return Math.min(exponential(random, DEVICE_LIFE_MS), exponential(random, STORAGE_LIFE_MS));
}

/** The device's sessions from `beginMs` on, in order and apart from each other, until `endMs` at least. */
export function* sessionsOf(
  kind: Kind,
  random: SeededRandom,
  beginMs: number,
  endMs: number,
): Generator<Session> {
  if (kind === 'visitor') {
    const startMs = beginMs + random.unit() * 6 * HOUR_MS;
    yield { startMs, endMs: startMs + HOUR_MS + random.unit() * 7 * HOUR_MS };
    return;
  }
  const visitsPerDay = 10 * 8 ** random.unit();
  let lastMs = beginMs;
  for (let day = Math.floor(beginMs / DAY_MS); day * DAY_MS < endMs; day++) {
    const sessions = dayOf(kind, random, day, visitsPerDay).toSorted((a, b) => a.startMs - b.startMs);
    for (const session of sessions) {
      const startMs = Math.max(lastMs, session.startMs);
      if (session.endMs <= startMs) continue;
      yield { startMs, endMs: session.endMs };
      lastMs = session.endMs;
    }
  }
}

function dayOf(kind: Kind, random: SeededRandom, day: number, visitsPerDay: number): Session[] {
  const midnightMs = day * DAY_MS;
  const isWeekend = day % 7 >= 5;
  const at = (hour: number, lengthMs: number): Session => {
    const startMs = midnightMs + hour * HOUR_MS;
    return { startMs, endMs: startMs + lengthMs };
  };
  const waking = (): number => 7 + random.unit() * 16;
  switch (kind) {
    case 'anchor': {
      const restarts = random.unit() < 1 / 60;
      if (!restarts) return [at(0, DAY_MS)];
      const hour = random.unit() * 23;
      return [at(0, hour * HOUR_MS), at(hour + 5 / 60, (24 - hour) * HOUR_MS - 5 * MINUTE_MS)];
    }
    case 'desk':
      if (isWeekend && random.unit() < 0.7) return [];
      return [at(7.5 + Math.exp(normal(random) * 0.5), (8 + random.unit() * 6) * HOUR_MS)];
    case 'lid':
      return Array.from({ length: poisson(random, 4) }, () =>
        at(waking(), weibull(random, 0.55, 50 * MINUTE_MS)),
      );
    case 'phone': {
      const visits = Array.from({ length: poisson(random, visitsPerDay) }, () =>
        at(waking(), visitMs(random)),
      );
      if (random.unit() < 0.05)
        visits.push(at(18 + random.unit() * 4, (20 + random.unit() * 20) * MINUTE_MS));
      return visits;
    }
    case 'pupil': {
      // Three lessons a week; one in ten is missed.
      const isLesson = [0, 2, 4].includes(day % 7) && random.unit() < 0.9;
      return isLesson ? [at(9 + random.unit() / 20, (40 + random.unit() * 5) * MINUTE_MS)] : [];
    }
    case 'member': {
      // Every second week all look at once what is new; one evening in ten is missed.
      const isEvening = day % 14 === 3 && random.unit() < 0.9;
      return isEvening ? [at(19 + random.unit() / 60, (3 + random.unit() * 2) * MINUTE_MS)] : [];
    }
    case 'visitor':
      return [];
  }
}

/** Most glances are short; a fifth have the long tail that was measured. */
function visitMs(random: SeededRandom): number {
  if (random.unit() < 0.8) return exponential(random, 45_000);
  return Math.min(120_000 * (1 - random.unit()) ** (-1 / 1.3), 2 * HOUR_MS);
}

function exponential(random: SeededRandom, mean: number): number {
  return -mean * Math.log(1 - random.unit());
}

/** With the given mean; `shape` 0.5 to 0.6 only, where the mean is some 1.7 to 2 times the scale. */
function weibull(random: SeededRandom, shape: number, mean: number): number {
  const scale = mean / gamma(1 + 1 / shape);
  return Math.min(scale * (-Math.log(1 - random.unit())) ** (1 / shape), 12 * HOUR_MS);
}

/** Stirling's series: exact to four digits from 2 on. */
function gamma(x: number): number {
  return Math.sqrt((2 * Math.PI) / x) * ((x + 1 / (12 * x)) / Math.E) ** x;
}

function normal(random: SeededRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}

function poisson(random: SeededRandom, mean: number): number {
  let count = 0;
  for (let left = exponential(random, 1); left < mean; left += exponential(random, 1)) count += 1;
  return count;
}
