// When a device writes a new epoch of itself: at once after it shut somebody out, in its turn after others
// did, and not again and again.

import { beforeEach, expect, it } from 'vitest';
import { systemRandom } from '../../../../src/adapters/portable/random.ts';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import type { ActSet } from '../../../../src/core/catalogue/grants/act-set.ts';
import { epochsOf, type Epochs } from '../../../../src/core/catalogue/grants/epoch-chain.ts';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { Rotating } from '../../../../src/runtime/epochs/rotating.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';
import {
  addLarge,
  charterBy,
  following,
  grantOf,
  shutOutOf,
  writeAct,
} from '../../../fixtures/signed-acts.ts';

const [FOUNDER, ANNA, BEN, CLEO, DAN] = [0, 1, 2, 3, 4];
const HOUR_MS = 60 * 60_000;

let acts: ActSet;
let clock: ManualClock;
let written: number;
let pending: Promise<unknown>[];
let maxAgeMs: number | undefined;
let sinceMs: number;

beforeEach(async () => {
  clock = new ManualClock();
  written = 0;
  pending = [];
  maxAgeMs = undefined;
  sinceMs = clock.wallMs();
  const charter = await charterBy(deviceAt(FOUNDER), [ANNA, BEN, CLEO, DAN].map(deviceAt));
  acts = following(charter);
  await write(FOUNDER, grantOf(deviceAt(ANNA), 'admin'));
});

async function write(by: number, deed: Parameters<typeof writeAct>[2]): Promise<void> {
  acts.add([await writeAct(deviceAt(by), acts, deed)]);
}

function epochs(): Epochs {
  const { charter } = acts;
  if (charter === undefined) throw new Error('there is a charter');
  return epochsOf(acts.placed, charter, acts.standings);
}

/** A device that is linked with `others`. */
function rotating(index: number, others: readonly number[] = [], now = epochs): Rotating {
  const identity = deviceAt(index);
  const reachable: DeviceId[] = [index, ...others].map((each) => deviceAt(each).deviceId);
  return new Rotating({
    clock,
    acts,
    cryptography: webCryptography,
    random: systemRandom,
    self: identity.deviceId,
    epochs: now,
    maxAgeMs: () => maxAgeMs,
    ageMs: () => clock.wallMs() - sinceMs,
    reachable: () => reachable,
    background: (work) => pending.push(work),
    write: async (deed) => {
      written += 1;
      const act = await writeAct(identity, acts, deed());
      acts.add([act]);
      sinceMs = clock.wallMs();
      return act;
    },
  });
}

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await Promise.all(pending);
}

it('who shut a device out gives the pool other keys at once, and once', async () => {
  const device = rotating(ANNA, [FOUNDER]);
  device.look();
  await pass(HOUR_MS);
  expect(written).toBe(0);
  await write(ANNA, shutOutOf(deviceAt(BEN), 1));
  device.look();
  await pass(0);
  expect([written, epochs().isClean]).toEqual([1, true]);
  device.look();
  await pass(24 * HOUR_MS);
  expect(written).toBe(1);
});

it('others take turns, by rank: the first after a minute, the next after two', async () => {
  await write(ANNA, shutOutOf(deviceAt(BEN), 1));
  await write(FOUNDER, grantOf(deviceAt(CLEO), 'admin'));
  const founder = rotating(FOUNDER, [CLEO]);
  const cleo = rotating(CLEO, [FOUNDER]);
  for (const device of [founder, cleo]) device.look();
  await pass(59_999);
  expect(written).toBe(0);
  await pass(1);
  expect([written, epochs().isClean]).toEqual([1, true]);
  await pass(HOUR_MS);
  expect(written).toBe(1);
});

it('the next admin does it when the first does not', async () => {
  await write(ANNA, shutOutOf(deviceAt(BEN), 1));
  await write(FOUNDER, grantOf(deviceAt(CLEO), 'admin'));
  const cleo = rotating(CLEO, [FOUNDER]);
  cleo.look();
  await pass(119_999);
  expect(written).toBe(0);
  await pass(1);
  expect([written, epochs().isClean]).toEqual([1, true]);
});

it('members do nothing, and neither does a device that stopped', async () => {
  await write(ANNA, shutOutOf(deviceAt(BEN), 1));
  const member = rotating(DAN);
  const stopped = rotating(FOUNDER);
  stopped.stop();
  for (const device of [member, stopped]) device.look();
  await pass(24 * HOUR_MS);
  expect(written).toBe(0);
  expect(await member.rotate()).toBeUndefined();
});

it('an epoch that does not help is tried again after an hour, and at once when somebody else is shut out', async () => {
  await write(FOUNDER, shutOutOf(deviceAt(BEN)));
  // As if somebody who is not in got the keys of each.
  const unclean = rotating(FOUNDER, [], () => ({ ...epochs(), isClean: false }));
  unclean.look();
  await pass(0);
  unclean.look();
  await pass(HOUR_MS - 1);
  expect(written).toBe(1);
  await pass(1);
  expect(written).toBe(2);
  await write(FOUNDER, shutOutOf(deviceAt(CLEO)));
  unclean.look();
  await pass(0);
  expect(written).toBe(3);
});

it('keys that are older than the policy says are changed by the first admin in turn, once', async () => {
  maxAgeMs = 30 * 24 * HOUR_MS;
  await write(FOUNDER, grantOf(deviceAt(CLEO), 'admin'));
  const founder = rotating(FOUNDER, [CLEO]);
  const cleo = rotating(CLEO, [FOUNDER]);
  for (const device of [founder, cleo]) device.look();
  // Day by day: no timer of a browser lasts for longer.
  for (let day = 0; day < 30; day++) await pass(24 * HOUR_MS);
  expect(written).toBe(0);
  await pass(60_000);
  expect(written).toBe(1);
  // The others hear of it.
  for (const device of [founder, cleo]) device.look();
  for (let day = 0; day < 29; day++) await pass(24 * HOUR_MS);
  expect(written).toBe(1);
  await pass(24 * HOUR_MS);
  expect(written).toBe(1);
  await pass(60_000);
  expect(written).toBe(2);
});

it('the next admin changes old keys when the first is away or does not, and members never do', async () => {
  maxAgeMs = HOUR_MS;
  await write(FOUNDER, grantOf(deviceAt(CLEO), 'admin'));
  const [cleo, dan] = [rotating(CLEO, [FOUNDER, DAN]), rotating(DAN, [FOUNDER, CLEO])];
  for (const device of [cleo, dan]) device.look();
  await pass(HOUR_MS + 119_999);
  expect(written).toBe(0);
  await pass(1);
  expect(written).toBe(1);
});

it('age alone changes nothing once half of what an admin may write is used, and a shut-out still does', async () => {
  maxAgeMs = HOUR_MS;
  await addLarge(acts, 497); // with the charter and a grant: 499
  const founder = rotating(FOUNDER);
  founder.look();
  await pass(HOUR_MS + 60_000);
  expect([written, acts.unitsOf(deviceAt(FOUNDER).deviceId)]).toEqual([1, 500]);
  founder.look();
  for (let day = 0; day < 30; day++) await pass(24 * HOUR_MS);
  expect(written).toBe(1);
  await write(FOUNDER, shutOutOf(deviceAt(BEN), 0));
  founder.look();
  await pass(HOUR_MS);
  expect([written, epochs().isClean]).toEqual([2, true]);
});

it('keys of a pool whose policy says nothing get as old as they like', async () => {
  rotating(FOUNDER).look();
  for (let day = 0; day < 400; day++) await pass(24 * HOUR_MS);
  expect(written).toBe(0);
});
