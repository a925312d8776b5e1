// Fragments move: second copies go once a device is back after what it held was restored, and a device that
// leaves nicely hands everything over first.

import type { PalmStatus } from '../../src/runtime/api.ts';
import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

/** The least that a policy may have, ms. */
const GRACES = { alwaysOn: 10_000, laptop: 10_000, phone: 10_000 };
const [K, N] = [2, 4];
const REST_MS = 120_000;
const CONTENT = { seed: 91, length: 3_000_000 };

test('a device returns and second copies go; another hands over and leaves, and the file stays whole', async ({
  newPool,
  faults,
}) => {
  test.setTimeout(300_000);
  faults.allow(/the page crashed/);
  const five = await newPool(['Laptop', 'Desk', 'Ann', 'Ben', 'Cleo']);
  const [laptop] = five;
  if (laptop === undefined) throw new Error('The pool has no device.');
  await laptop.page.evaluate((graceMs) => window.palm.setPolicy({ graceMs, repairShare: 1 }), GRACES);
  const { fileId } = await laptop.store(CONTENT, { name: 'trip.mp4', k: K, n: N });
  await untilOnce(five, fileId, 5);
  const holders = await holdersAmong(five.slice(1), fileId);
  const [returning, leaving] = holders;
  if (returning === undefined || leaving === undefined) throw new Error('Two others hold some of it.');

  await test.step('what a killed device held is restored, and when it returns, each fragment stays once', async () => {
    const { id } = (await returning.status()).device;
    await returning.killTab();
    const isRestored = (status: PalmStatus): boolean =>
      status.devices.some((device) => device.id === id && device.state === 'gone') &&
      durableCopies(status, fileId) === N;
    const four = five.filter((device) => device !== returning);
    for (const device of four) await device.waitFor('the file to be whole', isRestored, REST_MS);
    await returning.open();
    await laptop.waitFor('the second copies', (status) => durableCopies(status, fileId) > N, REST_MS);
    await untilOnce(five, fileId, 5);
  });

  await test.step('a device hands over and leaves', async () => {
    const { page } = leaving;
    await page.getByRole('button', { name: 'Leave pool' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Hand over first' }).click();
    await expect(dialog.getByRole('progressbar', { name: 'Handing over' })).toBeVisible();
    await expect(page.getByRole('button', { name: 'Create a pool' })).toBeVisible({ timeout: REST_MS });
    const rest = five.filter((device) => device !== leaving);
    await untilOnce(rest, fileId, 4);
    for (const device of rest)
      expect(await device.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
  });
});

/** Until all of `devices` see only themselves, and each fragment on one device. */
async function untilOnce(devices: readonly Device[], fileId: string, deviceCount: number): Promise<void> {
  const isOnce = (status: PalmStatus): boolean =>
    status.devices.filter(({ state }) => state === 'reachable').length === deviceCount &&
    durableCopies(status, fileId) === N &&
    status.files.some((file) => file.fileId === fileId && file.durable === N && !file.inOutbox);
  for (const device of devices) await device.waitFor('each fragment to be there once', isOnce, REST_MS);
}

/** Copies of the file's fragments on devices that are not gone. */
function durableCopies({ files, devices }: PalmStatus, fileId: string): number {
  const gone = devices.filter(({ state }) => state === 'gone').map(({ id }) => id);
  const holders = files.find((file) => file.fileId === fileId)?.holders ?? [];
  return holders
    .filter(({ deviceId }) => !gone.includes(deviceId))
    .reduce((sum, { fragments }) => sum + fragments.length, 0);
}

async function holdersAmong(devices: readonly Device[], fileId: string): Promise<Device[]> {
  const statuses = await Promise.all(devices.map((device) => device.status()));
  return devices.filter((_, at) => {
    const status = statuses[at];
    const holders = status?.files.find((file) => file.fileId === fileId)?.holders ?? [];
    return holders.some(({ deviceId, fragments }) => deviceId === status?.device.id && fragments.length > 0);
  });
}
