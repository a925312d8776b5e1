// The relay only introduces devices to each other. Once linked, they work without it.

import { RELAY_KILLED } from './faults.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

test('storing and reading continue after the relay is killed', async ({ newPool, privateRelay, faults }) => {
  faults.allow(RELAY_KILLED);
  const devices = await newPool(['Laptop', 'Phone', 'Tablet'], privateRelay);
  const [laptop, phone] = devices;
  if (laptop === undefined || phone === undefined) throw new Error('The pool has no devices.');

  await privateRelay.kill();
  for (const device of devices) {
    await device.waitFor('the relay to be seen lost', ({ pool }) => pool?.relay === 'lost');
  }

  const content = { seed: 11, length: 5_000_000 };
  const { fileId } = await laptop.store(content, { name: 'after the relay.bin' });
  await phone.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  expect(await phone.read(fileId)).toEqual(expectedBytes(content.seed, content.length));
  const { devices: seen } = await phone.status();
  expect(seen.map(({ state }) => state)).toEqual(['reachable', 'reachable', 'reachable']);
});

test('a pool opens although the relay takes requests and never answers', async ({ newDevice }) => {
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Home');
  const { page } = laptop;
  const asked: string[] = [];
  await page.route(
    /\/(?:fingerprints|lan)$/u,
    (route) => void asked.push(new URL(route.request().url()).pathname),
  );
  await laptop.reload();
  await expect(page.getByRole('heading', { name: 'Home' })).toBeVisible();
  expect(asked.toSorted()).toEqual(['/fingerprints', '/lan']);
});
