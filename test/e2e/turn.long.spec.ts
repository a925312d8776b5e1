// Devices that do not reach each other, on hosts of their own: they are linked through the relay, as little
// as possible, and nobody reaches anything else by it.

import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, expect, test } from '@playwright/test';
import { findCoturn } from '../../signaling/turn/coturn.ts';
import {
  type ClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  encodeRelayFrame,
  RELAY_ICE_SUBPROTOCOL,
  RELAY_SUBPROTOCOL,
  type RelayFrame,
} from '../../src/core/wire/relay-protocol.ts';
import { parsePoolId } from '../../src/core/model/ids.ts';
import { browserArguments, findBrowser, findFirefox } from '../browser.mjs';
import { Lan, type LanHost, whyNoLan } from '../fixtures/lan.ts';
import { Device } from './device.ts';
import type { DeviceCalls } from './device-calls.ts';
import { Faults } from './faults.ts';
import { Firefox } from './firefox.ts';
import { FirefoxDevice } from './firefox-device.ts';
import { startLoneDevice } from './node-device.ts';
import { startRelay, type ToldRelay } from './relay-process.ts';
import { seededBytes } from './seeded-bytes.ts';

const reason =
  whyNoLan() ?? (findCoturn() === undefined ? 'there is no TURN server (apt install coturn)' : undefined);

const CLIENT = fileURLToPath(new URL('../fixtures/turn-client.mjs', import.meta.url));
const ECHO_PORT = 7_001;
/** Sends back what comes, at all addresses of its host. */
const ECHO = `const socket = require('dgram').createSocket({ type: 'udp6', ipv6Only: false });
  socket.on('message', (text, { address, port }) => socket.send('echo ' + text, port, address));
  socket.bind(${ECHO_PORT}, '::', () => console.log('up'));`;

/** Prints what the relay sent until its pong, in hexadecimal. */
const RELAY_CLIENT = `const [url, protocol, pong, ...frames] = process.argv.slice(1);
  const socket = new (require('ws').WebSocket)(url, [protocol], { rejectUnauthorized: false });
  const got = [];
  socket.on('open', () => frames.forEach((frame) => socket.send(Buffer.from(frame, 'hex'))));
  socket.on('message', (data) => {
    got.push(data.toString('hex'));
    if (got.at(-1) !== pong) return;
    console.log(JSON.stringify(got));
    process.exit();
  });`;

interface TurnResult {
  readonly allocation: number;
  readonly permissions: readonly number[];
  readonly heard: readonly string[];
}

interface Offer {
  readonly port: number;
  readonly username: string;
  readonly credential: string;
}

class World {
  readonly lan = new Lan();
  readonly #browsers: Browser[] = [];
  relay: ToldRelay | undefined;

  async startRelay(host: LanHost, flags: readonly string[] = []): Promise<string> {
    this.relay = await startRelay(0, (...start) => host.spawn(...start), flags);
    const [app = ''] = this.relay.lan;
    expect(app).toContain(host.address);
    return app;
  }

  /** A device in a browser on `host`. */
  async device(name: string, host: LanHost, app: string): Promise<Device> {
    const program = findBrowser() ?? chromium.executablePath();
    const browser = await chromium.launch({
      executablePath: host.wrapper(program),
      args: browserArguments(),
    });
    this.#browsers.push(browser);
    const device = await Device.prepare(name, await browser.newContext({ ignoreHTTPSErrors: true }), app);
    await device.open();
    return device;
  }

