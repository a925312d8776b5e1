// The relay's authority and certificates: what they vouch for, when they are renewed, and what is on the
// disk.

// x509 finds its parts by decorators, so their polyfill must be loaded before it.
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { checkServerIdentity, connect, createServer } from 'node:tls';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';
import { describe, expect, onTestFinished, test } from 'vitest';
import { announcement } from '../../../signaling/announcement.ts';
import { loadServerCertificate } from '../../../signaling/certificate-store.ts';
import { defaultDataDir } from '../../../src/adapters/node/data-folder.ts';
import {
  createAuthority,
  createLeaf,
  fromPem,
  isLeafUsable,
  mayVouchFor,
  toPem,
} from '../../../signaling/certificates.ts';
import { fingerprintOf } from '../../../signaling/fingerprint.ts';
import type { CertificateFiles } from '../../../signaling/given-certificate.ts';
import { isPrivateAddress } from '../../../signaling/private-ranges.ts';
import { ask, temporaryFolder, testRelay } from '../../fixtures/relay-fixture.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = ['laptop', 'laptop.local'];
const ADDRESSES = ['192.168.1.2', '10.0.0.7'];

/** With the authority's certificate in the place of all that is known of it. */
async function load(dataDir: string, nowMs = Date.now(), names = NAMES, addresses = ADDRESSES) {
  const loaded = await loadServerCertificate(dataDir, nowMs, names, addresses);
  const { authority } = loaded;
  if (authority === undefined) throw new Error('The relay made a certificate without its authority.');
  return { ...loaded, authority: authority.certificate, own: authority };
}

describe('the certificate', () => {
  test('carries the machine’s names and addresses, is for servers, and ends within 397 days', async () => {
    const { chain, authority } = await load(temporaryFolder());
    const leaf = new X509Certificate(chain);
    for (const name of ['localhost', ...NAMES]) expect(leaf.checkHost(name), name).toBe(name);
    for (const address of ['127.0.0.1', '::1', ...ADDRESSES])
      expect(leaf.checkIP(address), address).toBe(address);
    expect(leaf.checkHost('other.local')).toBeUndefined();
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']); // id-kp-serverAuth
    expect(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)).toBeLessThanOrEqual(397 * DAY_MS);
    expect(Date.parse(leaf.validFrom)).toBeLessThan(Date.now());
    expect(leaf.ca).toBe(false);

    const issuer = new X509Certificate(authority);
    expect(issuer.ca).toBe(true);
    expect(leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)).toBe(true);
    expect(issuer.verify(issuer.publicKey)).toBe(true);
  });

  test.each(['localhost', 'laptop', 'laptop.local', '127.0.0.1', '::1', '192.168.1.2'])(
    'is accepted for %s by a TLS client that trusts the authority',
    async (host) => {
      const { key, chain, authority } = await load(temporaryFolder());
      expect(await handshakeError(key, chain, authority, host)).toBeUndefined();
    },
  );

  test('is refused by a client that does not trust the authority', async () => {
    const { key, chain } = await load(temporaryFolder());
    const other = await load(temporaryFolder());
    expect(await handshakeError(key, chain, other.authority, 'localhost')).toMatch(/self-signed|issuer/i);
  });

  describe('made with the authority’s own key', () => {
    const nowMs = Date.now();
    const made = createAuthority(nowMs, ['laptop', 'local', 'localhost']);
    const attempt = async (host: string) => {
      const authority = await made;
      const leaf = await createLeaf(nowMs, authority, [host]);
      const authorityPem = authority.certificate.toString('pem');
      return handshakeError(await toPem(leaf), leaf.certificate.toString('pem'), authorityPem, host);
    };

    test.each(['bank.example', 'notlocal'])('for the website %s is worth nothing', async (host) => {
      expect(await attempt(host)).toMatch(/permitted subtree/);
    });

    test.each([
      '8.8.8.8',
      '11.0.0.1',
      '9.255.255.255',
      '172.15.255.255',
      '172.32.0.1',
      '192.167.1.1',
      '192.169.1.1',
      '169.253.1.1',
      '100.63.255.255',
      '100.128.0.1',
      '128.0.0.1',
      '126.1.1.1',
      '0.0.0.0',
      '203.0.113.7',
      '2001:db8::1',
      '2606:4700::1111',
      '::2',
      'fe7f::1',
      'fec0::1',
      'fb00::1',
      'fe00::1',
    ])('for the public address %s is worth nothing', async (address) => {
      expect(isPrivateAddress(address)).toBe(false);
      expect(await attempt(address)).toMatch(/permitted subtree/);
    });

    test.each([
      'printer.local',
      '10.0.0.1',
      '10.255.255.254',
      '172.16.0.1',
      '172.31.255.254',
      '192.168.0.1',
      '169.254.1.1',
      '100.64.0.1',
      '100.127.255.254',
      '127.0.0.1',
      '127.255.255.254',
      '::1',
      'fe80::1',
      'febf::1',
      'fc00::1',
      'fdff::1',
    ])('for %s on a home network it is accepted', async (host) => {
      expect(host.endsWith('.local') || isPrivateAddress(host)).toBe(true);
      expect(await attempt(host)).toBeUndefined();
    });
  });

  test('leaves out an address of the network that is public on the internet', async () => {
    const { key, chain, authority, hosts } = await load(temporaryFolder(), Date.now(), NAMES, [
      '203.0.113.7',
      '10.0.0.7',
    ]);
    expect(hosts).not.toContain('203.0.113.7');
    expect(await handshakeError(key, chain, authority, '203.0.113.7')).toMatch(/not in the cert/);
    expect(await handshakeError(key, chain, authority, '10.0.0.7')).toBeUndefined();
  });
});

