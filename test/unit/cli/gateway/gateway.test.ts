// The gateway over real sockets: who is let in, what a file's answer says, and what is taken.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { GatewayWorld, POOL_ID } from '../../../fixtures/gateway-world.ts';

let world: GatewayWorld;
let reader: string;

beforeEach(async () => {
  world = new GatewayWorld();
  await world.open();
  reader = world.token('read');
});

afterEach(() => world.end());

describe('who is let in', () => {
  it('asks for a token, for names that are not there too', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    for (const path of [`/f/${fileId}/a.txt`, '/f/', '/f/none', '/', '/metrics']) {
      const { status, headers, body } = await world.ask(path, undefined);
      expect([path, status, headers['www-authenticate']]).toEqual([
        path,
        401,
        'Basic realm="Palm", charset="UTF-8"',
      ]);
      expect(String(body)).not.toContain('abc');
    }
  });

  it('takes a token as bearer and as the password of any user', async () => {
    world.put('a.txt', 'abc');
    const basic = (user: string): string => `Basic ${Buffer.from(`${user}:${reader}`).toString('base64')}`;
    for (const authorization of [`Bearer ${reader}`, `bearer ${reader}`, basic(''), basic('me')])
      expect((await world.ask('/f/', undefined, { headers: { authorization } })).status).toBe(200);
    for (const authorization of [
      reader,
      `Bearer ${reader}x`,
      `Digest ${reader}`,
      basic('x:'),
      'Basic !!',
      'Bearer',
    ])
      expect((await world.ask('/f/', undefined, { headers: { authorization } })).status).toBe(401);
  });

  it('refuses a token of another pool, and one that was revoked', async () => {
    world.poolId = 'pool-b';
    expect((await world.ask('/f/', reader)).status).toBe(401);
    world.poolId = POOL_ID;
    expect((await world.ask('/f/', reader)).status).toBe(200);
    world.tokens.remove('token 0', POOL_ID);
    expect((await world.ask('/f/', reader)).status).toBe(401);
  });

  it('says that the device is in no pool', async () => {
    world.poolId = undefined;
    const { status, body } = await world.ask('/f/', reader);
    expect([status, String(body)]).toEqual([503, expect.stringContaining('in no pool')]);
  });

  it('is called by its own name alone, whatever a name resolves to', async () => {
    const asked = async (host: string): Promise<number> =>
      (await world.ask('/f/', reader, { headers: { host } })).status;
    for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]'])
      expect(await asked(`${host}:${world.port}`)).toBe(200);
    for (const host of ['evil.test', `evil.test:${world.port}`, '127.0.0.1', `127.0.0.1:${world.port + 1}`])
      expect([host, await asked(host)]).toEqual([host, 421]);
    const twice = `GET /f/ HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nHost: evil.test\r\n`;
    expect(await world.raw(`${twice}Authorization: Bearer ${reader}\r\nConnection: close\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 (?:400|421) /u,
    );
    await world.open({}, 'nas.local');
    expect([await asked('nas.local'), await asked(`nas.local:${world.port}`)]).toEqual([200, 200]);
    expect(await asked('nas.local.evil.test')).toBe(421);
  });

  it('refuses what another site causes, with a token too', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    const own = `http://127.0.0.1:${world.port}`;
    const asked = async (headers: Record<string, string>): Promise<number> =>
      (await world.ask(`/f/${fileId}/a.txt`, reader, { headers })).status;
    expect(await asked({ origin: own, 'sec-fetch-site': 'same-origin' })).toBe(200);
    expect(await asked({ 'sec-fetch-site': 'none' })).toBe(200);
    for (const origin of [
      'https://evil.test',
      'null',
      `http://127.0.0.1:${world.port + 1}`,
      `${own}.evil.test`,
    ])
      expect([origin, await asked({ origin })]).toEqual([origin, 403]);
    for (const site of ['cross-site', 'same-site', 'SAME-ORIGIN'])
      expect([site, await asked({ 'sec-fetch-site': site })]).toEqual([site, 403]);
  });

  it('does with a token what its scopes allow', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    const asked = async (token: string): Promise<number[]> => [
      (await world.ask(`/f/${fileId}/a.txt`, token)).status,
      (await world.ask('/f/', token, { method: 'HEAD' })).status,
      (await world.ask('/f/new', token, { method: 'PUT', body: 'x' })).status,
      (await world.ask('/f/?name=new', token, { method: 'POST', body: 'x' })).status,
      (await world.ask(`/f/${fileId}`, token, { method: 'DELETE' })).status,
    ];
    expect(await asked(reader)).toEqual([200, 200, 403, 403, 403]);
    expect(await asked(world.token('add'))).toEqual([403, 403, 201, 201, 403]);
    expect(await asked(world.token('admin'))).toEqual([200, 200, 201, 201, 204]);
    expect(world.removed).toEqual([fileId]);
  });
});

