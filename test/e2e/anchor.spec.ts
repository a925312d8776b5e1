// A pool with a device that is always on: its admin is asked once, in words that name the price; the device
// is shown as an anchor, and a file opens any time once each device has its piece.

import { expectAccessible } from './accessibility.ts';
import { startHousehold } from './node-device.ts';
import { expect, test } from './palm-fixture.ts';

test('files are kept around a device that is always on, once the pool chose it', async ({ newDevice }) => {
  const household = await startHousehold();
  try {
    const laptop = await newDevice('Laptop', household);
    await laptop.createPool('Harbour house');
    const phone = await newDevice('Phone', household);
    await phone.join(await laptop.invite());
    // The pool of its own that it began with.
    expect((await household.palm(['leave'])).code).toBe(0);
    const joined = await household.palm(['join', '-'], Buffer.from(await laptop.invite()));
    expect(joined.code, joined.stderr).toBe(0);
    await laptop.waitFor(
      'all three',
      ({ devices }) => devices.length === 3 && devices.every(({ state }) => state === 'reachable'),
    );

    const question = laptop.page.getByRole('region', { name: 'Keep files always readable?' });
    await expect(question).toContainText('any one other device together can open every file');
    await expectAccessible(laptop.page, 'the question');
    await expect(phone.page.getByRole('region', { name: 'Keep files always readable?' })).toHaveCount(0);
    await question.getByRole('button', { name: 'Always readable' }).focus();
    await laptop.page.keyboard.press('Enter');
    await expect(question).toHaveCount(0);
    await expect(laptop.page.getByRole('heading', { level: 1 })).toBeFocused();
    await phone.waitFor('the choice', ({ pool }) => pool?.placement === 'anchored');
    await expect(phone.page.getByRole('list', { name: 'Devices' })).toContainText('Anchor');

    const film = laptop.page.getByRole('list', { name: 'Files' }).getByRole('listitem', { name: 'film.mp4' });
    await laptop.store({ seed: 5, length: 40_000 }, { name: 'film.mp4' });
    await expect(film).toContainText('Opens any time');
    expect((await household.palm(['placement'])).stdout.toString()).toContain('Anchored');

    await laptop.page.getByRole('button', { name: 'Pool settings' }).click();
    const settings = laptop.page.getByRole('dialog', { name: 'Pool settings' });
    await settings.getByRole('radio', { name: 'Always readable' }).focus();
    await laptop.page.keyboard.press('ArrowDown');
    await expect(settings.getByRole('radio', { name: 'Spread thin' })).toBeChecked();
    await expectAccessible(laptop.page, 'the settings');
    await settings.getByRole('button', { name: 'Save' }).click();
    await phone.waitFor('the other choice', ({ pool }) => pool?.placement === 'spread');
    await expect(film).toContainText('Opens now');
    expect((await household.palm(['placement', 'thin'])).code).not.toBe(0);
    // The household takes the relay along.
    await Promise.all([laptop.closeTab(), phone.closeTab()]);
  } finally {
    expect(await household.stop()).toBe(0);
  }
});
