// Every screen as people see it, at phone and laptop size (one Playwright project each), light and dark, from
// the real app with real data, into screenshots/. Nothing is compared; people look at them. Those of the
// phone are audited by axe. `npm run screenshot` makes the README's.

import type { Page } from '@playwright/test';
import { expectAccessible } from './accessibility.ts';
import type { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';

const FILES = [
  { name: 'Harbour at dusk.jpg', path: '', length: 2_400_000 },
  { name: 'Tax return 2026.pdf', path: 'Papers', length: 380_000 },
  { name: 'Grandma’s recipes.txt', path: '', length: 4_200 },
  { name: 'First steps.mp4', path: 'Films', length: 12_000_000 },
] as const;

test('screens before a pool', async ({ newDevice }, { project }) => {
  const shoot = shooterOf(project.name);
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

  const second = await laptop.context.newPage();
  await second.goto(laptop.appUrl);
  await expect(second.getByText('Palm is open in another tab')).toBeVisible();
  await shoot(second, 'other-tab');
});

test('screens of a pool', async ({ newPool }, { project }) => {
  test.setTimeout(200_000);
  const shoot = shooterOf(project.name);
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
    await page.evaluate((bytes) => {
      const blob = new Blob([window.palmTest.seededBytes(77, bytes)]);
      const options = { name: 'Holiday film.mp4', mime: 'video/mp4' };
      // Cancelled below: its outcome does not matter.
      void window.palmTest.outcome(() => window.palm.store(blob, options));
    }, 150_000_000);
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
          const blob = new Blob([window.palmTest.seededBytes(given, 90_000_000)]);
          const root = await navigator.storage.getDirectory();
          const opened = await root.getFileHandle('moved.mp4', { create: true });
          const options = { name: withHandle ? 'Grandpa’s 80th birthday, uncut.mp4' : 'Holiday film.mp4' };
          void window.palm.store(blob, withHandle ? { ...options, handle: opened } : options);
        },
        [seed, handle] as const,
      );
      await laptop.waitFor('it to be half encrypted', ({ transfers }) =>
        transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > 30_000_000),
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

/** Captures the visible top of the page, in light and in dark. On a phone axe looks at the whole of it. */
function shooterOf(projectName: string): (page: Page, name: string) => Promise<void> {
  return async (page, name) => {
    await page.evaluate(() => window.scrollTo(0, 0));
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const path = `screenshots/${projectName}-${colorScheme}/${name}.png`;
      await page.screenshot({ path, animations: 'disabled' });
      if (projectName === 'phone') await expectAccessible(page, `${name}, ${colorScheme}`);
    }
  };
}