  async end(): Promise<void> {
    await Promise.all(this.#browsers.map((browser) => browser.close()));
    await this.relay?.stop();
    this.lan.close();
  }
}

let world: World;
test.beforeEach(() => {
  test.skip(reason !== undefined, reason);
  test.setTimeout(180_000);
  world = new World();
});
test.afterEach(() => (reason === undefined ? world.end() : undefined));

/** A pool on three hosts, of which the first two see only the relay's and the third. */
async function poolKeptApart() {
  const router = world.lan.addHost('relay');
  const [one, two] = [world.lan.addHost('one'), world.lan.addHost('two')];
  one.isolate();
  two.isolate();
  const app = await world.startRelay(router);
  const laptop = await world.device('Laptop', one, app);
  const phone = await world.device('Phone', two, app);
  const tablet = await world.device('Tablet', world.lan.addHost('three'), app);
  await laptop.createPool('Kept apart');
  const invite = await laptop.invite();
  await phone.join(invite);
  await tablet.join(invite);
  return { router, laptop, phone, tablet };
}

test('hosts that are kept apart link through the relay, all others directly', async () => {
  const { laptop, phone, tablet } = await poolKeptApart();
  await linked(laptop, { Phone: 'relay', Tablet: 'direct' });
  await linked(phone, { Laptop: 'relay', Tablet: 'direct' });
  await linked(tablet, { Laptop: 'direct', Phone: 'direct' });
  const row = laptop.page.getByRole('listitem', { name: 'Phone' });
  await expect(row).toContainText('through the relay');
  await expect(laptop.page.getByRole('listitem', { name: 'Tablet' })).not.toContainText('through the relay');

  await test.step('the doctor says so, and what the address means', async () => {
    const { findings } = await laptop.page.evaluate(() => window.palm.diagnose());
    const found = (subject: string) => findings.find(({ what }) => what === subject);
    expect(found('links')).toMatchObject({ state: 'limited', reason: 'links-relayed' });
    expect(found('links')?.text).toContain('your devices reach the relay, but not each other');
    expect(found('relay')?.reason).toBe('relay-answers');
    expect(found('clock')?.reason).toBe('clock-agrees');
    // Nobody looks names up here, and the certificate was only accepted.
    expect(found('name')).toMatchObject({ state: 'limited', reason: 'name-address' });
    expect(found('name')?.text).toContain('name is not found from here');
  });

  await test.step('files pass bit-exact through the relay alone', async () => {
    await tablet.close();
    const content = { seed: 18, length: 6_000_000 };
    const { fileId } = await laptop.store(content, { name: 'film.mp4' });
    const { sha256, length } = await phone.read(fileId);
    expect(length).toBe(content.length);
    expect(sha256).toBe(await digestOf(content));
  });
});

test('Node and Firefox go through the relay as Chromium does, also with each other', async () => {
  const firefoxPath = findFirefox();
  test.skip(firefoxPath === undefined, 'Firefox is not installed');
  const router = world.lan.addHost('relay');
  const hosts = ['one', 'two', 'three'].map((name) => world.lan.addHost(name));
  for (const host of hosts) host.isolate();
  const [one, two, three] = hosts;
  if (one === undefined || two === undefined || three === undefined) throw new Error('there are three');
  const app = await world.startRelay(router);
  const node = await startLoneDevice(app, (...start) => one.spawn(...start));
  const firefox = await Firefox.launch(firefoxPath ?? '', (...start) => two.spawn(...start));
  try {
    const invite = async (): Promise<string> =>
      JSON.parse(String((await node.palm(['invite', '--json'])).stdout)).invite;
    const tablet = await FirefoxDevice.prepare('Tablet', firefox, app, new Faults());
    await tablet.open();
    await tablet.join(await invite());
    const phone = await world.device('Phone', three, app);
    await phone.join(await invite());
    await linked(phone, { Node: 'relay', Tablet: 'relay' });
    await linked(tablet, { Node: 'relay', Phone: 'relay' });
    const devices: unknown = JSON.parse(String((await node.palm(['peers', '--json'])).stdout));
    expect(devices).toContainEqual(expect.objectContaining({ name: 'Phone', via: 'relay' }));
    expect(devices).toContainEqual(expect.objectContaining({ name: 'Tablet', via: 'relay' }));
    const content = { seed: 20, length: 2_000_000 };
    const { fileId } = await tablet.store(content, { name: 'film.mp4' });
    await phone.waitFor('the file is listed', ({ files }) => files.some((file) => file.fileId === fileId));
    expect((await phone.read(fileId)).sha256).toBe(await digestOf(content));
    const got = await node.palm(['get', 'film.mp4', '-']);
    expect(got.stdout.equals(seededBytes(content.seed, content.length)), got.stderr).toBe(true);
  } finally {
    await firefox.close();
    await node.stop();
  }
});

test('links that need no relay outlive it, and those through it end', async () => {
  const { router, laptop, phone, tablet } = await poolKeptApart();
  await linked(laptop, { Phone: 'relay', Tablet: 'direct' });
  await linked(phone, { Laptop: 'relay', Tablet: 'direct' });
  await world.relay?.kill();
  // The TURN server ended with the relay.
  await expect.poll(() => router.run('pgrep', ['-x', 'turnserver']).output).toBe('');
  const content = { seed: 19, length: 300_000 };
  await laptop.waitFor('the phone is lost', ({ devices }) =>
    devices.some(({ name, state }) => name === 'Phone' && state !== 'reachable'),
  );
  const { fileId } = await laptop.store(content, { name: 'notes.txt' });
  await tablet.waitFor('the file is listed', ({ files }) => files.some((file) => file.fileId === fileId));
  expect((await tablet.read(fileId)).sha256).toBe(await digestOf(content));
  await linked(laptop, { Tablet: 'direct' });
});

test('where mDNS is not carried, devices link directly, by the address that the relay sees', async () => {
  const router = world.lan.addHost('relay');
  const [one, two] = [world.lan.addHost('one'), world.lan.addHost('two')];
  one.dropMulticast();
  two.dropMulticast();
  const app = await world.startRelay(router, ['--no-turn']);
  const laptop = await world.device('Laptop', one, app);
  const phone = await world.device('Phone', two, app);
  await laptop.createPool('Quiet air');
  await phone.join(await laptop.invite());
  await linked(laptop, { Phone: 'direct' });
  await linked(phone, { Laptop: 'direct' });
});

test('a credential opens ways to devices of its room, and no others', async () => {
  const router = world.lan.addHost('relay');
  const [one, two, other] = [world.lan.addHost('one'), world.lan.addHost('two'), world.lan.addHost('other')];
  const app = await world.startRelay(router);
  const folder = join(world.relay?.dataFolder ?? '', 'turn');
  expect(statSync(join(folder, 'turnserver.conf')).mode & 0o777).toBe(0o600);
  const laptop = await world.device('Laptop', one, app);
  const phone = await world.device('Phone', two, app);
  const stranger = await world.device('Stranger', other, app);
  await laptop.createPool('Ours');
  await phone.join(await laptop.invite());
  await stranger.createPool('Theirs');
  await Promise.all([router, two, other].map((host) => echo(host)));
  const room = (await laptop.status()).pool?.id ?? '';
  const offer = offerOf(one, app, room);

  const peers: readonly (readonly [string, number])[] = [
    [two.address, ECHO_PORT],
    [other.address, ECHO_PORT],
    [router.address, ECHO_PORT],
    [router.address, Number(new URL(app).port)],
    ['127.0.0.1', ECHO_PORT],
    ['::1', ECHO_PORT],
    ['169.254.1.1', ECHO_PORT],
    ['224.0.0.251', 5_353],
    [two.address, 53],
  ];
  const result = useTurn(one, router, offer, peers);
  expect(result.allocation).toBe(0);
  expect(result.permissions).toEqual([0, 403, 403, 403, 403, 403, 403, 403, 403]);
  expect(result.heard).toEqual(['echo palm?']);

  // Links that are being made at the same time do not wait for each other.
  const more = Array.from({ length: 8 }, () => useTurn(one, router, offer, []).allocation);
  expect(more).toEqual(more.map(() => 0));

  // It is of no use elsewhere, after its time, or to who knows only part of it.
  expect(useTurn(other, router, offer, []).allocation).toBe(403);
  expect(useTurn(one, router, { ...offer, credential: 'AAAA' }, []).allocation).toBe(401);
  const [, rest = ''] = offer.username.split('.');
  const late = { ...offer, username: `${Math.floor(Date.now() / 1_000) + 86_400}.${rest}` };
  expect(useTurn(one, router, late, []).allocation).toBe(401);

  // Another room opens no way into this one, even if it is next door.
  const foreign = offerOf(other, app, 'f'.repeat(32));
  const denied = useTurn(other, router, foreign, [[two.address, ECHO_PORT]]);
  expect(denied).toEqual({ allocation: 0, permissions: [403], heard: [] });
  // Who is in no room gets none.
  expect(framesAfter(other, app, RELAY_ICE_SUBPROTOCOL, [{ kind: 'ping' }])).toEqual(['pong']);
  // Nor does who would not understand it.
  const enter = { kind: 'enter', room: parsePoolId('e'.repeat(32)) } as const;
  expect(framesAfter(other, app, RELAY_SUBPROTOCOL, [enter, { kind: 'ping' }])).toEqual(['entered', 'pong']);
  const asked = framesAfter(other, app, RELAY_ICE_SUBPROTOCOL, [enter, { kind: 'ping' }]);
  expect(asked).toEqual(['entered', 'ice', 'pong']);
  expect(world.relay?.complaints()).not.toContain(offer.credential);
});

async function linked(
  device: DeviceCalls,
  paths: Readonly<Record<string, 'direct' | 'relay'>>,
): Promise<void> {
  await device.waitFor(`links ${JSON.stringify(paths)}`, ({ devices }) =>
    Object.entries(paths).every(([name, via]) =>
      devices.some((known) => known.name === name && known.via === via),
    ),
  );
}

async function digestOf({ seed, length }: { seed: number; length: number }): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', seededBytes(seed, length))).toString('hex');
}

