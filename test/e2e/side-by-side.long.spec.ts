// Two builds of the app at once, as while a household updates: the relay was started with a newer one, and
// pages of before still run. They are in one pool, and no update interrupts what moves.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { RELAY_KILLED } from './faults.ts';
import { isOtherBuild, makeOtherBuild } from './other-build.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { startRelay, type RelayProcess } from './relay-process.ts';
import { expectedBytes } from './seeded-bytes.ts';

const FILM = { seed: 1810, length: 24_000_000 };
const NOTES = { seed: 1811, length: 200_000 };
const WAIT_MS = 60_000;

declare global {
  interface Window {
    /** A read that a test holds in the middle. */
    held: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  }
}

test('an older and a newer version are one pool, and an update waits for what moves', async ({
  prepareDevice,
  faults,
}) => {
  test.setTimeout(240_000);
  faults.allow(RELAY_KILLED);
  const data = mkdtempSync(join(tmpdir(), 'palm-household-'));
  const flags = ['--no-turn', '--data', data];
  let relay: RelayProcess = await startRelay(0, undefined, flags);
  const newer = makeOtherBuild();
  try {
    const { app } = relay;
    const laptop = await prepareDevice('Laptop', relay);
    await laptop.open();
    const phone = await prepareDevice('Phone', relay);
    await phone.open();
    await laptop.createPool('Home');
    const invite = await laptop.invite();
    await phone.join(invite);
    await allLinked([laptop, phone]);
    // As on each visit but the first, the service worker has this page.
    await laptop.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await laptop.reload();
    await allLinked([laptop, phone]);
    const { fileId } = await laptop.store(FILM, { name: 'film.mp4', k: 2, n: 4 });
    const offer = (page: Page) => page.getByRole('button', { name: 'Update', exact: true });

    await test.step('the relay comes back with a newer app while something is read', async () => {
      await laptop.page.evaluate(async (id) => {
        window.held = window.palm.read(id).getReader();
        await window.held.read();
      }, fileId);
      await relay.kill();
      const port = new URL(app).port;
      relay = await startRelay(0, undefined, [...flags, '--http-port', port, '--app', newer]);
      expect(relay.app).toBe(app);
      await waiting(laptop.page);
      // A look later, to give it the time to be shown.
      await laptop.waitFor('the relay', ({ pool }) => pool?.relay === 'connected', WAIT_MS);
      expect((await laptop.status()).transfers).toHaveLength(1);
      await expect(offer(laptop.page)).toBeHidden();
      expect(await isOtherBuild(laptop.page)).toBe(false);
    });

    const tablet = await prepareDevice('Tablet', relay);
    await test.step('a device with the newer one is in the same pool as those with the older', async () => {
      await tablet.open();
      expect(await isOtherBuild(tablet.page)).toBe(true);
      await tablet.join(invite);
      await allLinked([laptop, phone, tablet]);
      const notes = await tablet.store(NOTES, { name: 'notes.txt', k: 2, n: 4 });
      expect(await phone.read(notes.fileId)).toEqual(expectedBytes(NOTES.seed, NOTES.length));
      expect(await tablet.read(fileId)).toEqual(expectedBytes(FILM.seed, FILM.length));
      const notices = [laptop, phone, tablet].map(async (device) => (await device.status()).notices);
      expect((await Promise.all(notices)).flat()).toEqual([]);
      await expect(offer(laptop.page)).toBeHidden();
    });

    await test.step('once nothing moves it is offered, and takes over', async () => {
      const rest = await laptop.page.evaluate(async () => {
        let length = 0;
        for (let next = await window.held.read(); !next.done; next = await window.held.read())
          length += next.value.length;
        return length;
      });
      expect(rest).toBeGreaterThan(0);
      await expect(offer(laptop.page)).toBeVisible();
      const second = await laptop.openSecondTab();
      expect(await isOtherBuild(second.page)).toBe(false);
      await expect(offer(second.page)).toBeVisible();
      const loaded = laptop.page.waitForEvent('load');
      await offer(laptop.page).click();
      await loaded;
      expect(await isOtherBuild(laptop.page)).toBe(true);

      // The other tab has what the first one replaced: its button works all the same.
      const reloaded = second.page.waitForEvent('load');
      await offer(second.page).click();
      await reloaded;
      expect(await isOtherBuild(second.page)).toBe(true);
      await expect(second.page.getByRole('listitem', { name: 'film.mp4' })).toBeVisible();
      await expect(laptop.page.getByRole('listitem', { name: 'film.mp4' })).toBeVisible();
    });

    await test.step('a page of a first visit, which no service worker has, is offered it as well', async () => {
      expect(await phone.page.evaluate(() => navigator.serviceWorker.controller)).toBeNull();
      await expect(offer(phone.page)).toBeVisible();
    });

    await test.step('the pool goes on', async () => {
      await allLinked([laptop, phone, tablet]);
      expect(await isOtherBuild(phone.page)).toBe(false);
      const after = await laptop.store(NOTES, { name: 'after.txt', k: 2, n: 4 });
      expect(await phone.read(after.fileId)).toEqual(expectedBytes(NOTES.seed, NOTES.length));
      expect(await laptop.read(fileId)).toEqual(expectedBytes(FILM.seed, FILM.length));
    });
  } finally {
    await relay.stop();
    rmSync(newer, { recursive: true, force: true });
    rmSync(data, { recursive: true, force: true });
  }
});

/** Resolves when the browser has a newer service worker ready, which waits to be let in. */
async function waiting(page: Page): Promise<void> {
  await expect
    .poll(
      () => page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.waiting?.state),
      { timeout: WAIT_MS },
    )
    .toBe('installed');
}