describe('a file', () => {
  it('comes with its length, a strong tag, its type and its name', async () => {
    const { fileId } = world.put('Grüße "1".txt', 'abc');
    const { status, headers, body } = await world.ask(`/f/${fileId}/any`, reader);
    expect([status, String(body)]).toEqual([200, 'abc']);
    expect(headers).toMatchObject({
      'content-length': '3',
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `inline; filename="Gr??e \\"1\\".txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%221%22.txt`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      etag: `"${fileId}"`,
    });
    expect((await world.ask(`/f/${fileId}/any?download`, reader)).headers['content-disposition']).toMatch(
      /^attachment;/u,
    );
  });

  it.each([
    ['page.html', '', 'text/html; charset=utf-8'],
    ['film.mp4', '', 'video/mp4'],
    ['film', 'video/webm', 'video/webm'],
    ['film.mp4', 'text/html\r\nX: 1', 'video/mp4'],
    ['no-one-knows', '', 'application/octet-stream'],
    ['picture.svg', '', 'image/svg+xml'],
  ])('%s, said to be %j, is %s', async (name, mime, type) => {
    const { fileId } = world.put(name, 'x', { mime });
    expect((await world.ask(`/f/${fileId}/x`, reader)).headers['content-type']).toBe(type);
  });

  it('cannot act as the gateway: it runs nothing, is framed by nobody, and its type is not guessed', async () => {
    const { fileId } = world.put('page.html', '<script>fetch("/f/")</script>');
    for (const path of [`/f/${fileId}/page.html`, '/f/', '/f/none']) {
      const { headers } = await world.ask(path, reader, { headers: { accept: 'text/html' } });
      const policy = String(headers['content-security-policy']);
      expect(policy).toMatch(/^sandbox; default-src 'none';/u);
      expect(policy).not.toMatch(/allow-|script-src|connect-src/u);
      expect(policy).toContain("frame-ancestors 'none'");
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    }
  });

  it('is no document of the gateway unless it can hold none', async () => {
    const policyOf = async (mime: string): Promise<string> => {
      const { fileId } = world.put('x', 'x', { mime });
      const { headers } = await world.ask(`/f/${fileId}/x`, reader);
      return String(headers['content-security-policy']);
    };
    for (const mime of ['video/mp4', 'audio/x-wav', 'image/png'])
      expect(await policyOf(mime)).toMatch(/^default-src 'none';/u);
    for (const mime of [
      'image/svg+xml',
      'image/svg',
      'video/x+xml',
      'text/html',
      'application/pdf',
      'image/p&g',
    ])
      expect([mime, await policyOf(mime)]).toEqual([
        mime,
        expect.stringMatching(/^sandbox; default-src 'none';/u),
      ]);
  });

  it.each(['a\r\nSet-Cookie: x=1', 'a\0b', '‮gpj.exe', '../../etc/passwd', '💥'.repeat(60)])(
    'has no header that its name %j wrote',
    async (name) => {
      const { fileId } = world.put(name, 'abc');
      const { status, headers, body } = await world.ask(`/f/${fileId}/x`, reader);
      expect([status, String(body)]).toEqual([200, 'abc']);
      expect(headers).not.toHaveProperty('set-cookie');
    },
  );

  it('is not sent again to who has it', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    const asked = async (headers: Record<string, string>): Promise<number> =>
      (await world.ask(`/f/${fileId}/a.txt`, reader, { headers })).status;
    expect(await asked({ 'if-none-match': `"other", W/"${fileId}"` })).toBe(304);
    expect(await asked({ 'if-none-match': '*' })).toBe(304);
    expect(await asked({ 'if-none-match': '"other"' })).toBe(200);
    expect(await asked({ 'if-match': `"other", "${fileId}"` })).toBe(200);
    expect(await asked({ 'if-match': `W/"${fileId}"` })).toBe(412);
    expect(await asked({ 'if-match': '"other"' })).toBe(412);
  });

  it('comes in parts, of this file only', async () => {
    const { fileId } = world.put('a.txt', '0123456789');
    const asked = async (headers: Record<string, string>, method = 'GET') => {
      const answer = await world.ask(`/f/${fileId}/a.txt`, reader, { headers, method });
      return [answer.status, answer.headers['content-range'], String(answer.body)];
    };
    expect(await asked({ range: 'bytes=2-4' })).toEqual([206, 'bytes 2-4/10', '234']);
    expect(await asked({ range: 'bytes=-3' })).toEqual([206, 'bytes 7-9/10', '789']);
    expect(await asked({ range: 'bytes=8-99' })).toEqual([206, 'bytes 8-9/10', '89']);
    expect((await asked({ range: 'bytes=10-' })).slice(0, 2)).toEqual([416, 'bytes */10']);
    expect(await asked({ range: 'bytes=0-0,5-6' })).toEqual([200, undefined, '0123456789']);
    expect((await asked({ range: 'bytes=4-2' })).slice(0, 2)).toEqual([416, 'bytes */10']);
    expect(await asked({ range: 'lines=1-2' })).toEqual([200, undefined, '0123456789']);
    const ranged = { range: 'bytes=2-4' };
    expect((await asked({ ...ranged, 'if-range': `"${fileId}"` }))[0]).toBe(206);
    for (const other of ['"other"', `W/"${fileId}"`, 'Sat, 29 Oct 2044 19:43:31 GMT'])
      expect((await asked({ ...ranged, 'if-range': other }))[0]).toBe(200);
    expect(await asked(ranged, 'HEAD')).toEqual([200, undefined, '']);
    expect(world.reads[0]).toMatchObject({ start: 2, end: 5 });
  });

  it('is whole when it is empty', async () => {
    const { fileId } = world.put('empty', '');
    const { status, headers } = await world.ask(`/f/${fileId}/empty`, reader);
    expect([status, headers['content-length']]).toEqual([200, '0']);
  });

  it('below k says why, when to come again, and nothing of a file that it does not send', async () => {
    const { fileId } = world.put('a.txt', 'abc', { reach: 1 });
    const error = new PalmError(
      { code: 'not-enough-fragments', reach: 1, k: 2, silent: [], isHeard: false },
      { message: 'Only 1 of 2 fragments.' },
    );
    world.failure = { afterBytes: 0, error };
    const { status, headers, body } = await world.ask(`/f/${fileId}/a.txt`, reader, {
      headers: { range: 'bytes=0-1' },
    });
    expect([status, headers['retry-after'], String(body)]).toEqual([503, '30', 'Only 1 of 2 fragments.\n']);
    for (const name of ['content-range', 'content-disposition', 'etag'])
      expect(headers).not.toHaveProperty(name);
    expect((await world.ask(`/f/${fileId}/a.txt`, reader, { method: 'HEAD' })).status).toBe(503);
  });

  it('that fails in its middle ends before its length, so that nobody takes it for whole', async () => {
    const { fileId } = world.put('a.bin', new Uint8Array(1_000_000));
    world.failure = { afterBytes: 500_000, error: new Error('a bug') };
    await expect(world.ask(`/f/${fileId}/a.bin`, reader)).rejects.toThrow('aborted');
    // Nor what comes after for the rest of it.
    const head = `Host: 127.0.0.1:${world.port}\r\nAuthorization: Bearer ${reader}\r\n`;
    const both = `GET /f/${fileId}/a.bin HTTP/1.1\r\n${head}\r\nGET /f/ HTTP/1.1\r\n${head}Connection: close\r\n\r\n`;
    expect((await world.raw(both)).match(/HTTP\/1\.1/gu)?.length ?? 0).toBeLessThan(2);
  });

  it('keeps what a bug says of this machine to itself', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    world.failure = { afterBytes: 0, error: new Error('/home/me/secret') };
    const { status, body } = await world.ask(`/f/${fileId}/a.txt`, reader);
    expect([status, String(body)]).toEqual([500, expect.not.stringContaining('secret')]);
  });
});

