// Asking to join a nearby pool, in real browsers by keyboard, and with a relay in between that puts its own
// keys in the place of both.

import type { Page, WebSocketRoute } from '@playwright/test';
import { systemRandom } from '../../src/adapters/portable/random.ts';
import { webCryptography } from '../../src/adapters/portable/webcrypto.ts';
import { decodeNearbyLetter, encodeNearbyLetter } from '../../src/core/nearby/nearby-letter.ts';
import type { NearbyLetter, Reveal } from '../../src/core/nearby/nearby-letter.ts';
import {
  agreeOn,
  commitmentTo,
  openNearbyInvite,
  sealNearbyInvite,
  type Exchange,
} from '../../src/core/nearby/short-code.ts';
import {
  decodeClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  encodeRelayFrame,
} from '../../src/core/wire/relay-protocol.ts';
import type { InviteStatus } from '../../src/runtime/invite-api.ts';
import { expectAccessible } from './accessibility.ts';
import type { Device } from './device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';

/** The admin shows its pool, by its screen. */
async function show({ page }: Device): Promise<void> {
  await page.getByRole('button', { name: 'Invite a device' }).click();
  await page.getByRole('button', { name: 'Show this pool nearby' }).click();
  await expect(page.getByRole('dialog').getByText('Devices nearby see this pool’s name.')).toBeVisible();
  await page.keyboard.press('Escape');
}

/** Both screens are at the comparison: the digits of the asker's, and the signs of the member's. */
async function compare(
  admin: Page,
  asker: Page,
  name = 'Phone',
): Promise<{ digits: string; signs: string[] }> {
  await asker.getByRole('button', { name: 'Ask to join Home' }).press('Enter');
  await expect(asker.getByRole('heading', { name: 'Waiting for somebody there' })).toBeFocused();
  await admin.getByRole('button', { name: `Compare with ${name}` }).press('Enter');
  for (const page of [admin, asker]) {
    await expect(page.getByRole('heading', { name: 'Compare the two screens' })).toBeFocused();
  }
  // Neither screen has what must be entered there.
  await expect(admin.getByRole('list', { name: 'The six digits' })).toHaveCount(0);
  await expect(asker.getByRole('list', { name: 'The four signs' })).toHaveCount(0);
  const texts = (page: Page, list: string): Promise<string[]> =>
    page.getByRole('list', { name: list }).getByRole('listitem').allInnerTexts();
  const signs = await admin
    .getByRole('list', { name: 'The four signs' })
    .locator('.sign-name')
    .allInnerTexts();
  return { digits: (await texts(asker, 'The six digits')).join(''), signs };
}

function invites({ page }: Device): Promise<InviteStatus[]> {
  return page.evaluate(() => window.palm.invites());
}

async function choose(page: Page, signs: readonly string[]): Promise<void> {
  const group = page.getByRole('group', { name: 'Signs to choose from' });
  for (const sign of signs) await group.getByRole('button', { name: sign, exact: true }).press('Enter');
  await page.getByRole('button', { name: 'These four' }).press('Enter');
}

test('a device asks to join, two people compare by keyboard, and it is in @long', async ({
  newPool,
  newDevice,
}) => {
  const [admin] = await newPool(['Laptop']);
  if (admin === undefined) throw new Error('The pool has no device.');
  const phone = await newDevice('Phone');
  await expect(phone.page.getByRole('heading', { name: 'Nearby pools' })).toHaveCount(0);
  await show(admin);
  await phone.page.getByLabel('Device name').fill('Phone');
  await expect(phone.page.getByRole('list', { name: 'Nearby pools' }).getByText('Home')).toBeVisible();
  await expectAccessible(phone.page, 'nearby pools');
  // One that has ended is neither compared nor refused any more.
  await compare(admin.page, phone.page);
  await admin.page.keyboard.press('Escape');
  await phone.page.getByRole('button', { name: 'Give up' }).press('Enter');
  await expect(admin.page.getByText('The other device gave its ask up.')).toBeVisible();
  await expect(admin.page.getByRole('button', { name: /^(Compare|Refuse)/ })).toHaveCount(0);
  await admin.page.getByRole('button', { name: 'Clear Phone' }).press('Enter');
  await expect(admin.page.getByText('Nobody asks at the moment.')).toBeVisible();
  const { digits, signs } = await compare(admin.page, phone.page);
  await expectAccessible(admin.page, 'comparing, in the pool');
  await expectAccessible(phone.page, 'comparing, before the pool');

  await admin.page.getByLabel('Six digits of the other screen').fill(digits);
  await admin.page.keyboard.press('Enter');
  await expect(admin.page.getByRole('heading', { name: 'The digits are right' })).toBeFocused();
  await expect(phone.page.getByText('The other device lets this one in.')).toBeVisible();
  expect((await phone.status()).pool).toBeUndefined();
  await choose(phone.page, signs);
  await allLinked([admin, phone]);
  await expect(phone.page.getByRole('heading', { name: 'Home' })).toBeVisible();
  await expect(admin.page.getByRole('heading', { name: 'It is in' })).toBeVisible();
  await admin.page.getByRole('button', { name: 'Done' }).press('Enter');
  const used = (await invites(admin)).filter((invite) => invite.used > 0);
  expect(used).toMatchObject([{ uses: 1, used: 1, state: 'used' }]);
  // Its page closes, and with it the listing.
  const other = await newDevice('Tablet');
  await expect(other.page.getByRole('list', { name: 'Nearby pools' }).getByText('Home')).toBeVisible();
  await admin.closeTab();
  await expect(other.page.getByRole('heading', { name: 'Nearby pools' })).toHaveCount(0);
});

