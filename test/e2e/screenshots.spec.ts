// Every screen as people see it, from the real app with real data, audited by axe at a phone's size. Where
// pictures are wanted (shooting.ts), they go into screenshots/: nothing is compared, people look at them.
// `npm run screenshot` makes the README's.

import type { CDPSession } from '@playwright/test';
import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';
import { shoot } from './shooting.ts';

const FILES = [
  { name: 'Harbour at dusk.jpg', path: '', length: 2_400_000 },
  { name: 'Tax return 2026.pdf', path: 'Papers', length: 380_000 },
  { name: 'Grandma’s recipes.txt', path: '', length: 4_200 },
  { name: 'First steps.mp4', path: 'Films', length: 12_000_000 },
] as const;

test('screens before a pool', async ({ newDevice }) => {
  const laptop = await newDevice('Anna’s laptop');
  await expect(laptop.page.getByRole('button', { name: 'Create a pool' })).toBeVisible();
  await shoot(laptop.page, 'first');

  await laptop.page.getByLabel('Invite link').fill('http://localhost/#/join/cut-short');
  await laptop.page.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(laptop.page.getByRole('alert').first()).toBeVisible();
  await shoot(laptop.page, 'first-error');

  await laptop.page.getByRole('button', { name: 'Dismiss' }).first().click();
  await laptop.page.getByLabel('Pool name').fill('Harbour house');
  await laptop.page.getByRole('button', { name: 'Create a pool' }).click();
  await expect(laptop.page.getByRole('heading', { name: 'Harbour house' })).toBeVisible();
  await laptop.waitFor('the relay', ({ pool }) => pool?.relay === 'connected');
  await shoot(laptop.page, 'pool-empty');

  const phone = await newDevice('Phone');
  await phone.closeTab();
  await phone.open(await laptop.invite());
  await expect(phone.page.getByRole('button', { name: 'Join', exact: true })).toBeVisible();
  await shoot(phone.page, 'join');

  // A tab that has the device, and does not answer.
  const silent = await laptop.context.newPage();
  // The service worker would answer with the app.
  const network = await laptop.context.newCDPSession(silent);
  await network.send('Network.enable');
  await network.send('Network.setBypassServiceWorker', { bypass: true });
  await silent.route('**/silent', (route) =>
    route.fulfill({ contentType: 'text/html', body: '<link rel="icon" href="data:,">' }),
  );
  await silent.goto(new URL('/silent', laptop.appUrl).href);
  await laptop.closeTab();
  await silent.evaluate(() => {
    void navigator.locks.request('palm/device', () => new Promise<void>(() => undefined));
  });
  const second = await laptop.context.newPage();
  await second.goto(laptop.appUrl);
  await expect(second.getByText('Palm is open in another tab')).toBeVisible();
  await shoot(second, 'other-tab');
});

test('screens of an ask to join', { tag: '@long' }, async ({ newDevice }) => {
  const laptop = await newDevice('Anna’s laptop');
  await laptop.createPool('Harbour house');
  const { page } = laptop;
  await page.getByRole('button', { name: 'Invite a device' }).click();
  await page.getByRole('button', { name: 'Show this pool nearby' }).click();
  await expect(page.getByRole('dialog').getByText('Devices nearby see this pool’s name.')).toBeVisible();
  await page.getByRole('heading', { name: 'Show this pool nearby' }).scrollIntoViewIfNeeded();
  await shoot(page, 'nearby-listing');
  await page.keyboard.press('Escape');
  const phone = await newDevice('Phone');
  const ask = phone.page.getByRole('button', { name: 'Ask to join Harbour house' });
  await expect(ask).toBeVisible();
  await shoot(phone.page, 'nearby-pools');
  await phone.page.getByLabel('Device name').fill('Ben’s phone');
  await ask.press('Enter');
  await expect(phone.page.getByRole('heading', { name: 'Waiting for somebody there' })).toBeVisible();
  await shoot(phone.page, 'nearby-asking');
  await expect(page.getByRole('button', { name: 'Compare with Ben’s phone' })).toBeVisible();
  await shoot(page, 'nearby-asks');
  await page.getByRole('button', { name: 'Compare with Ben’s phone' }).press('Enter');
  await expect(page.getByLabel('Six digits of the other screen')).toBeVisible();
  await shoot(page, 'nearby-comparing-member');
  await expect(phone.page.getByRole('list', { name: 'The six digits' })).toBeVisible();
  await shoot(phone.page, 'nearby-comparing-asker');
  await page.getByLabel('Six digits of the other screen').fill('12 34');
  const digits = await phone.page.getByRole('list', { name: 'The six digits' }).innerText();
  await page.getByLabel('Six digits of the other screen').fill(digits.replaceAll(/\s/gu, ''));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'The digits are right' })).toBeVisible();
  await shoot(page, 'nearby-allowed');
  const signs = phone.page.getByRole('group', { name: 'Signs to choose from' }).getByRole('button');
  for (const round of [1, 2]) {
    await expect(phone.page.getByText('None chosen yet.')).toBeVisible();
    for (let count = 0; count < 4; count += 1) await signs.nth(round + 3).press('Enter');
    await phone.page.getByRole('button', { name: 'These four' }).press('Enter');
    await expect(phone.page.getByRole('alert')).toBeVisible();
  }
  await shoot(phone.page, 'nearby-failed');
});

