// Site data that is cleared while the page is open: the others stop counting on it within seconds, and the
// person is told what to do.

import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';

const NOTE = { seed: 31, length: 400_000 };
/** The page looks every 5 s. */
const NOTICED_MS = 12_000;

for (const storageTypes of ['all', 'file_systems']) {
  const tag = storageTypes === 'all' ? [] : ['@long'];
  test(
    `cleared site data (${storageTypes}) is noticed under the open page, and claims are withdrawn`,
    { tag },
    async ({ newPool }) => {
      const [laptop, phone, tablet] = await newPool(['Laptop', 'Phone', 'Tablet']);
      if (laptop === undefined || phone === undefined || tablet === undefined) throw new Error('missing');
      const { fileId } = await laptop.store(NOTE, { name: 'note.bin' });
      const { id } = (await tablet.status()).device;
      for (const device of [laptop, phone]) await expectHolder(device, fileId, id, true);

      const devTools = await tablet.context.newCDPSession(tablet.page);
      const { origin } = new URL(tablet.appUrl);
      await devTools.send('Storage.clearDataForOrigin', { origin, storageTypes });
      for (const device of [laptop, phone]) await expectHolder(device, fileId, id, false);

      const alert = tablet.page
        .getByRole('alert')
        .filter({ hasText: 'was deleted while this page was open' });
      await expect(alert).toContainText('join the pool again with an invite', { timeout: NOTICED_MS });
      expect((await tablet.status()).pool).toBeUndefined();
      if (storageTypes !== 'all') return;
      await laptop.waitFor('the lost device to be gone', ({ devices }) => devices.length === 2);
      await tablet.page.getByRole('button', { name: 'Reload' }).click();
      await expect(tablet.page.getByRole('button', { name: 'Create a pool' })).toBeVisible();
      await tablet.join(await laptop.invite());
      await laptop.waitFor('the tablet to be back', ({ devices }) => devices.length === 3);
    },
  );
}

async function expectHolder(device: Device, fileId: string, id: string, isHolder: boolean): Promise<void> {
  const holds = async (): Promise<boolean | undefined> => {
    const { files } = await device.status();
    return files.find((file) => file.fileId === fileId)?.holders.some(({ deviceId }) => deviceId === id);
  };
  await expect.poll(holds, { timeout: NOTICED_MS }).toBe(isHolder);
}
