// The relay's authority and certificates: what they vouch for, when they are made anew, and what is on the disk.

import { X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkServerIdentity, connect, createServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { defaultDataDir, loadServerCertificate } from '../../signaling/certificate-store.ts';
import {
  createAuthority,
  createLeaf,
  fromPem,
  isLeafUsable,
  mayVouchFor,
  toPem,
} from '../../signaling/certificates.ts';
import { temporaryFolder } from './relay-fixture.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const NAMES = ['laptop', 'laptop.local'];
const ADDRESSES = ['192.168.1.2', '10.0.0.7'];

function load(dataDir: string, nowMs = Date.now(), names = NAMES, addresses = ADDRESSES) {
  return loadServerCertificate(dataDir, nowMs, names, addresses);
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

  test('is refused by a client that does not', async () => {
    const { key, chain } = await load(temporaryFolder());
    const other = await load(temporaryFolder());
    expect(await handshakeError(key, chain, other.authority, 'localhost')).toMatch(/self-signed|issuer/i);
  });

  test('of a website, made with the authority’s key, is worth nothing', async () => {
    const nowMs = Date.now();
    const authority = await createAuthority(nowMs, ['laptop', 'local', 'localhost']);
    const authorityPem = authority.certificate.toString('pem');
    const attempt = async (host: string) => {
      const leaf = await createLeaf(nowMs, authority, [host]);
      return handshakeError(await toPem(leaf), leaf.certificate.toString('pem'), authorityPem, host);
    };
    expect(await attempt('bank.example')).toMatch(/permitted subtree/);
    expect(await attempt('notlocal')).toMatch(/permitted subtree/);
    expect(await attempt('printer.local')).toBeUndefined();
  });
});

describe('what is kept', () => {
  test('is used again as it is', async () => {
    const folder = temporaryFolder();
    expect(await load(folder)).toEqual(await load(folder));
  });

  test('is for its owner’s eyes, in a folder that is made where needed', async () => {
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

  test('is kept when the order of addresses changed, and when much time is left', async () => {
    const folder = temporaryFolder();
    const before = await load(folder);
    expect(await load(folder, Date.now() + 300 * DAY_MS, NAMES, ADDRESSES.toReversed())).toEqual(before);
  });

  test('leaves out a name that the authority may not vouch for, and keeps the rest', async () => {
    const folder = temporaryFolder();
    await load(folder);
    const { key, chain, authority } = await load(folder, Date.now(), ['desktop', 'desktop.local']);
    expect(new X509Certificate(chain).checkHost('desktop')).toBeUndefined();
    expect(await handshakeError(key, chain, authority, 'desktop.local')).toBeUndefined();
  });

  test('the authority is replaced only when it could not cover a new certificate any more', async () => {
    const folder = temporaryFolder();
    const { authority } = await load(folder);
    expect((await load(folder, Date.now() + 3_000 * DAY_MS)).authority).toBe(authority);
    expect((await load(folder, Date.now() + 3_400 * DAY_MS)).authority).not.toBe(authority);
  });

  test('two relays that start at once on an empty folder both get a certificate that fits its key', async () => {
    const folder = temporaryFolder();
    const loaded = await Promise.all([load(folder), load(folder), load(folder)]);
    for (const { key, chain, authority } of loaded) {
      expect(await handshakeError(key, chain, authority, 'localhost')).toBeUndefined();
    }
  });
});

describe('damage', () => {
  test.each(['', 'nonsense', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'a leaf that cannot be read is made anew: %j',
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
    'an authority that cannot be read stops the relay, with what to do: %j',
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

  test('a folder that cannot be used', async () => {
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
  test('PEM there and back', async () => {
    const authority = await createAuthority(Date.now(), ['local']);
    const pem = await toPem(authority);
    expect(await toPem(await fromPem(pem))).toBe(pem);
  });

  test('who vouches for what', async () => {
    const authority = await createAuthority(Date.now(), ['laptop', 'local']);
    for (const host of ['laptop', 'a.local', 'local', '8.8.8.8', '::1']) {
      expect(mayVouchFor(authority, host), host).toBe(true);
    }
    for (const host of ['localhost', 'example.com', 'xlocal', 'xlaptop']) {
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

/** What a TLS client that trusts `authority` objects to when it asks a server with this certificate for `host`. */
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
