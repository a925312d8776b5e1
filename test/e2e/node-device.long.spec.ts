// A device in Node and devices in browsers are one pool: what is stored in the one is read in the other, and
// the device in Node alone opens nothing.

import type { PalmStatus } from '../../src/runtime/api.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';
import { startHousehold } from './node-device.ts';

const BYTES = 200_000_000;
/** A busy machine with two cores moves some 2 MB/s between two browsers and the device. */
const WAIT_MS = 300_000;
const SMALL_BYTES = 300_000;

test('a household: stored in a browser, read from the shell, and the other way round', async ({
  newDevice,
}) => {
  test.setTimeout(900_000);
  const household = await startHousehold();
  try {
    const invite = async (): Promise<string> =>
      JSON.parse(String((await household.palm(['invite', '--json'])).stdout)).invite;
    const [laptop, phone] = [await newDevice('Laptop', household), await newDevice('Phone', household)];
    for (const device of [laptop, phone]) {
      await device.closeTab();
      // The name that other machines know it by need not lead anywhere on this one.
      await device.open(device.appUrl + new URL(await invite()).hash);
      await device.page.getByRole('button', { name: 'Join', exact: true }).click();
      await device.waitFor('the household', ({ devices }) =>
        devices.some(({ self, state }) => !self && state === 'reachable'),
      );
    }
    const { fileId } = await laptop.store({ seed: 5, length: BYTES }, { name: 'film.mp4' });
    const isLetGo = ({ files }: PalmStatus): boolean =>
      files.every(({ inOutbox, safe }) => safe && !inOutbox);
    await laptop.waitFor('its copies to be let go', isLetGo, WAIT_MS);
    const got = await household.palm(['get', 'film.mp4', '-']);
    expect(got.stdout.equals(seededBytes(5, BYTES)), got.stderr).toBe(true);

    const added = await household.palm(
      ['add', '-', '--name', 'notes.txt', '--json'],
      seededBytes(6, SMALL_BYTES),
    );
    const { fileId: notes } = JSON.parse(String(added.stdout));
    await phone.waitFor('the file of the shell', ({ files }) => files.some((file) => file.fileId === notes));
    expect(await phone.read(notes)).toEqual(expectedBytes(6, SMALL_BYTES));

    await Promise.all([laptop.closeTab(), phone.closeTab()]);
    const alone = await household.palm(['get', 'film.mp4', '-']);
    expect(alone.code).toBe(6);
    expect(alone.stdout).toHaveLength(0);
    expect(alone.stderr).toContain('Nothing is lost');
    await phone.open();
    expect(await phone.read(fileId)).toEqual(expectedBytes(5, BYTES));
    expect((await household.palm(['get', 'film.mp4', '-'])).stdout.equals(seededBytes(5, BYTES))).toBe(true);
    // The household takes the relay along.
    await phone.closeTab();
  } finally {
    expect(await household.stop(), 'the household ends cleanly on Ctrl-C').toBe(0);
  }
});