test('screens of a pool', async ({ newPool }) => {
  test.setTimeout(200_000);
  const devices = await newPool(['Anna’s laptop', 'Anna’s phone', 'Tablet', 'Desktop', 'Ben’s phone']);
  const [laptop, , , , lastPhone] = devices;
  if (laptop === undefined || lastPhone === undefined) throw new Error('A device is missing.');
  const { page } = laptop;
  for (const [index, { name, path, length }] of FILES.entries()) {
    await laptop.store({ seed: 60 + index, length }, { name, path });
  }
  await laptop.store({ seed: 70, length: 9_000 }, { name: 'Diary.txt', private: true });
  await placed(laptop);
  await expect(page.getByRole('list', { name: 'Files' }).getByRole('listitem')).toHaveCount(FILES.length + 1);
  await shoot(page, 'pool');

  await page.getByRole('button', { name: 'Invite a device' }).click();
  await expect(page.getByRole('dialog').getByRole('img')).toBeVisible();
  await shoot(page, 'invite');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: `Rename or keep here: ${FILES[2].name}` }).click();
  const keepHere = page.getByRole('checkbox', { name: 'Keep here' });
  await keepHere.click();
  await expect(keepHere).toBeChecked();
  await page.getByLabel('Name', { exact: true }).fill('');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeVisible();
  await shoot(page, 'file');
  await page.keyboard.press('Escape');

  await page.getByRole('listitem', { name: FILES[2].name }).getByRole('button', { name: 'Remove' }).click();
  // The time to undo does not run while a person is at the button.
  await page.getByRole('button', { name: 'Undo' }).focus();
  await shoot(page, 'removed');
  await page.keyboard.press('Enter');

  await page.getByRole('button', { name: 'Leave pool' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await shoot(page, 'leave');
  await page.keyboard.press('Escape');

  await test.step('transfers', async () => {
    await page.evaluate(() => {
      // So large that it is not done before it is cancelled.
      const piece = window.palmTest.seededBytes(77, 1_000_000);
      const blob = new Blob(Array.from({ length: 150 }, () => piece));
      const options = { name: 'Holiday film.mp4', mime: 'video/mp4' };
      // Cancelled below: its outcome does not matter.
      void window.palmTest.outcome(() => window.palm.store(blob, options));
    });
    await laptop.waitFor('the transfer', ({ transfers }) => transfers.some(({ doneBytes }) => doneBytes > 0));
    await expect(page.getByRole('progressbar').first()).toBeVisible();
    await shoot(page, 'transfers');
    await page.evaluate(() => {
      for (const { id } of window.palm.status().transfers) window.palm.cancel(id);
    });
  });

  await test.step('interrupted', async () => {
    const interrupt = async (seed: number, handle: boolean): Promise<void> => {
      await page.evaluate(
        async ([given, withHandle]) => {
          const piece = window.palmTest.seededBytes(given, 1_000_000);
          const blob = new Blob(Array.from({ length: 90 }, () => piece));
          const root = await navigator.storage.getDirectory();
          const opened = await root.getFileHandle('moved.mp4', { create: true });
          const options = { name: withHandle ? 'Grandpa’s 80th birthday, uncut.mp4' : 'Holiday film.mp4' };
          void window.palm.store(blob, withHandle ? { ...options, handle: opened } : options);
        },
        [seed, handle] as const,
      );
      await laptop.waitFor('it to be under way', ({ transfers }) =>
        transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > 10_000_000),
      );
      await laptop.reload();
    };
    await page.addInitScript(() => {
      const answers = { queryPermission: async () => 'prompt', requestPermission: async () => 'denied' };
      Object.assign(FileSystemFileHandle.prototype, answers);
    });
    await interrupt(78, false);
    await interrupt(79, true);
    const last = page.getByRole('listitem', { name: 'Grandpa' });
    await expect(last.getByRole('button', { name: 'Continue' })).toBeVisible();
    await shoot(page, 'interrupted');
    await last.getByRole('button', { name: 'Continue' }).click();
    await expect(last.getByRole('alert')).toBeVisible();
    await expect(last.getByLabel('Choose the file again')).toBeVisible();
    await shoot(page, 'interrupted-denied');
    for (const { id } of (await laptop.status()).unfinished)
      await page.evaluate((one) => window.palm.discardStore(one), id);
  });

  const dialog = page.getByRole('dialog');
  const { keyboard } = page;
  await test.step('settings, by keyboard', async () => {
    await page.getByRole('button', { name: 'Pool settings' }).press('Enter');
    await expect(dialog.getByLabel('Laptops', { exact: true })).toHaveValue('1');
    await shoot(page, 'settings');
    await dialog.getByLabel('Laptops', { exact: true }).fill('a week');
    await dialog.getByLabel('in percent').fill('0');
    await keyboard.press('Enter');
    await expect(dialog.getByRole('alert')).toHaveText([/Laptops: enter a time/, /1 to 100 percent/]);
    // Where to go on typing.
    await expect(dialog.getByLabel('Laptops', { exact: true })).toBeFocused();
    await shoot(page, 'settings-error');
    await keyboard.type('1,5');
    await keyboard.press('Tab');
    await keyboard.type('days');
    await dialog.getByLabel('in percent').fill('35');
    await keyboard.press('Enter');
    await expect(dialog).toBeHidden();
    const policy = await page.evaluate(() => window.palm.policy());
    expect(policy).toMatchObject({ graceMs: { laptop: 129_600_000, phone: 259_200_000 }, repairShare: 0.35 });
    await expect(page.getByRole('button', { name: 'Pool settings' })).toBeFocused();
  });

  await test.step('handing over, by keyboard', async () => {
    // A pool keeps an admin and a code, so its founder makes both before it leaves.
    const { device: successor } = await lastPhone.status();
    await page.evaluate((id) => window.palm.grant(id, 'admin'), successor.id);
    await page.evaluate(() => window.palm.makeRecoveryCode());
    // The others stand still, and take nothing.
    const sessions: CDPSession[] = [];
    for (const other of devices.slice(1)) {
      const debugging = await other.context.newCDPSession(other.page);
      await debugging.send('Debugger.enable');
      await debugging.send('Debugger.pause');
      sessions.push(debugging);
    }
    await page.getByRole('button', { name: 'Leave pool' }).press('Enter');
    await dialog.getByRole('button', { name: 'Hand over first' }).press('Enter');
    await expect(dialog.getByRole('progressbar', { name: 'Handing over' })).toBeVisible();
    await shoot(page, 'handing-over');
    await keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    const region = page.getByRole('region', { name: 'Before this device leaves' });
    await expect(region.getByRole('progressbar')).toBeVisible();
    await shoot(page, 'handing-over-in-background');
    await region.getByRole('button', { name: 'Stay' }).press('Enter');
    await expect(region).toBeHidden();
    expect((await laptop.status()).leaving).toBeUndefined();
    for (const debugging of sessions) await debugging.detach();
  });

  await test.step('devices away', async () => {
    for (const device of devices.slice(1)) await device.closeTab();
    await laptop.waitFor('files out of reach', (status) => status.files.every(({ reach, k }) => reach < k));
    await shoot(page, 'out-of-reach');
  });
});

async function placed(device: Device): Promise<void> {
  await device.waitFor('every file to be placed', ({ files }) =>
    files.every(({ inOutbox, safe }) => !inOutbox && safe),
  );
}