describe('an authority that could vouch for any address', () => {
  /** As this relay used to make them: constraints on names alone. */
  async function openAuthority(folder: string): Promise<string> {
    const constraints = new NameConstraints({
      permittedSubtrees: new GeneralSubtrees(
        [...NAMES, 'localhost', 'local'].map(
          (dNSName) => new GeneralSubtree({ base: new GeneralName({ dNSName }) }),
        ),
      ),
    });
    const key = { name: 'ECDSA', namedCurve: 'P-256' };
    const keys = await crypto.subtle.generateKey(key, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name: 'CN=Palm relay on laptop',
        keys,
        notBefore: new Date(Date.now() - DAY_MS),
        notAfter: new Date(Date.now() + 3_649 * DAY_MS),
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        extensions: [
          new x509.BasicConstraintsExtension(true, 0, true),
          new x509.Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints)),
        ],
      },
      crypto,
    );
    writeFileSync(join(folder, 'ca.pem'), await toPem({ certificate, privateKey: keys.privateKey }));
    return certificate.toString('pem');
  }

  test('is replaced once, and reported for 90 days by its fingerprint; its key is gone', async () => {
    const folder = temporaryFolder();
    const before = await openAuthority(folder);
    const key = readFileSync(join(folder, 'ca.pem'), 'utf8').split('-----BEGIN CERTIFICATE')[0] ?? '';
    const after = await load(folder);
    expect(after.authority).not.toContain(before);
    expect(after.own.replacedFingerprint).toBe(fingerprintOf(before));
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name), 'utf8'), name).not.toContain(key.split('\n')[1]);
    }
    expect(await load(folder)).toEqual(after);
    expect((await load(folder, Date.now() + 88 * DAY_MS)).own.replacedFingerprint).toBe(
      fingerprintOf(before),
    );
    expect((await load(folder, Date.now() + 91 * DAY_MS)).own.replacedFingerprint).toBeUndefined();
  });

  test('is reported by the page and on the terminal of the relay that replaced it, with advice', async () => {
    const dataDir = temporaryFolder();
    const before = fingerprintOf(await openAuthority(dataDir));
    const relay = await testRelay({ dataDir });
    const { body } = await ask(relay, '/', { headers: { Host: '192.168.7.7' } });
    const text = announcement({ ...relay, lan: ['https://192.168.7.7:8443/'] }, false);
    for (const told of [body, text]) {
      expect(told).toContain(before);
      expect(told).toMatch(/trust the new one/i);
      expect(told).toMatch(/remove the old one/i);
    }
    const fresh = await testRelay();
    expect(announcement({ ...fresh, lan: ['https://192.168.7.7:8443/'] }, false)).not.toContain('old one');
    expect((await ask(fresh, '/', { headers: { Host: '192.168.7.7' } })).body).not.toContain('old one');
  });
});

