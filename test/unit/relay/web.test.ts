// The relay's answers to plain requests: the app and nothing else, under strict headers.

import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../../signaling/fingerprint.ts';
import { isOwnOrigin, readHost } from '../../../signaling/host.ts';
import { machineAddresses, machineNames } from '../../../signaling/addresses.ts';
import { appHeaders } from '../../../signaling/security-headers.ts';
import type { Relay } from '../../../signaling/relay.ts';
import {
  ask,
  authorityOf,
  directives,
  STRICT_HEADERS,
  tinyApp,
  testRelay,
} from '../../fixtures/relay-fixture.ts';

describe('the app', () => {
  test('has its types, and is requested again unless its name carries its hash', async () => {
    const relay = await testRelay();
    const seen = await Promise.all(
      [
        '/',
        '/index.html',
        '/sw.js',
        '/manifest.webmanifest',
        '/assets/app-1a2b3c.js',
        '/assets/code-1a2b3c.wasm',
      ].map(async (path) => {
        const { status, headers } = await ask(relay, path);
        return [path, status, headers['content-type'], headers['cache-control']];
      }),
    );
    const forever = 'public, max-age=31536000, immutable';
    expect(seen).toEqual([
      ['/', 200, 'text/html;charset=utf-8', 'no-cache'],
      ['/index.html', 200, 'text/html;charset=utf-8', 'no-cache'],
      ['/sw.js', 200, 'text/javascript', 'no-cache'],
      ['/manifest.webmanifest', 200, 'application/manifest+json', 'no-cache'],
      ['/assets/app-1a2b3c.js', 200, 'text/javascript', forever],
      ['/assets/code-1a2b3c.wasm', 200, 'application/wasm', forever],
    ]);
  });

  test('is not sent again to a browser that has it', async () => {
    const relay = await testRelay();
    const { etag = '' } = (await ask(relay, '/')).headers;
    const again = await ask(relay, '/', { headers: { 'If-None-Match': etag } });
    expect(again).toMatchObject({ status: 304, body: '', headers: STRICT_HEADERS });
  });

  test('comes over https too', async () => {
    const relay = await testRelay();
    const ca = await authorityOf(relay);
    const { status, headers, body } = await ask(relay, '/', { secure: true, ca });
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect({ status, body, headers }).toMatchObject({
      status: 200,
      body: expect.stringContaining('Tiny'),
      headers: STRICT_HEADERS,
    });
    expect(directives(headers['content-security-policy'])['connect-src']).toBe(
      `'self' wss://localhost:${relay.httpsPort}`,
    );
  });

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/%2e%2e%2fsecret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '//secret.txt',
    '/.hidden',
    '/%2ehidden',
    '/%00',
    '/index.html%00.js',
    '/%',
    '/%ff%fe',
    '/nothing-here',
    'http://localhost/../secret.txt',
    `/${'a'.repeat(8_000)}`,
  ])('is all that there is: %s', async (path) => {
    const relay = await testRelay();
    const answer = await ask(relay, path);
    expect(answer.status).toBe(404);
    expect(answer.body).toBe('There is no such page here.\n');
    expect(answer.headers).toMatchObject(STRICT_HEADERS);
  });

  test.each(['bytes=5-2', 'bytes=99999-', 'bytes=-5', 'bytes=a-b', 'bytes=0-0,1-1', 'lines=1-2', ''])(
    'is sent whole, whatever range is requested: %s',
    async (range) => {
      const relay = await testRelay();
      const answer = await ask(relay, '/', { headers: { Range: range } });
      expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('Tiny') });
    },
  );

  test('comes from memory: changes of its folder have no effect', async () => {
    const appDir = tinyApp();
    const relay = await testRelay({ appDir });
    rmSync(appDir, { recursive: true });
    expect(await ask(relay, '/sw.js')).toMatchObject({ status: 200, body: 'self;' });
    expect((await ask(relay, '/')).body).toContain('Tiny');
  });

  test('comes compressed if accepted, under a tag of its own, and HEAD says the same', async () => {
    const appDir = tinyApp();
    const text = 'export const palm = 1;\n'.repeat(10_000);
    writeFileSync(join(appDir, 'assets', 'large-1a2b3c.js'), text);
    const relay = await testRelay({ appDir });
    const path = '/assets/large-1a2b3c.js';
    const plain = await ask(relay, path);
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(plain.headers).toMatchObject({ vary: 'Accept-Encoding', 'content-length': String(text.length) });
    expect(plain.body).toBe(text);
    for (const accepted of ['gzip', 'br, gzip;q=0.5', '*']) {
      const headers = { 'Accept-Encoding': accepted };
      const packed = await ask(relay, path, { headers });
      expect(gunzipSync(packed.bytes).toString()).toBe(text);
      expect(packed.headers['content-encoding']).toBe('gzip');
      expect(packed.headers.etag).not.toBe(plain.headers.etag);
      const head = await ask(relay, path, { headers, method: 'HEAD' });
      const { date: _then, ...promised } = packed.headers;
      expect(head).toMatchObject({ status: 200, body: '', headers: promised });
      const again = await ask(relay, path, {
        headers: { ...headers, 'If-None-Match': packed.headers.etag ?? '' },
      });
      expect(again).toMatchObject({ status: 304, body: '' });
    }
    for (const accepted of ['', 'br', 'gzip;q=0', 'gzip; q=0.0']) {
      const answer = await ask(relay, path, { headers: { 'Accept-Encoding': accepted } });
      expect(answer.body).toBe(text);
    }
  });

  describe('compressed at the build', () => {
    const path = '/assets/large-1a2b3c.js';
    const text = 'export const palm = 1;\n'.repeat(1_000);

    /** An app with a file and both of its compressed forms, one level below the best to be recognised. */
    function builtApp(): { appDir: string; br: Buffer; gz: Buffer } {
      const appDir = tinyApp();
      const br = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });
      const gz = gzipSync(text, { level: 1 });
      for (const [suffix, bytes] of Object.entries({ '': text, '.br': br, '.gz': gz })) {
        writeFileSync(join(appDir, `${path}${suffix}`), bytes);
      }
      return { appDir, br, gz };
    }

    test.each([
      ['gzip, deflate, br, zstd', 'br'],
      ['gzip, deflate', 'gzip'],
      ['br;q=0.5, gzip;q=0.8', 'gzip'],
      ['br;q=0.5, gzip;q=0.5', 'br'],
      ['br;q=0, *', 'gzip'],
      ['*;q=0.1', 'br'],
      ['BR ; Q=1.000', 'br'],
      ['identity, gzip;q=0.9', undefined],
      ['identity;q=0.5, gzip;q=0.9', 'gzip'],
      ['identity, br', 'br'],
      ['br;q=2, gzip;q=x', undefined],
      ['*;q=0', undefined],
      ['identity;q=0', undefined],
      ['zstd', undefined],
      ['', undefined],
    ])('is sent as %s allows: %s', async (accepted, coding) => {
      const { appDir, br, gz } = builtApp();
      const relay = await testRelay({ appDir });
      const { status, headers, bytes } = await ask(relay, path, { headers: { 'Accept-Encoding': accepted } });
      expect({ status, coding: headers['content-encoding'], vary: headers.vary }).toEqual({
        status: 200,
        coding,
        vary: 'Accept-Encoding',
      });
      expect(bytes.equals(coding === 'br' ? br : coding === 'gzip' ? gz : Buffer.from(text))).toBe(true);
    });

    test('has a tag for each form, and no path for one', async () => {
      const relay = await testRelay({ appDir: builtApp().appDir });
      const tags = await Promise.all(
        ['br', 'gzip', ''].map(async (accepted) => {
          const headers = { 'Accept-Encoding': accepted };
          const { etag = '' } = (await ask(relay, path, { headers })).headers;
          const again = await ask(relay, path, { headers: { ...headers, 'If-None-Match': etag } });
          expect(again.status).toBe(304);
          return etag;
        }),
      );
      expect(new Set(tags).size).toBe(3);
      for (const suffix of ['.br', '.gz']) expect((await ask(relay, `${path}${suffix}`)).status).toBe(404);
    });

    test.each(['.br', '.gz'])('cannot be served with another file’s %s', async (suffix) => {
      const { appDir } = builtApp();
      writeFileSync(join(appDir, `${path}${suffix}`), gzipSync(`${text} `));
      await expect(testRelay({ appDir })).rejects.toThrow(
        expect.objectContaining({ name: 'StartError', message: expect.stringContaining('npm run build') }),
      );
    });
  });

  test('cannot be served from a folder without it', async () => {
    await expect(testRelay({ appDir: join(tinyApp(), 'assets') })).rejects.toThrow(
      expect.objectContaining({ name: 'StartError', message: expect.stringContaining('npm run build') }),
    );
  });
});

