// The connection doctor in a browser: what it says of a page that is fine, of a proxy in between, and of an
// address that is not secure; and that its report holds no secret.

import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import type { Diagnosis } from '../../src/runtime/doctor-api.ts';
import { expectAccessible } from './accessibility.ts';
import { expect, test } from './palm-fixture.ts';
import { startProxy } from './relay-proxy.ts';
import { shoot } from './shooting.ts';

/** What a browser of the tests says of a page that is fine: it has no camera and promises to keep nothing. */
const FINE = {
  relay: 'relay-answers',
  socket: 'socket-works',
  trust: 'trust-own-machine',
  worker: 'worker-controls',
  name: 'name-own-machine',
  candidates: 'candidates-masked',
  loopback: 'loopback-works',
  vpn: 'vpn-unseen',
  camera: 'camera-none',
  storage: 'storage-evictable',
  clock: 'clock-same-machine',
};

test('two linked devices: what works is said to, and the report holds no secret', async ({
  newPool,
  relay,
}) => {
  const [ann, ben] = await newPool(['Ann’s secret laptop', 'Ben’s secret phone']);
  if (ann === undefined || ben === undefined) throw new Error('A device is missing.');
  const { page } = ann;
  await ann.store({ seed: 5, length: 40_000 }, { name: 'Secret plan.pdf', path: 'Secret folder' });
  const { link = '' } = await ann.store({ seed: 6, length: 900 }, { name: 'Diary.txt', private: true });
  const invite = await ann.invite();
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await ann.waitFor('Ben', ({ devices }) => devices.filter(({ state }) => state === 'reachable').length > 1);

  const found = await diagnose(page);
  expect(reasonsOf(found)).toMatchObject({ ...FINE, links: 'links-work' });
  expect(found.findings.find(({ what }) => what === 'links')?.text).toBe(
    '1 device is connected with this one.',
  );

  const { device, pool, devices } = await ann.status();
  const { certificate, authority } = await fingerprintsOf(page);
  const secrets = [
    invite.slice(invite.indexOf('#')),
    link.slice(link.indexOf('#')),
    device.id,
    pool?.id ?? '',
    pool?.name ?? '',
    ...devices.map(({ id }) => id),
    'secret laptop',
    'secret phone',
    'Secret plan',
    'Secret folder',
    'Diary',
    certificate,
    authority,
    new URL(relay.app).host,
    ...relay.lan.map((url) => new URL(url).hostname),
  ];
  const all = JSON.stringify(found);
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(3);
    expect(all).not.toContain(secret);
  }

  // As people come to it.
  await page.getByRole('button', { name: 'Pool settings' }).click();
  await page.getByRole('button', { name: 'Try the connection' }).click();
  const dialog = page.getByRole('dialog', { name: 'Connection doctor' });
  await expect(dialog.getByRole('heading', { name: 'Works', exact: true })).toBeVisible();
  await expect(told(dialog, '1 device is connected with this one.')).toBeVisible();
  await expectAccessible(page, 'doctor');
  await ann.context.grantPermissions(['clipboard-write']);
  await dialog.getByRole('button', { name: 'Copy a report' }).click();
  await expect(dialog.getByText('Copied')).toBeVisible();
  await dialog.getByText('Read the report first').click();
  await expect(dialog.locator('pre')).toContainText('Palm connection report');
  await expect(dialog.locator('pre')).toContainText('page, linux, Chrome');
});

test('a proxy in between: what it stops is named', async ({ prepareDevice, relay, faults }) => {
  faults.allow(/WebSocket connection to .* failed|Failed to load resource|ERR_/);
  const proxy = await startProxy(new URL(relay.app));
  const device = await prepareDevice('Laptop', { ...relay, app: proxy.url });
  await device.open();
  const { page } = device;
  await page.evaluate(() => navigator.serviceWorker.ready);
  proxy.become('no-sockets');
  expect(reasonsOf(await diagnose(page))).toMatchObject({
    relay: 'relay-answers',
    socket: 'socket-by-events',
    links: 'links-no-pool',
  });
  proxy.become('no-upgrades');
  expect(reasonsOf(await diagnose(page))).toMatchObject({
    relay: 'relay-answers',
    socket: 'socket-refused',
  });
  proxy.become('signs-in');
  expect(reasonsOf(await diagnose(page))).toMatchObject({
    relay: 'relay-not-palm',
    socket: 'needs-relay',
    loopback: 'loopback-works',
  });
  await proxy.close();
  expect(reasonsOf(await diagnose(page))).toMatchObject({
    relay: 'relay-refused',
    worker: 'worker-next-time',
  });
});