async function echo(host: LanHost): Promise<void> {
  const { stdout } = host.spawn(process.execPath, ['-e', ECHO], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (stdout === null) throw new Error('stdout is a pipe');
  await once(stdout, 'data');
}

function useTurn(
  host: LanHost,
  relay: LanHost,
  { port, username, credential }: Offer,
  peers: readonly (readonly [string, number])[],
): TurnResult {
  const flags = [CLIENT, relay.address, String(port), username, credential, ...peers.flat().map(String)];
  const { output } = host.run(process.execPath, flags);
  return JSON.parse(output);
}

/** Enters the room as another client of the host, and returns what the relay offers it. */
function offerOf(host: LanHost, app: string, room: string): Offer {
  const frames = exchange(host, app, RELAY_ICE_SUBPROTOCOL, [
    { kind: 'enter', room: parsePoolId(room) },
    { kind: 'ping' },
  ]);
  const offer = frames.find(({ kind }) => kind === 'ice');
  if (offer?.kind !== 'ice' || offer.turn === null) throw new Error('The relay offered no TURN.');
  return { port: offer.port, ...offer.turn };
}

function framesAfter(...exchanged: Parameters<typeof exchange>): string[] {
  return exchange(...exchanged).map(({ kind }) => kind);
}

/** What the relay sends to a new client on the host that sends `frames`, until its pong. */
function exchange(
  host: LanHost,
  app: string,
  protocol: string,
  frames: readonly ClientFrame[],
): RelayFrame[] {
  const sent = frames.map((frame) => Buffer.from(encodeClientFrame(frame)).toString('hex'));
  const pong = Buffer.from(encodeRelayFrame({ kind: 'pong' })).toString('hex');
  const url = `${app.replace(/^http/u, 'ws')}relay`;
  const { output } = host.run(process.execPath, ['-e', RELAY_CLIENT, url, protocol, pong, ...sent]);
  const got: string[] = JSON.parse(output);
  return got.map((text) => decodeRelayFrame(new Uint8Array(Buffer.from(text, 'hex'))));
}