describe('other requests', () => {
  test('/lan tells this machine’s address to a page on this machine only', async () => {
    const relay = await testRelay();
    const { status, body } = await ask(relay, '/lan');
    expect([status, JSON.parse(body)]).toEqual([200, relay.lan]);
    for (const lan of relay.lan) {
      const { hostname } = new URL(lan);
      const elsewhere = await ask(relay, '/lan', { headers: { host: hostname } });
      expect(elsewhere.status).toBe(404);
    }
  });

  test('/fingerprints returns what a browser’s warning and an installed authority show', async () => {
    const relay = await testRelay();
    const ca = await authorityOf(relay);
    const { certificateFingerprint, authority } = relay.certificate;
    const expected = { certificate: certificateFingerprint, authority: authority?.fingerprint };
    expect(JSON.parse((await ask(relay, '/fingerprints')).body)).toEqual(expected);
    expect(JSON.parse((await ask(relay, '/fingerprints', { secure: true, ca })).body)).toEqual(expected);
    expect(fingerprintOf(ca)).toBe(expected.authority);
  });

  test('/reached tells the app at which origin it was asked, and people that the relay answers', async () => {
    const relay = await testRelay();
    const ca = await authorityOf(relay);
    const originSeen = async (options: Parameters<typeof ask>[2] = {}) =>
      JSON.parse((await ask(relay, '/reached', options)).body);
    expect(await originSeen()).toEqual({ origin: new URL(relay.app).origin });
    expect(await originSeen({ headers: { Host: 'LOCALHOST:80' } })).toEqual({ origin: 'http://localhost' });
    expect(await originSeen({ secure: true, ca, headers: { Host: '192.168.7.7:8443' } })).toEqual({
      origin: 'https://192.168.7.7:8443',
    });
    expect(await ask(relay, '/reached', { headers: { Host: 'palm.example' } })).toMatchObject({
      status: 421,
    });
    const page = await ask(relay, '/reached', { headers: { Accept: 'text/html,*/*' } });
    expect(page.body).toContain('The relay answers');
    expect(page.headers['content-security-policy']).toContain("style-src 'sha256-");
  });

  test('/ping', async () => {
    const relay = await testRelay();
    const ca = await authorityOf(relay);
    const expected = { status: 200, body: 'palm', headers: { 'cache-control': 'no-store' } };
    expect(await ask(relay, '/ping')).toMatchObject(expected);
    expect(await ask(relay, '/ping?1', { secure: true, ca })).toMatchObject(expected);
    expect(await ask(relay, '/ping', { headers: { Host: '192.168.7.7:8080' } })).toMatchObject(expected);
    expect(await ask(relay, '/ping', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])('%s is not for pages', async (method) => {
    const relay = await testRelay();
    expect(await ask(relay, '/', { method })).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
  });

  test('a name that is not this machine gets nothing', async () => {
    const relay = await testRelay();
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      'a b',
      '999.1.1.1',
      '[::1',
      'localhost:x',
    ]) {
      const { status, body } = await ask(relay, '/', { headers: { Host: host } });
      expect([host, status]).toEqual([host, 421]);
      expect(body).not.toContain('Tiny');
    }
  });

  test('what is no HTTP at all closes that connection only', async () => {
    const relay = await testRelay();
    for (const port of [relay.httpPort, relay.httpsPort]) {
      await new Promise((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.end('\u0016\u0003 nonsense\r\n\r\n'));
        socket.on('error', resolve);
        socket.on('close', resolve);
        socket.resume();
      });
    }
    expect((await ask(relay, '/ping')).body).toBe('palm');
  });

  test('a CONNECT, and an upgrade to something else', async () => {
    const relay = await testRelay();
    expect(await failedRequest(relay, 'CONNECT', {})).toBe(true);
    expect(await failedRequest(relay, 'GET', { Connection: 'Upgrade', Upgrade: 'h2c' })).toBe(true);
    expect((await ask(relay, '/ping')).body).toBe('palm');
  });
});

