// What a thief of one device finds. The device's profile is a real browser's folder, taken after the browser has ended, and
// test/thief reads every byte of every file in it: what was deleted but not erased is found, and opened if it can be.

import { sha256 } from '../thief/keys.ts';
import type { Device } from './device.ts';
import { expect, test as base } from './palm-fixture.ts';
import { ProfileDevice } from './profile-device.ts';
import { seededBytes } from './seeded-bytes.ts';
import { findingsIn, plainHashOf, rob } from './theft.ts';

interface Fixtures {
  /** A device with a profile folder, at the app. */
  readonly newVictim: (name: string) => Promise<ProfileDevice>;
}

const test = base.extend<Fixtures>({
  newVictim: async ({ relay, faults }, use) => {
    const victims: ProfileDevice[] = [];
    await use(async (name) => {
      const victim = await ProfileDevice.launch(name, relay.app, faults);
      victims.push(victim);
      return victim;
    });
    for (const victim of victims) {
      await victim.end('closed');
      await victim.remove();
    }
  },
});

const SMALL = { seed: 101, length: 21_000 };
const LARGE = { seed: 102, length: 3_000_000 };
const PRIVATE = { seed: 103, length: 2_000_000 };
const SMALL_NAME = 'shopping-list.txt';
const LARGE_NAME = 'birthday-film.mp4';
/** Beyond Latin-1, which V8 and UTF-8 write in different ways. */
const PRIVATE_NAME = 'tagebuch-žluť-2026.pdf';
const CONTENTS = [SMALL, LARGE, PRIVATE];

test('while a device alone has its files, its thief opens them', async ({ newVictim }) => {
  const victim = await newVictim('Laptop');
  await victim.device.createPool('Home');
  await storeAll(victim.device, 'fast');
  const { keys, shares } = await victim.storeSecrets();
  await victim.end('closed');

  // The private file needs its link as well: he has it from elsewhere.
  const haul = rob(
    victim,
    keys.map(({ kc }) => kc),
  );
  expect(haul.loot.poolSecrets).toHaveLength(1);
  expect(haul.loot.deviceKeys).toHaveLength(1);
  expect(plainHashOf(haul, SMALL_NAME)).toBe(hashOf(SMALL));
  expect(plainHashOf(haul, LARGE_NAME)).toBe(hashOf(LARGE));
  expect(plainHashOf(haul, PRIVATE_NAME)).toBe(hashOf(PRIVATE));
  expect(haul.files).toHaveLength(3);
  for (const { shares: found } of haul.files) expect(found).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(findingsIn(haul, { names: [PRIVATE_NAME], contents: CONTENTS }).opened).toHaveLength(3);
  // What the test knows is right: he has these very keys.
  const sharesFound = haul.loot.indexes.map(({ share }) => share.toString('hex'));
  expect(shares.map((share) => share.toString('hex'))).toEqual(expect.arrayContaining(sharesFound));
  expect(haul.files.map(({ dataKey }) => dataKey?.toString('hex'))).toEqual(
    expect.arrayContaining(keys.map(({ dataKey }) => dataKey.toString('hex'))),
  );
});

/** Stores the small, the large and the private file. */
async function storeAll(device: Device, durability: 'fast' | 'quorum'): Promise<void> {
  await device.store(SMALL, { name: SMALL_NAME, durability });
  await device.store(LARGE, { name: LARGE_NAME, durability });
  await device.store(PRIVATE, { name: PRIVATE_NAME, durability, private: true });
}

function hashOf({ seed, length }: { readonly seed: number; readonly length: number }): string {
  return sha256(seededBytes(seed, length)).toString('hex');
}
