// Browsers that look the relay's name up by mDNS and trust its authority, as people's do after the onboarding
// page: nothing in them is told where the relay is. Each is on a host of its own.

import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserContext, chromium, expect, type Page, test } from '@playwright/test';
import { browserArguments, findBrowser } from '../browser.mjs';
import { Lan, type LanHost, whyNoNames } from '../fixtures/lan.ts';
import { Device } from './device.ts';
import { allLinked } from './palm-fixture.ts';
import { startRelay, type ToldRelay } from './relay-process.ts';
import { expectedBytes } from './seeded-bytes.ts';

const hasCertutil = spawnSync('certutil', ['-H']).error === undefined;
const reason = whyNoNames() ?? (hasCertutil ? undefined : 'there is no certutil (apt install libnss3-tools)');

const NAME = 'kitchen.local';
const SMALL = { seed: 1801, length: 300_000 };

class World {
  readonly lan = new Lan();
  readonly router = this.lan.addHost('relay');
  readonly #contexts: BrowserContext[] = [];
  relay: ToldRelay | undefined;
  /** By the relay's name, with the final slash. */
  app = '';
  /** The page that leads there, by the address. */
  plain = '';

  async startRelay(): Promise<void> {
    const flags = ['--no-turn', '--name', 'kitchen'];
    this.relay = await startRelay(8443, (...start) => this.router.spawn(...start), flags);
    this.app = `https://${NAME}:8443/`;
    this.plain = `http://${this.router.address}:${new URL(this.relay.app).port}/`;
  }

  /**
   * A browser with a profile on a host of its own. `trusts`: the relay's authority, as one has installed it.
   */
  async browser(host: LanHost, trusts: boolean): Promise<BrowserContext> {
    await host.findNames();
    const home = host.newFolder();
    if (trusts) trust(home, host, await authorityOf(host, this.plain));
    const context = await chromium.launchPersistentContext(join(home, 'profile'), {
      executablePath: host.wrapper(findBrowser() ?? chromium.executablePath()),
      args: browserArguments(),
      env: { ...process.env, HOME: home },
      viewport: { width: 1280, height: 800 },
    });
    this.#contexts.push(context);
    return context;
  }

  async device(name: string, host: LanHost): Promise<Device> {
    const device = await Device.prepare(name, await this.browser(host, true), this.app);
    await device.open();
    return device;
  }