test('people compare the first 128 bits of a fingerprint, in groups of four digits', async () => {
  const { authority, own, chain, certificateFingerprint } = await load(temporaryFolder());
  const whole = new X509Certificate(authority).fingerprint256.replaceAll(':', '');
  expect(own.fingerprint).toMatch(/^([0-9A-F]{4} ){7}[0-9A-F]{4}$/);
  expect(whole.startsWith(own.fingerprint.replaceAll(' ', ''))).toBe(true);
  expect(certificateFingerprint).toBe(fingerprintOf(chain));
});

describe('a given certificate', () => {
  async function givenFiles(hosts: readonly string[], nowMs = Date.now()) {
    const folder = temporaryFolder();
    const names = hosts.filter((host) => isIP(host) === 0);
    const authority = await createAuthority(nowMs, names);
    const leaf = await createLeaf(nowMs, authority, hosts);
    const [key = ''] = (await toPem(leaf)).split('-----BEGIN CERTIFICATE-----');
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(files.cert, leaf.certificate.toString('pem'));
    writeFileSync(files.key, key);
    return { files, authorityPem: authority.certificate.toString('pem') };
  }

  test('is used unchanged, and its names become the relay’s', async () => {
    const { files, authorityPem } = await givenFiles(['palm.school.example', '10.7.7.7']);
    const relay = await testRelay({ certificate: files, host: '127.0.0.1' });
    expect(relay.lan).toEqual([
      `https://palm.school.example:${relay.httpsPort}/`,
      `https://10.7.7.7:${relay.httpsPort}/`,
    ]);
    const { status } = await ask(relay, '/', {
      secure: true,
      ca: authorityPem,
      servername: 'palm.school.example',
      headers: { Host: `palm.school.example:${relay.httpsPort}` },
    });
    expect(status).toBe(200);
    const fingerprints: unknown = JSON.parse((await ask(relay, '/fingerprints')).body);
    expect(fingerprints).toEqual({
      certificate: fingerprintOf(readFileSync(files.cert, 'utf8')),
      authority: null,
    });
    expect((await ask(relay, '/palm-ca.crt', { headers: { Host: '10.0.0.1' } })).status).toBe(404);
    const page = await ask(relay, '/', { headers: { Host: 'palm.school.example' } });
    expect(page.body).not.toContain('warning');
  });

  test.each<[string, (files: CertificateFiles) => CertificateFiles | Promise<CertificateFiles>, string]>([
    ['no certificate', (files) => ({ ...files, cert: files.key }), 'holds no certificate'],
    ['no key', (files) => ({ ...files, key: files.cert }), 'holds no private key'],
    ['no file', (files) => ({ ...files, cert: `${files.cert}.gone` }), 'cannot be read'],
    [
      'another’s key',
      async (files) => ({ ...files, key: (await givenFiles(['other.example'])).files.key }),
      'not that of the certificate',
    ],
    [
      'an expired one',
      async () => (await givenFiles(['old.example'], Date.now() - 500 * DAY_MS)).files,
      'Renew it',
    ],
  ])('that is %s stops the relay, with what to do', async (_what, spoil, message) => {
    const { files } = await givenFiles(['palm.school.example']);
    await expect(testRelay({ certificate: await spoil(files) })).rejects.toThrow(
      expect.objectContaining({ name: 'StartError', message: expect.stringContaining(message) }),
    );
  });
});

