// A device in Node answers by itself: its one invite brings browsers in while no relay runs anywhere, and
// they find it again later.

import { RELAY_KILLED } from './faults.ts';
import { startLoneDevice } from './node-device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes, seededBytes } from './seeded-bytes.ts';

const STORED = { seed: 81, length: 2_000_000 };
const ADDED = { seed: 82, length: 300_000 };
/** The discard port: nothing is there. */
const NO_RELAY = 'http://127.0.0.1:9';

test('one code of a device in Node brings two browsers in, with no relay', async ({
  newDevice,
  privateRelay,
  faults,
}) => {
  faults.allow(RELAY_KILLED);
  const [phone, laptop] = [await newDevice('Phone', privateRelay), await newDevice('Laptop', privateRelay)];
  await privateRelay.kill();
  const node = await startLoneDevice(NO_RELAY);
  try {
    const { invite }: { invite: string } = JSON.parse(String((await node.palm(['invite', '--json'])).stdout));
    expect(invite).toMatch(/^http:\/\/127\.0\.0\.1:9\/#\/join\/[\w-]+\/at\/[\w-]+$/u);
    await test.step('pasted into the field of the page, whatever address it begins with', async () => {
      const { page } = phone;
      await page.getByLabel('Device name').fill(phone.name);
      await page.getByLabel('Invite link').fill(invite);
      await page.getByRole('button', { name: 'Join', exact: true }).click();
      await expect(page.getByRole('heading', { name: 'Home' })).toBeVisible();
    });
    await test.step('by the same code, and the mesh introduces the two', async () => {
      expect(await laptop.join(invite)).toEqual({ answered: true });
      await allLinked([phone, laptop]);
      expect((await laptop.status()).devices).toHaveLength(3);
    });
    const { fileId } = await phone.store(STORED, { name: 'film.mp4' });
    await laptop.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
    expect(await laptop.read(fileId)).toEqual(expectedBytes(STORED.seed, STORED.length));
    const got = await node.palm(['get', 'film.mp4', '-']);
    expect(got.stdout.equals(seededBytes(STORED.seed, STORED.length)), got.stderr).toBe(true);
    const added = await node.palm(
      ['add', '-', '--name', 'notes.txt', '--json'],
      seededBytes(ADDED.seed, ADDED.length),
    );
    const { fileId: notes } = JSON.parse(String(added.stdout));
    await phone.waitFor('the file of the shell', ({ files }) => files.some((file) => file.fileId === notes));
    expect(await phone.read(notes)).toEqual(expectedBytes(ADDED.seed, ADDED.length));
  } finally {
    expect(await node.stop(), 'it ends cleanly on Ctrl-C').toBe(0);
  }
});
