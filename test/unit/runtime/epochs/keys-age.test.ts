// How old a device takes the keys of its pool for: by its own clocks and disk, not by their writer's date.

import { beforeEach, expect, it } from 'vitest';
import type { EntryId } from '../../../../src/core/model/ids.ts';
import { KeysAge, type KeysInUse } from '../../../../src/runtime/epochs/keys-age.ts';
import { writeAct, charterBy, following, grantOf } from '../../../fixtures/signed-acts.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const DAY_MS = 24 * 60 * 60_000;

let clock: ManualClock;
let kept: Map<string, unknown>;
let inUse: KeysInUse | undefined;
let ids: readonly EntryId[];

beforeEach(async () => {
  clock = new ManualClock();
  kept = new Map();
  const charter = await charterBy(deviceAt(0), [deviceAt(1)]);
  const acts = following(charter);
  const next = await writeAct(deviceAt(0), acts, grantOf(deviceAt(1), 'admin'));
  ids = [charter.record.id, next.record.id];
  inUse = keys(0, clock.wallMs());
});

/** Any act's id does: which kind of act it is, its age does not ask. */
function keys(index: number, sinceMs: number): KeysInUse {
  const id = ids[index];
  if (id === undefined) throw new Error(`no act ${index}`);
  return { id, sinceMs };
}

/** A page that opens the pool. */
async function opened(): Promise<KeysAge> {
  const age = new KeysAge({
    clock,
    records: {
      getMeta: async (name) => kept.get(name),
      putMeta: async (name, value) => void kept.set(name, structuredClone(value)),
    },
    inUse: () => inUse,
    background: (work) => void work.catch((error: unknown) => expect.unreachable(String(error))),
  });
  await age.restore();
  return age;
}

it('keys that are dated a century ahead age from when they were first seen, page after page', async () => {
  inUse = keys(0, clock.wallMs() + 36_500 * DAY_MS);
  for (let visit = 0; visit < 10; visit++) {
    const age = await opened();
    expect(age.ageMs()).toBe(visit * DAY_MS);
    clock.advance(DAY_MS / 2);
    expect(age.ageMs()).toBe((visit + 0.5) * DAY_MS);
    // The page is closed for the other half of the day.
    clock.advance(DAY_MS / 2);
  }
});

it('keys that came while a page was open are new, whatever their date says, and later pages know', async () => {
  const age = await opened();
  expect(age.ageMs()).toBe(0);
  clock.advance(DAY_MS);
  inUse = keys(1, clock.wallMs() - 365 * DAY_MS);
  expect(age.ageMs()).toBe(0);
  clock.advance(2 * DAY_MS);
  expect((await opened()).ageMs()).toBe(2 * DAY_MS);
});

it('keys that came while this device looked at others are new, also to the next page', async () => {
  (await opened()).ageMs();
  inUse = keys(1, clock.wallMs() - 365 * DAY_MS);
  expect((await opened()).ageMs()).toBe(0);
});

it('keys with the same date are told apart', async () => {
  const age = await opened();
  age.ageMs();
  clock.advance(DAY_MS);
  inUse = keys(1, inUse?.sinceMs ?? 0);
  expect(age.ageMs()).toBe(0);
});

it('where nothing was kept yet, keys are as old as their date says', async () => {
  inUse = keys(0, clock.wallMs() - 3 * DAY_MS);
  expect((await opened()).ageMs()).toBe(3 * DAY_MS);
  clock.advance(DAY_MS);
  expect((await opened()).ageMs()).toBe(4 * DAY_MS);
});

it('keys that a clock saw which was years ahead age once it is right again', async () => {
  clock.set(3650 * DAY_MS);
  (await opened()).ageMs();
  clock.set(-3650 * DAY_MS);
  expect((await opened()).ageMs()).toBe(0);
  clock.advance(DAY_MS);
  expect((await opened()).ageMs()).toBe(DAY_MS);
});

it('a wall clock that jumps while a page is open changes no age', async () => {
  const age = await opened();
  age.ageMs();
  clock.set(365 * DAY_MS);
  clock.advance(DAY_MS);
  expect(age.ageMs()).toBe(DAY_MS);
});

it('what is kept and damaged counts as nothing kept', async () => {
  for (const damaged of ['', [], [ids[0]], [ids[0], -1], ['no id', 5], { id: ids[0] }]) {
    kept.set('keys-seen', damaged);
    inUse = keys(0, clock.wallMs() - DAY_MS);
    expect((await opened()).ageMs()).toBe(DAY_MS);
  }
});

it('a pool without keys that change has none that age', async () => {
  inUse = undefined;
  const age = await opened();
  clock.advance(DAY_MS);
  expect([age.ageMs(), kept.size]).toEqual([0, 0]);
});