test('on a network of public addresses the relay gives advice, and leads to its name', async () => {
  const relay = await testRelay();
  const lan = [`https://laptop.local:${relay.httpsPort}/`];
  const text = announcement({ ...relay, lan, unvouched: ['203.0.113.7'] }, false);
  expect(text).toContain('203.0.113.7');
  expect(text).toContain('--cert FILE --key FILE');
  expect(text).toContain(`Other devices open ${lan[0]}`);
  expect(announcement({ ...relay, lan }, false)).not.toContain('--cert');
});

describe('a kept certificate', () => {
  test('is used again unchanged', async () => {
    const folder = temporaryFolder();
    expect(await load(folder)).toEqual(await load(folder));
  });

  test('is readable by its owner only, in a folder that is made if needed', async () => {
    const folder = join(temporaryFolder(), 'share', 'palm');
    await load(folder);
    expect(readdirSync(folder).toSorted()).toEqual(['ca.pem', 'leaf.pem']);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder))
      expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
  });

  test.each<[string, { nowMs?: number; names?: string[]; addresses?: string[] }]>([
    ['an address came', { addresses: [...ADDRESSES, '172.16.0.1'] }],
    ['an address went', { addresses: ['192.168.1.2'] }],
    ['it ends within 30 days', { nowMs: Date.now() + 370 * DAY_MS }],
    ['it has ended', { nowMs: Date.now() + 500 * DAY_MS }],
    ['the clock was set back', { nowMs: Date.now() - 30 * DAY_MS }],
    ['the machine was renamed', { names: ['desktop', 'desktop.local'] }],
  ])('is renewed when %s, under the same authority', async (_what, { nowMs, names, addresses }) => {
    const folder = temporaryFolder();
    const before = await load(folder);
    const after = await load(folder, nowMs, names, addresses);
    expect(after.authority).toBe(before.authority);
    expect(after.chain).not.toBe(before.chain);
    expect(after.key).not.toBe(before.key);
  });

  test('stays when the order of addresses changes, and while much time is left', async () => {
    const folder = temporaryFolder();
    const before = await load(folder);
    const after = await load(folder, Date.now() + 300 * DAY_MS, NAMES, ADDRESSES.toReversed());
    expect({ ...after, hosts: after.hosts.toSorted() }).toEqual({
      ...before,
      hosts: before.hosts.toSorted(),
    });
  });

  test('leaves out a name that the authority may not vouch for, and keeps the rest', async () => {
    const folder = temporaryFolder();
    await load(folder);
    const { key, chain, authority } = await load(folder, Date.now(), ['desktop', 'desktop.local']);
    expect(new X509Certificate(chain).checkHost('desktop')).toBeUndefined();
    expect(await handshakeError(key, chain, authority, 'desktop.local')).toBeUndefined();
  });

  test('has its authority replaced only when that could no longer cover a new certificate', async () => {
    const folder = temporaryFolder();
    const { authority } = await load(folder);
    expect((await load(folder, Date.now() + 3_000 * DAY_MS)).authority).toBe(authority);
    expect((await load(folder, Date.now() + 3_400 * DAY_MS)).authority).not.toBe(authority);
  });

  test('fits its key for two relays that start together on an empty folder', async () => {
    const folder = temporaryFolder();
    const loaded = await Promise.all([load(folder), load(folder), load(folder)]);
    for (const { key, chain, authority } of loaded) {
      expect(await handshakeError(key, chain, authority, 'localhost')).toBeUndefined();
    }
  });
});