test('the camera is opened only when the person asks for it', async ({ newDevice }) => {
  const { page, appUrl } = await newDevice('Laptop');
  await page.evaluate(() => {
    const { mediaDevices } = navigator;
    let opened = 0;
    const camera = { kind: 'videoinput', deviceId: '', groupId: '', label: '', toJSON: () => ({}) };
    mediaDevices.enumerateDevices = async () => [camera as MediaDeviceInfo];
    mediaDevices.getUserMedia = async () => {
      opened += 1;
      const canvas = document.createElement('canvas');
      canvas.getContext('2d');
      return canvas.captureStream();
    };
    Object.defineProperty(globalThis, 'openedCameras', { get: () => opened });
  });
  await page.evaluate((url) => (location.href = `${url}#/doctor`), appUrl);
  const dialog = page.getByRole('dialog', { name: 'Connection doctor' });
  const openedCount = (): Promise<unknown> => page.evaluate(() => Reflect.get(globalThis, 'openedCameras'));
  await expect(told(dialog, /There is a camera\. Palm was not yet allowed/)).toBeVisible();
  expect(await openedCount()).toBe(0);
  await dialog.getByRole('button', { name: 'Try the camera' }).click();
  await expect(told(dialog, 'The camera opens.')).toBeVisible();
  expect(await openedCount()).toBe(1);
  expect(page.url()).not.toContain('doctor');
});

test('on an address that is not secure the doctor opens without the app', async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  // As any web server would serve the files, without encryption.
  await page.route('http://palm.example/**', async (route) => {
    const { pathname } = new URL(route.request().url());
    const path = join('dist/app', pathname === '/' ? 'index.html' : pathname);
    await route.fulfill({ path }).catch(() => route.fulfill({ status: 404 }));
  });
  await page.goto('http://palm.example/');
  await expect(
    page.getByRole('heading', { name: 'This address is not secure enough for Palm' }),
  ).toBeVisible();
  await page.getByRole('button', { name: 'Find out why' }).click();
  const dialog = page.getByRole('dialog', { name: 'Connection doctor' });
  await expect(dialog.getByRole('heading', { name: 'Blocked' })).toBeVisible();
  for (const text of [
    /This address is not secure: browsers give it no encryption/,
    /Browsers keep no copy of a page from an insecure address/,
    /Browsers give no camera to an insecure address/,
    /Browsers give an insecure address no storage that lasts/,
    /Something else answers at the relay’s address/,
  ])
    await expect(told(dialog, text)).toBeVisible();
  // There is no clipboard here: the report is shown and selected.
  await dialog.getByRole('button', { name: 'Copy a report' }).click();
  await expect(dialog.getByText('Selected: copy it')).toBeVisible();
  expect(await page.evaluate(() => getSelection()?.toString())).toContain('(trust-insecure)');
  await context.close();
});

test('as people see it @long', async ({ newDevice }) => {
  const { page, appUrl } = await newDevice('Laptop');
  await page.evaluate((url) => (location.href = `${url}#/doctor`), appUrl);
  await expect(page.getByRole('heading', { name: 'Works', exact: true })).toBeVisible();
  await shoot(page, 'doctor');
  await page.getByRole('button', { name: 'Copy a report' }).scrollIntoViewIfNeeded();
  await page.getByText('Read the report first').click();
  await shoot(page, 'doctor-report');
});

/** A finding: the report, too, has its text. */
function told(dialog: Locator, text: string | RegExp): Locator {
  return dialog.getByRole('listitem').filter({ hasText: text });
}

function diagnose(page: Page): Promise<Diagnosis> {
  return page.evaluate(() => window.palm.diagnose());
}

function reasonsOf({ findings }: Diagnosis): Record<string, string> {
  return Object.fromEntries(findings.map(({ what, reason }) => [what, reason]));
}

/** Of the relay's certificate, as it tells them. */
async function fingerprintsOf(page: Page): Promise<{ certificate: string; authority: string }> {
  return page.evaluate(async () => (await fetch('/fingerprints')).json());
}