/** What a relay in between needs: one key for both sides, and the letters of both exchanges. */
class Middle {
  /** Invites that it could read. */
  readonly stolen: string[] = [];
  readonly #pair = webCryptography.newExchangePair();
  readonly #nonce = systemRandom.bytes(32);
  #withAsker: Partial<Exchange> = {};
  #withMember: Partial<Exchange> = {};

  /** On the way from the asker. */
  async up(letter: NearbyLetter): Promise<NearbyLetter> {
    const reveal: Reveal = {
      kind: 'reveal',
      ask: letter.ask,
      key: (await this.#pair).publicKey,
      nonce: this.#nonce,
    };
    if (letter.kind === 'ask') {
      const ask = { ...letter, commitment: commitmentTo(reveal) };
      this.#withAsker = { ask: letter };
      this.#withMember = { ask };
      return ask;
    }
    if (letter.kind !== 'reveal') return letter;
    this.#withAsker = { ...this.#withAsker, reveal: letter };
    this.#withMember = { ...this.#withMember, reveal };
    return reveal;
  }

  /** On the way from the member. */
  async down(letter: NearbyLetter): Promise<NearbyLetter> {
    const own = await this.#pair;
    if (letter.kind === 'answer') {
      const answer = { ...letter, key: own.publicKey };
      this.#withAsker = { ...this.#withAsker, answer };
      this.#withMember = { ...this.#withMember, answer: letter };
      return answer;
    }
    const [asker, member] = [whole(this.#withAsker), whole(this.#withMember)];
    if (letter.kind !== 'invite' || asker === undefined || member === undefined) return letter;
    const ofMember = await agreeOn(member, own, member.answer.key, webCryptography);
    const ofAsker = await agreeOn(asker, own, asker.reveal.key, webCryptography);
    const invite = await openNearbyInvite(letter.sealed, ofMember, webCryptography);
    if (invite === undefined) return letter;
    this.stolen.push(invite);
    return { ...letter, sealed: await sealNearbyInvite(invite, ofAsker, webCryptography) };
  }
}

function whole({ ask, answer, reveal }: Partial<Exchange>): Exchange | undefined {
  return ask === undefined || answer === undefined || reveal === undefined
    ? undefined
    : { ask, answer, reveal };
}

/** The asker's connections to the relay, with `middle` in them. */
function between(middle: Middle, socket: WebSocketRoute): void {
  const relay = socket.connectToServer();
  let isLobby = false;
  socket.onMessage(async (message) => {
    const frame = decodeClientFrame(Uint8Array.from(Buffer.from(message)));
    if (frame.kind === 'look') isLobby = true;
    if (!isLobby || frame.kind !== 'forward') return relay.send(message);
    const letter = await middle.up(decodeNearbyLetter(frame.envelope));
    relay.send(Buffer.from(encodeClientFrame({ ...frame, envelope: encodeNearbyLetter(letter) })));
  });
  relay.onMessage(async (message) => {
    const frame = decodeRelayFrame(Uint8Array.from(Buffer.from(message)));
    if (!isLobby || frame.kind !== 'envelope') return socket.send(message);
    const letter = await middle.down(decodeNearbyLetter(frame.envelope));
    socket.send(Buffer.from(encodeRelayFrame({ ...frame, envelope: encodeNearbyLetter(letter) })));
  });
}

test('with a relay in between the two screens differ, and nobody is let in', async ({
  newPool,
  prepareDevice,
}) => {
  const [admin] = await newPool(['Laptop']);
  if (admin === undefined) throw new Error('The pool has no device.');
  const middle = new Middle();
  const phone = await prepareDevice('Phone');
  await phone.context.routeWebSocket(/\/relay$/u, (socket) => between(middle, socket));
  await phone.open();
  await show(admin);
  // A name that would turn what stands around it: its sign is written out.
  await phone.page.getByLabel('Device name').fill('Pho\u202Ene');
  const before = await invites(admin);
  const { digits, signs } = await compare(admin.page, phone.page, 'Pho⟦U+202E⟧ne');
  // What the person there reads from the other screen is not what this one has.
  for (const words of ['These are not the digits of this code', 'What was entered is not what the other']) {
    await admin.page.getByLabel('Six digits of the other screen').fill(digits);
    await admin.page.keyboard.press('Enter');
    await expect(admin.page.getByRole('alert').filter({ hasText: words })).toBeVisible();
  }
  await expect(admin.page.getByRole('heading', { name: 'It is not in' })).toBeFocused();
  await expect(phone.page.getByRole('heading', { name: 'That did not work' })).toBeFocused();
  await expect(phone.page.getByRole('dialog').getByText('somebody between the two devices')).toBeVisible();
  expect(middle.stolen).toEqual([]);
  expect(signs).toHaveLength(4);
  expect(await invites(admin)).toEqual(before);
  expect((await phone.status()).pool).toBeUndefined();
});