describe('damage', () => {
  test.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'an unreadable leaf is replaced: %j',
    async (text) => {
      const folder = temporaryFolder();
      const { authority } = await load(folder);
      writeFileSync(join(folder, 'leaf.pem'), text);
      const after = await load(folder);
      expect(after.authority).toBe(authority);
      expect(await handshakeError(after.key, after.chain, authority, 'localhost')).toBeUndefined();
    },
  );

  test('a leaf of another authority is not used', async () => {
    const folder = temporaryFolder();
    const { authority } = await load(folder);
    const other = temporaryFolder();
    await load(other);
    writeFileSync(join(folder, 'leaf.pem'), readFileSync(join(other, 'leaf.pem')));
    const after = await load(folder);
    expect(await handshakeError(after.key, after.chain, authority, 'localhost')).toBeUndefined();
  });

  test.each(['', 'nonsense', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'])(
    'an unreadable authority stops the relay, with advice: %j',
    async (text) => {
      const folder = temporaryFolder();
      await load(folder);
      writeFileSync(join(folder, 'ca.pem'), text);
      await expect(load(folder)).rejects.toThrow(
        expect.objectContaining({ name: 'StartError', message: expect.stringContaining('Delete that file') }),
      );
      expect(readFileSync(join(folder, 'ca.pem'), 'utf8')).toBe(text);
    },
  );

  test('a folder that cannot be used is reported', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(load(join(file, 'palm'))).rejects.toThrow(
      expect.objectContaining({ name: 'StartError', message: expect.stringContaining('--data DIR') }),
    );
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'ca.pem'));
    await expect(load(folder)).rejects.toThrow(expect.objectContaining({ name: 'StartError' }));
  });
});

describe('made and judged', () => {
  test('PEM survives a round trip', async () => {
    const authority = await createAuthority(Date.now(), ['local']);
    const pem = await toPem(authority);
    expect(await toPem(await fromPem(pem))).toBe(pem);
  });

  test('an authority vouches only for its own leaves', async () => {
    const authority = await createAuthority(Date.now(), ['laptop', 'local']);
    for (const host of ['laptop', 'a.local', 'local', '10.8.8.8', '::1']) {
      expect(mayVouchFor(authority, host), host).toBe(true);
    }
    for (const host of ['localhost', 'example.com', 'xlocal', 'xlaptop', '8.8.8.8', '2001:db8::1']) {
      expect(mayVouchFor(authority, host), host).toBe(false);
    }
  });

  test('a leaf fits its authority, time and hosts, or is not usable', async () => {
    const nowMs = Date.now();
    const [authority, other] = [
      await createAuthority(nowMs, ['local']),
      await createAuthority(nowMs, ['local']),
    ];
    const leaf = await createLeaf(nowMs, authority, ['a.local', '127.0.0.1']);
    expect(await isLeafUsable(nowMs, leaf, authority, ['127.0.0.1', 'a.local'])).toBe(true);
    expect(await isLeafUsable(nowMs, leaf, other, ['a.local', '127.0.0.1'])).toBe(false);
    expect(await isLeafUsable(nowMs, leaf, authority, ['a.local'])).toBe(false);
    expect(await isLeafUsable(nowMs, leaf, authority, ['a.local', 'b.local'])).toBe(false);
    expect(await isLeafUsable(nowMs + 367 * DAY_MS, leaf, authority, ['a.local', '127.0.0.1'])).toBe(false);
  });
});

test('certificates are kept where the system keeps a user’s data', () => {
  expect(defaultDataDir({ XDG_DATA_HOME: '/data' }, 'linux')).toBe('/data/palm');
  expect(defaultDataDir({}, 'linux')).toMatch(/\/\.local\/share\/palm$/);
  expect(defaultDataDir({ XDG_DATA_HOME: '' }, 'linux')).toMatch(/\/\.local\/share\/palm$/);
  expect(defaultDataDir({}, 'darwin')).toMatch(/Library\/Application Support\/palm$/);
  expect(defaultDataDir({ LOCALAPPDATA: '/local' }, 'win32')).toBe('/local/palm');
});

/** The error of a TLS client that trusts `authority` and asks a server with this certificate for `host`. */
async function handshakeError(
  key: string,
  chain: string,
  authority: string,
  host: string,
): Promise<string | undefined> {
  const server = createServer({ key, cert: chain }, (socket) => socket.end());
  server.on('tlsClientError', () => undefined); // the client's view is what counts here
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: address.port,
      ca: authority,
      checkServerIdentity: (_servername, certificate) => checkServerIdentity(host, certificate),
    });
    socket.once('secureConnect', () => {
      resolve(undefined);
      socket.destroy();
    });
    socket.once('error', (error) => resolve(error.message));
  });
}
