// A relay that runs for months: its addresses and certificate follow the machine's network and clock.

// x509 finds its parts by decorators, so their polyfill must be loaded before it.
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { reachableAddresses } from '../../../src/adapters/node/lan-addresses.ts';
import { announcement, movedAnnouncement } from '../../../signaling/announcement.ts';
import { createAuthority, createLeaf, toPem } from '../../../signaling/certificates.ts';
import { fingerprintOf } from '../../../signaling/fingerprint.ts';
import type { Relay, RelayOptions } from '../../../signaling/relay.ts';
import {
  ask,
  authorityOf,
  RelayClient,
  ROOM_A,
  temporaryFolder,
  testRelay,
} from '../../fixtures/relay-fixture.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = ['laptop', 'laptop.local'];

interface World {
  lan: string[];
  names: string[];
  nowMs: number;
}

/** A relay on a machine whose network and clock the test sets. */
async function relayIn(world: World, options: Partial<RelayOptions> = {}): Promise<Relay> {
  return testRelay({
    host: '0.0.0.0',
    readMachine: () => ({ names: world.names, lan: world.lan }),
    nowMs: () => world.nowMs,
    ...options,
  });
}

function worldWith(...lan: string[]): World {
  return { lan, names: NAMES, nowMs: Date.now() };
}

/** The certificate that a new connection gets. */
async function leafOf({ httpsPort }: Relay): Promise<X509Certificate> {
  const socket = connect({ port: httpsPort, host: '127.0.0.1', rejectUnauthorized: false });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw);
}

const lanOf = async (relay: Relay): Promise<unknown> => JSON.parse((await ask(relay, '/lan')).body);

describe('addresses', () => {
  test('come when the network comes after the relay, on the terminal, in /lan and in the certificate', async () => {
    const world = worldWith();
    const moved: string[] = [];
    const relay = await relayIn(world, { onMoved: (now) => moved.push(movedAnnouncement(now, false)) });
    expect([relay.lan, await lanOf(relay), relay.awaitsNetwork]).toEqual([[], [], true]);
    expect(announcement(relay, false)).toContain('has no network now');

    world.lan = ['192.168.7.7'];
    await relay.recheck();
    const url = `https://192.168.7.7:${relay.httpsPort}/`;
    expect([relay.lan, await lanOf(relay), relay.awaitsNetwork]).toEqual([[url], [url], false]);
    expect(moved).toEqual([expect.stringContaining(url)]);
    expect(moved[0]).toContain(relay.certificate.certificateFingerprint);
    const leaf = await leafOf(relay);
    expect(leaf.checkIP('192.168.7.7')).toBe('192.168.7.7');
    expect(fingerprintOf(leaf.toString())).toBe(relay.certificate.certificateFingerprint);
    const ca = await authorityOf(relay);
    expect(JSON.parse((await ask(relay, '/fingerprints', { secure: true, ca })).body)).toMatchObject({
      certificate: relay.certificate.certificateFingerprint,
    });
    await relay.recheck();
    expect(moved).toHaveLength(1);
  });

  test('follow a change, and clients stay connected', async () => {
    const world = worldWith('192.168.7.7');
    const relay = await relayIn(world);
    const client = new RelayClient(`ws://localhost:${relay.httpPort}/relay`);
    await client.opened();
    world.lan = ['10.1.2.3', 'fd12::7'];
    world.names = ['desktop', 'desktop.local'];
    await relay.recheck();
    expect(relay.lan).toEqual([
      `https://10.1.2.3:${relay.httpsPort}/`,
      `https://[fd12::7]:${relay.httpsPort}/`,
    ]);
    const leaf = await leafOf(relay);
    expect([leaf.checkIP('10.1.2.3'), leaf.checkIP('fd12::7')]).toEqual(['10.1.2.3', 'fd12::7']);
    expect(leaf.checkIP('192.168.7.7')).toBeUndefined();
    const headers = { Host: 'desktop.local' };
    expect((await ask(relay, '/ping', { headers })).status).toBe(200);
    client.send({ kind: 'enter', room: ROOM_A });
    expect((await client.next()).kind).toBe('entered');
  });

  test('that go and come back leave the certificate as it is, also over a restart without a network', async () => {
    const world = worldWith('192.168.7.7');
    const dataDir = temporaryFolder();
    const relay = await relayIn(world, { dataDir });
    const { certificateFingerprint } = relay.certificate;
    world.lan = [];
    await relay.recheck();
    expect(relay.lan).toEqual([]);
    const again = await relayIn(world, { dataDir });
    world.lan = ['192.168.7.7'];
    for (const each of [relay, again]) {
      await each.recheck();
      expect(each.lan).toEqual([`https://192.168.7.7:${each.httpsPort}/`]);
      expect(each.certificate.certificateFingerprint).toBe(certificateFingerprint);
    }
  });

  test('of the public internet are tried once, not at every look', async () => {
    const world = worldWith('192.168.7.7');
    const moved: string[] = [];
    const relay = await relayIn(world, {
      onMoved: ({ certificate }) => moved.push(certificate.certificateFingerprint),
    });
    world.lan = ['203.0.113.7'];
    await relay.recheck();
    await relay.recheck();
    expect(relay.lan).toEqual([`https://laptop.local:${relay.httpsPort}/`]);
    expect(relay.unvouched).toEqual(['203.0.113.7']);
    expect(moved).toHaveLength(1);
  });

  test('are those of IPv4, and of IPv6 where a network has no other', () => {
    const of = (address: string, internal = false) => ({
      address,
      family: address.includes(':') ? ('IPv6' as const) : ('IPv4' as const),
      internal,
      netmask: '',
      mac: '',
      cidr: null,
      scopeid: 0,
    });
    const loopback = [of('127.0.0.1', true), of('::1', true)];
    expect(
      reachableAddresses({ lo: loopback, eth0: [of('192.168.1.2'), of('fd00::2'), of('fe80::2')] }),
    ).toEqual(['192.168.1.2']);
    expect(
      reachableAddresses({ lo: loopback, eth0: [of('fe80::2'), of('fd00::2'), of('2001:db8::2')] }),
    ).toEqual(['fd00::2', '2001:db8::2']);
    expect(reachableAddresses({ eth0: [of('169.254.3.4'), of('fd00::2')] })).toEqual([
      'fd00::2',
      '169.254.3.4',
    ]);
    expect(reachableAddresses({ docker0: [of('172.17.0.1')], wlan0: [of('192.168.1.3')] })).toEqual([
      '192.168.1.3',
      '172.17.0.1',
    ]);
    expect(reachableAddresses({ lo: loopback, eth0: [of('fe80::2')] })).toEqual([]);
  });
});

