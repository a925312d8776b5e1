// Pairing by two codes, in real browsers with the relay killed: a newcomer is let in and introduced to
// everybody, and a member that lost the others finds them again.

import type { PalmStatus } from '../../src/runtime/api.ts';
import { expectAccessible } from './accessibility.ts';
import type { Device } from './device.ts';
import { RELAY_KILLED } from './faults.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const BEFORE = { seed: 71, length: 3_000_000 };
const AFTER = { seed: 72, length: 3_000_000 };

/** `first` shows the first code, `second` the answer. Resolves once they are linked. */
async function pair(first: Device, second: Device): Promise<void> {
  const answer = await second.pairAnswer(await first.pairOffer());
  await first.pairAccept(answer);
  await second.waitFor('the pairing to be done', ({ pairing }) => pairing?.step === 'linked');
}

/** The newcomer uses its screens, and no camera. Returns the answer. */
async function pairByPasting(member: Device, newcomer: Device): Promise<string> {
  const offer = await member.pairOffer();
  const { page } = newcomer;
  await page.getByLabel('Device name').fill(newcomer.name);
  await page.getByRole('button', { name: 'Pair without a relay' }).click();
  await expect(page.getByRole('heading', { name: 'Step 1 of 3: scan the first code' })).toBeFocused();
  await page.getByLabel('Or paste the code').fill(offer.slice(0, -9));
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.getByText('its last 9 characters are missing')).toBeVisible();
  await expectAccessible(page, 'scanning the first code');
  await page.getByLabel('Or paste the code').fill(offer);
  await page.getByRole('button', { name: 'Use this code' }).click();
  await expect(page.getByRole('heading', { name: 'Step 2 of 3: show the answer' })).toBeFocused();
  const answer = await page.getByLabel('The code as text').inputValue();
  await member.pairAccept(answer);
  await expect(page.getByRole('heading', { name: 'Home' })).toBeVisible();
  return answer;
}

test('without a relay a newcomer is let in by codes, and meets those who were there', async ({
  newPool,
  newDevice,
  privateRelay,
  faults,
}) => {
  faults.allow(RELAY_KILLED);
  faults.allow(/ERR_FAILED/);
  const [laptop, tablet] = await newPool(['Laptop', 'Tablet'], privateRelay);
  if (laptop === undefined || tablet === undefined) throw new Error('The pool has no devices.');
  const phone = await newDevice('Phone', privateRelay);
  // What a network does that lets pages load and nothing else through: this member finds nobody again.
  await tablet.context.routeWebSocket(/\/relay/u, (socket) => socket.close());
  await tablet.context.route(/\/relay/u, (route) => route.abort());
  await tablet.reload();
  await privateRelay.kill();
  await laptop.waitFor('the relay to be seen lost', ({ pool }) => pool?.relay === 'lost');
  await test.step('a member that lost the others finds them by codes', async () => {
    const alone = ({ devices }: PalmStatus) =>
      devices.filter(({ state }) => state === 'reachable').length === 1;
    expect(alone(await laptop.status()) && alone(await tablet.status())).toBe(true);
    await pair(tablet, laptop);
    await allLinked([laptop, tablet]);
  });
  const { fileId } = await laptop.store(BEFORE, { name: 'before.bin' });

  const answer = await pairByPasting(laptop, phone);
  await allLinked([laptop, tablet, phone]);
  expect(await phone.read(fileId)).toEqual(expectedBytes(BEFORE.seed, BEFORE.length));
  const after = await phone.store(AFTER, { name: 'after.bin' });
  await tablet.waitFor('the file', ({ files }) => files.some((file) => file.fileId === after.fileId));
  expect(await tablet.read(after.fileId)).toEqual(expectedBytes(AFTER.seed, AFTER.length));
  expect((await phone.status()).role).toBe('member');

  await test.step('an answer that was used is refused, and changes nothing', async () => {
    await expect(laptop.pairAccept(answer)).rejects.toMatchObject({
      code: 'bad-pair-code',
      message: expect.stringContaining('it was used, or its time is over'),
    });
  });

  await test.step('a member whose page was closed meanwhile is not needed, nor is the first one', async () => {
    await laptop.closeTab();
    expect(await tablet.read(after.fileId)).toEqual(expectedBytes(AFTER.seed, AFTER.length));
  });
});