describe('a folder', () => {
  beforeEach(() => {
    world.put('b.txt', 'b', { path: 'photos/2024' });
    world.put('<img src=x>.txt', 'c', { path: 'photos' });
    world.put('hidden', 'd', { path: 'photos', private: true, openable: false });
  });

  it('has no private file, not even one that the device can open', async () => {
    // As a device knows one that it stored itself, or opened by its link.
    const { fileId: secret } = world.put('secret', 'e', { path: 'photos', private: true, openable: true });
    const admin = world.token('read', 'admin');
    for (const path of [`/f/${secret}`, `/f/${secret}/secret`, '/f/photos/secret'])
      for (const method of ['GET', 'HEAD', 'DELETE'])
        expect((await world.ask(path, admin, { method })).status, `${method} ${path}`).toBe(404);
    expect(String((await world.ask('/f/photos/', reader)).body)).not.toContain('secret');
  });

  it('is JSON for who prefers it, and a page for browsers', async () => {
    const json = await world.ask('/f/photos/', reader, { headers: { accept: 'application/json' } });
    expect(JSON.parse(String(json.body))).toEqual({
      path: 'photos',
      folders: [{ name: '2024', url: '/f/photos/2024/' }],
      files: [
        {
          name: '<img src=x>.txt',
          fileId: 'file1',
          size: 1,
          type: 'text/plain; charset=utf-8',
          modifiedMs: 0,
          storedAtMs: 1,
          readable: true,
          url: '/f/file1/%3Cimg%20src%3Dx%3E.txt',
        },
      ],
    });
    const page = await world.ask('/f/photos/', reader, { headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([page.headers['content-type'], page.headers['vary']]).toEqual([
      'text/html; charset=utf-8',
      'Accept',
    ]);
    expect(String(page.body)).toContain('href="/f/file1/%3Cimg%20src%3Dx%3E.txt">&#60;img src=x&#62;.txt<');
    expect(String(page.body)).not.toContain('<img');
    expect(String(page.body)).not.toContain('hidden');
  });

  it('leads on from paths as people write them', async () => {
    const location = async (path: string): Promise<unknown> => {
      const { status, headers } = await world.ask(path, reader);
      return status === 307 ? headers.location : status;
    };
    world.put('b.txt', 'newer', { path: 'photos/2024' });
    expect(await location('/f/photos')).toBe('/f/photos/');
    expect(await location('/f/photos/2024/b.txt')).toBe('/f/file3/b.txt');
    expect(await location('/f/none/')).toBe(404);
    expect(await location('/f/photos/hidden')).toBe(404);
    expect(await location('/')).toBe(200);
  });
});

describe('a file that comes', () => {
  let adder: string;

  beforeEach(() => {
    adder = world.token('add');
  });

  it('is stored by its path, and says where it is', async () => {
    const headers = { 'content-type': 'image/png' };
    const answer = await world.ask('/f/a%20b/c.png', adder, { method: 'PUT', body: 'bytes', headers });
    expect([answer.status, answer.headers.location]).toEqual([201, '/f/file0/c.png']);
    expect(JSON.parse(String(answer.body))).toMatchObject({ fileId: 'file0' });
    expect(world.files[0]).toMatchObject({ path: 'a b', name: 'c.png', mime: 'image/png' });
    expect(Buffer.from(world.bytesOf('file0')).toString()).toBe('bytes');
    expect(world.spooled()).toEqual([]);
  });

  it('is posted to a folder with its name beside it', async () => {
    const post = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await world.ask(path, adder, { method: 'POST', body: 'x', headers })).status;
    expect(await post('/f/in/?name=a%2Fb')).toBe(201);
    const disposition = `attachment; filename="x"; filename*=UTF-8''Gr%C3%BC%C3%9Fe`;
    expect(await post('/f/', { 'content-disposition': disposition })).toBe(201);
    expect(world.files.map(({ path, name }) => [path, name])).toEqual([
      ['in', 'a/b'],
      ['', 'Grüße'],
    ]);
    expect(await post('/f/in/')).toBe(400);
    expect(await post('/f/in')).toBe(400);
  });

  it('is refused when it is a part, a form, compressed, or one that is there', async () => {
    world.put('there', 'x');
    const put = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
      (await world.ask(path, adder, { method: 'PUT', body: 'x', headers })).status;
    expect(await put('/f/a', { 'content-range': 'bytes 0-0/2' })).toBe(400);
    expect(await put('/f/a', { 'content-type': 'multipart/form-data; boundary=x' })).toBe(415);
    expect(await put('/f/a', { 'content-encoding': 'gzip' })).toBe(415);
    expect(await put('/f/there', { 'if-none-match': '*' })).toBe(412);
    expect(await put('/f/folder/')).toBe(400);
    expect(world.files).toHaveLength(1);
    expect(world.spooled()).toEqual([]);
  });

  it('that can never fit is not begun, and one that does not fit leaves nothing', async () => {
    const head = `PUT /f/a HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nAuthorization: Bearer ${adder}\r\n`;
    const told = await world.raw(`${head}Content-Length: 9000000000000000\r\nExpect: 100-continue\r\n\r\n`);
    expect(told).toMatch(/^HTTP\/1\.1 507 /u);
    expect(told).not.toContain('100 Continue');
    world.storeFailure = new PalmError({ code: 'over-quota', reason: 'bytes' } as never, {
      message: 'Full.',
    });
    const answer = await world.ask('/f/a', adder, { method: 'PUT', body: 'x' });
    expect([answer.status, String(answer.body)]).toEqual([507, 'Full.\n']);
    expect(world.spooled()).toEqual([]);
  });

  it('is asked for only when it is taken', async () => {
    const head = (token: string): string =>
      `PUT /f/a HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nAuthorization: Bearer ${token}\r\n` +
      'Content-Length: 1\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n';
    expect(await world.raw(head(reader))).toMatch(/^HTTP\/1\.1 403 /u);
    expect(await world.raw(`${head(adder)}x`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /u);
  });

  it('that ends too early is not stored', async () => {
    const socket = world.socket();
    socket.write(
      `PUT /f/a HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nAuthorization: Bearer ${adder}\r\n` +
        'Content-Length: 100\r\nExpect: 100-continue\r\n\r\n',
    );
    await new Promise((resolve) => socket.once('data', resolve)); // it is being taken
    await expect.poll(() => world.spooled()).toHaveLength(1);
    socket.end('half');
    await new Promise((resolve) => socket.once('close', resolve));
    await expect.poll(() => world.spooled()).toEqual([]);
    expect(world.files).toEqual([]);
  });
});