describe('the certificate', () => {
  const validAt = ({ validFrom, validTo }: X509Certificate, ms: number): boolean =>
    Date.parse(validFrom) <= ms && ms < Date.parse(validTo);

  test.each([
    ['396 days later', Date.now(), Date.now() + 396 * DAY_MS],
    ['after the clock, which began in 1970, was put right', 0, Date.now()],
    ['after it was put right two years later', 0, Date.now() + 730 * DAY_MS],
    ['after a clock that was ahead was put right', Date.now() + 900 * DAY_MS, Date.now()],
  ])('is valid %s', async (_when, beganMs, nowMs) => {
    const world = { ...worldWith('192.168.7.7'), nowMs: beganMs };
    const dataDir = temporaryFolder();
    const relay = await relayIn(world, { dataDir });
    const { authority } = relay.certificate;
    world.nowMs = nowMs;
    await relay.recheck();
    expect(validAt(await leafOf(relay), nowMs)).toBe(true);
    expect(relay.certificate.authority?.fingerprint).toBe(authority?.fingerprint);
  });

  test('that was given is read again when its files are others, and kept when those are no good', async () => {
    const folder = temporaryFolder();
    const write = async (host: string): Promise<string> => {
      const authority = await createAuthority(Date.now(), [host]);
      const leaf = await createLeaf(Date.now(), authority, [host]);
      const [key = ''] = (await toPem(leaf)).split('-----BEGIN CERTIFICATE-----');
      writeFileSync(join(folder, 'key.pem'), key);
      writeFileSync(join(folder, 'cert.pem'), leaf.certificate.toString('pem'));
      return fingerprintOf(leaf.certificate.toString('pem'));
    };
    await write('old.example');
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    const relay = await relayIn(worldWith('192.168.7.7'), { certificate: files });
    const renewed = await write('new.example');
    await relay.recheck();
    expect(relay.lan).toEqual([`https://new.example:${relay.httpsPort}/`]);
    expect(fingerprintOf((await leafOf(relay)).toString())).toBe(renewed);
    copyFileSync(files.cert, files.key);
    await expect(relay.recheck()).rejects.toThrow('holds no private key');
    expect(fingerprintOf((await leafOf(relay)).toString())).toBe(renewed);
  });
});