describe('connections', () => {
  test('with too many waiting requests are cut, and others are served', async () => {
    const relay = await testRelay();
    const get = `GET /sw.js HTTP/1.1\r\nHost: localhost:${relay.httpPort}\r\n\r\n`;
    expect(await exchange(relay.httpPort, get.repeat(9))).toBe('');
    const some = await exchange(
      relay.httpPort,
      get.repeat(7) + get.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
    );
    expect(some.match(/200 OK/g)).toHaveLength(8);
    expect((await ask(relay, '/')).status).toBe(200);
  });

  test.each([
    ['headers that do not end', 'httpPort', { headersMs: 100 }, 'GET / HTTP/1.1\r\nHost: localhost\r\n'],
    [
      'a request that does not end',
      'httpPort',
      { headersMs: 100, requestMs: 200 },
      'GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n1',
    ],
    ['silence', 'httpPort', { headersMs: 100 }, ''],
    ['silence before the TLS handshake', 'httpsPort', { handshakeMs: 100 }, ''],
  ] as const)('are cut in time for %s', async (_what, port, limits, sent) => {
    const relay = await testRelay({ limits });
    await exchange(relay[port], sent); // resolves when the relay has cut it
    expect((await ask(relay, '/')).status).toBe(200);
  });

  test('with unread answers are cut in time', async () => {
    const appDir = tinyApp();
    // More than the buffers of the two ends' systems together, which may be 32 MiB for the receiver alone.
    const hugeBytes = 60_000_000;
    writeFileSync(join(appDir, 'assets', 'huge-1a2b3c.bin'), randomBytes(hugeBytes));
    const relay = await testRelay({ appDir, limits: { stalledMs: 200, headersMs: 2_000 } });
    const socket = connect(relay.httpPort, '127.0.0.1');
    const cut = new Promise((resolve) => socket.once('close', resolve));
    socket.on('error', () => undefined);
    socket.write(`GET /assets/huge-1a2b3c.bin HTTP/1.1\r\nHost: localhost:${relay.httpPort}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    // Each of these stays silent, and is cut after as long as one that does not read. The answer fills the
    // system's buffers long before the last of them began: by its end the relay has cut all.
    for (let silent = 0; silent < 5; silent++) await exchange(relay.httpPort, '');
    socket.resume();
    await cut;
    expect(socket.bytesRead).toBeLessThan(hugeBytes);
  });

  test('beyond those of one address: its silent ones give way, others keep theirs', async () => {
    const relay = await testRelay({ limits: { connections: 6, connectionsPerAddress: 4 } });
    const silent = await Promise.all([1, 2, 3, 4, 5].map(() => open(relay.httpPort, '127.0.0.66')));
    await once(silent[0]);
    const others = await Promise.all(
      ['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((from) => open(relay.httpPort, from)),
    );
    await Promise.any(silent.slice(1).map(once));
    for (const socket of others) expect(socket.destroyed).toBe(false);
    for (const socket of [...silent, ...others]) socket.destroy();
  });
});

describe('the content security policy', () => {
  const host = (header: string) => readHost(header, []) ?? { name: '', authority: '', loopback: false };

  test('names every source, and nothing from elsewhere', () => {
    expect(directives(appHeaders(host('localhost:8080'), false)['Content-Security-Policy'])).toEqual({
      'default-src': "'none'",
      'script-src': "'self' 'wasm-unsafe-eval'",
      'style-src': "'self'",
      'img-src': "'self' blob: data:",
      'font-src': "'self'",
      'connect-src': "'self' ws://localhost:8080",
      'worker-src': "'self' blob:",
      'manifest-src': "'self'",
      'media-src': "'self' blob:",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
  });

  test('names the WebSocket of the same host, where a policy can', () => {
    const connectSource = (header: string) =>
      directives(appHeaders(host(header), true)['Content-Security-Policy'])['connect-src'];
    expect(connectSource('192.168.7.7:8443')).toBe("'self' wss://192.168.7.7:8443");
    expect(connectSource('[fd00::7]:8443')).toBe("'self'");
  });
});

describe('hosts and origins', () => {
  test.each([
    ['localhost', true],
    ['LOCALHOST:8080', true],
    ['127.0.0.1:1', true],
    ['127.9.9.9', true],
    ['[::1]:8080', true],
    ['192.168.1.2', false],
    ['[fd00::1]:8443', false],
    ['laptop:8443', false],
    ['laptop.local', false],
  ])('%s is this machine; by loopback: %s', (header, loopback) => {
    expect(readHost(header, ['laptop', 'laptop.local'])).toMatchObject({ loopback });
  });

  test.each([
    undefined,
    '',
    ':8080',
    'evil.example',
    'laptop.evil.example',
    'localhost.',
    'localhost:123456',
    'localhost:80:80',
    'user@localhost',
    'localhost/x',
    "localhost; script-src 'unsafe-inline'",
    '1.2.3',
    '0x7f.1',
    '::1',
    '[127.0.0.1]',
    '[::1]x',
    `${'a'.repeat(300)}.local`,
  ])('%s is not', (header) => {
    expect(readHost(header, ['laptop', 'laptop.local'])).toBeUndefined();
  });

  test('an origin is own by scheme, name and port, standard ports included', () => {
    const host = readHost('laptop', ['laptop']);
    if (host === undefined) throw new Error('laptop is not read as a host');
    expect(isOwnOrigin('https://laptop', host, true)).toBe(true);
    expect(isOwnOrigin('https://laptop:443', host, true)).toBe(true);
    expect(isOwnOrigin('http://laptop', host, true)).toBe(false);
    expect(isOwnOrigin('https://laptop:444', host, true)).toBe(false);
  });

  test('a machine is called by its first label, and by that in mDNS', () => {
    expect(machineNames('Laptop.corp.example')).toEqual(['laptop', 'laptop.local']);
    expect(machineNames('Anna’s MacBook')).toEqual([]);
    expect(machineNames('localhost')).toEqual([]);
    expect(machineNames('')).toEqual([]);
    expect(machineAddresses().lan).not.toContain('127.0.0.1');
  });
});

/** Whether a request of this kind ends without a page. */
function failedRequest(relay: Relay, method: string, headers: Record<string, string>): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port: relay.httpPort, path: '/', method, headers });
    sent.on('error', () => resolve(true));
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode !== 200);
    });
    sent.end();
  });
}

/** Sends text, and resolves with everything that came until the relay cut the connection. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });
}

async function open(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Resolves when the relay has cut it. */
function once(socket: Socket | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (socket === undefined || socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}