  async end(): Promise<void> {
    await Promise.all(this.#contexts.map((context) => context.close()));
    await this.relay?.stop();
    this.lan.close();
  }
}

let world: World;
test.beforeEach(async () => {
  test.skip(reason !== undefined, reason);
  test.setTimeout(240_000);
  world = new World();
  await world.startRelay();
});
test.afterEach(() => (reason === undefined ? world.end() : undefined));

test('behind a trusted certificate the app can be installed, and opens with the relay dead', async () => {
  const laptop = await world.device('Laptop', world.lan.addHost('laptop'));
  const phone = await world.device('Phone', world.lan.addHost('phone'));
  await laptop.createPool('Home');
  await phone.join(await laptop.invite());
  await allLinked([laptop, phone]);
  const { fileId } = await laptop.store(SMALL, { name: 'notes.bin' });

  await test.step('the browser finds nothing missing', async () => {
    expect(new URL(phone.page.url()).origin).toBe(new URL(world.app).origin);
    await phone.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    expect(await installabilityErrors(phone.page)).toEqual([]);
  });

  await test.step('the doctor says that name and certificate are good', async () => {
    const found = await diagnosed(phone);
    expect(found.get('name')).toBe('works name-resolves');
    expect(found.get('trust')).toBe('works trust-given');
    expect(found.get('worker')).toBe('limited worker-next-time');
  });

  await test.step('it reloads and lists with the relay dead', async () => {
    await phone.waitFor('the file', ({ files }) => files.length === 1);
    await world.relay?.kill();
    await phone.reload();
    await expect(phone.page.getByRole('listitem', { name: 'notes.bin' })).toBeVisible();
    expect((await phone.status()).pool?.relay).not.toBe('connected');
    const found = await diagnosed(phone);
    expect(found.get('relay')).toBe('blocked relay-refused');
    expect(found.get('worker')).toBe('works worker-controls');
    // Its link ended with the page, and no relay makes another: what it holds itself must do.
    const { reach } = (await phone.status()).files.find((file) => file.fileId === fileId) ?? {};
    expect(reach).toBeGreaterThan(0);
  });
});

test('the relay’s address changes under a running pool, and its pages go on', async () => {
  const laptop = await world.device('Laptop', world.lan.addHost('laptop'));
  const phone = await world.device('Phone', world.lan.addHost('phone'));
  await laptop.createPool('Home');
  await phone.join(await laptop.invite());
  await allLinked([laptop, phone]);
  const moved = world.router.readdress();
  await laptop.waitFor('the relay is lost', ({ pool }) => pool?.relay !== 'connected');
  await laptop.waitFor('the relay again', ({ pool }) => pool?.relay === 'connected', 60_000);
  // At the address, too, without a warning: the certificate is made anew by the same authority.
  const page = await phone.context.newPage();
  await expect
    .poll(() => page.goto(`https://${moved}:8443/ping`).then((answer) => answer?.status(), String), {
      timeout: 60_000,
    })
    .toBe(200);
  await page.close();
  await phone.reload();
  await allLinked([laptop, phone]);
  const { fileId } = await phone.store(SMALL, { name: 'after.bin' });
  expect(await laptop.read(fileId)).toEqual(expectedBytes(SMALL.seed, SMALL.length));
});

test('the doctor has the right words on hosts that are kept apart, and on one that is cut off', async () => {
  const [one, two, three] = ['one', 'two', 'three'].map((name) => world.lan.addHost(name));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three hosts');
  one.isolate();
  two.isolate();
  const laptop = await world.device('Laptop', one);
  const phone = await world.device('Phone', two);
  const tablet = await world.device('Tablet', three);
  await laptop.createPool('Home');
  const invite = await laptop.invite();
  await tablet.join(invite);
  // The laptop cannot let it in itself.
  await phone.join(invite);
  await laptop.waitFor('the tablet', ({ devices }) => isReachable(devices, 'Tablet'));
  await phone.waitFor('the tablet', ({ devices }) => isReachable(devices, 'Tablet'));

  await test.step('kept apart: all is well but the link to the one', async () => {
    // Two attempts have to end, which the other answered by way of others.
    await expect
      .poll(async () => (await diagnosed(laptop)).get('links'), { timeout: 120_000 })
      .toBe('limited links-some');
    const found = await diagnosed(laptop);
    expect(found.get('relay')).toBe('works relay-answers');
    expect(found.get('name')).toBe('works name-resolves');
    expect((await diagnosed(tablet)).get('links')).toBe('works links-work');
  });

  await test.step('cut off: no relay, and nothing is said of what cannot be known now', async () => {
    await tablet.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    three.cut();
    await tablet.waitFor('the relay is lost', ({ pool }) => pool?.relay !== 'connected', 60_000);
    const found = await diagnosed(tablet);
    expect(found.get('relay')).toBe('blocked relay-offline');
    for (const what of ['name', 'links', 'socket', 'clock'])
      expect(found.get(what)).toBe('untried needs-relay');
    // It opens there all the same.
    await tablet.reload();
    expect((await diagnosed(tablet)).get('worker')).toBe('works worker-controls');
    three.mend();
    await tablet.waitFor(
      'the others again',
      ({ devices }) => isReachable(devices, 'Laptop') && isReachable(devices, 'Phone'),
      90_000,
    );
  });
});

test('where the authority is not trusted, the page leads to the name, and past the warning all but two things work', async () => {
  const host = world.lan.addHost('laptop');
  const context = await world.browser(host, false);
  const page = await context.newPage();
  await page.goto(world.plain);
  await expect(page.getByText(`Palm opens as ${NAME}`)).toBeVisible();
  await expect(page.getByText(/This page looks every two seconds/)).toBeVisible();
  expect(page.url()).toBe(world.plain);
  await expect(
    page.getByText(/Without it Palm works in this browser all the same, but does neither/),
  ).toBeVisible();

  const device = await Device.prepare('Laptop', context, world.app);
  await device.openPastWarning();
  await device.createPool('Home');
  const { fileId } = await device.store(SMALL, { name: 'notes.bin' });
  expect(await device.read(fileId)).toEqual(expectedBytes(SMALL.seed, SMALL.length));
  const { findings } = await device.page.evaluate(() => window.palm.diagnose());
  expect(findings.find(({ what }) => what === 'trust')).toMatchObject({ state: 'limited' });
  expect(
    await device.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length),
  ).toBe(0);

  await test.step('and it goes on by itself where the authority is trusted', async () => {
    const trusting = await world.browser(world.lan.addHost('phone'), true);
    const led = await trusting.newPage();
    await led.goto(`${world.plain}#/join/uAQAAtoken`);
    await led.waitForURL(new RegExp(`^https://${NAME}:8443/`, 'u'));
  });
});

function isReachable(devices: readonly { name: string; state: string }[], name: string): boolean {
  return devices.some((device) => device.name === name && device.state === 'reachable');
}

/** Each subject's state and reason. */
async function diagnosed(device: Device): Promise<ReadonlyMap<string, string>> {
  const { findings } = await device.page.evaluate(() => window.palm.diagnose());
  return new Map(findings.map(({ what, state, reason: why }) => [what, `${state} ${why}`]));
}

async function installabilityErrors(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { installabilityErrors: errors } = await session.send('Page.getInstallabilityErrors');
  return errors.map(({ errorId }) => errorId);
}

/** The authority's certificate as the onboarding page gives it. */
async function authorityOf(host: LanHost, plain: string): Promise<string> {
  const script = `fetch(process.argv[1]).then((got) => got.text()).then((text) => process.stdout.write(text))`;
  const { code, output } = host.run(process.execPath, ['-e', script, `${plain}palm-ca.crt`]);
  if (code !== 0) throw new Error(output);
  return output;
}

/** Into the database that Chromium on Linux asks. */
function trust(home: string, host: LanHost, authority: string): void {
  const database = join(home, '.pki', 'nssdb');
  mkdirSync(database, { recursive: true });
  const file = join(home, 'palm-ca.crt');
  writeFileSync(file, authority);
  for (const step of [
    ['-N', '--empty-password'],
    ['-A', '-n', 'Palm', '-t', 'C,,', '-i', file],
  ]) {
    const { code, output } = host.run('certutil', ['-d', `sql:${database}`, ...step]);
    if (code !== 0) throw new Error(`certutil ${step.join(' ')}: ${output}`);
  }
}
