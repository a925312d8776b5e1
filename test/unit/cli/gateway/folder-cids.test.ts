// Folders by their IPFS CIDs, and CIDs of what is put: a name below a CID leads to what the CID means,
// whatever members say.

import { importer } from 'ipfs-unixfs-importer';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayWorld } from '../../../fixtures/gateway-world.ts';

const HELLO = 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD';
const HELLO_V1 = 'bafybeihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa';
const NOWHERE = { put: async <Cid>(cid: Cid): Promise<Cid> => cid };

let world: GatewayWorld;
let reader: string;

beforeEach(async () => {
  world = new GatewayWorld();
  await world.open();
  reader = world.token('read');
});

afterEach(() => world.end());

/** The CIDs that the library of IPFS gives files and their folders. */
async function cidsOf(files: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const sources = Object.entries(files).map(([path, text]) => ({ path, content: Buffer.from(text) }));
  const found: Record<string, string> = {};
  for await (const { path = '', cid } of importer(sources, NOWHERE, { profile: 'unixfs-v0-2015' }))
    found[path] = cid.toString();
  return found;
}

/** Such a folder in the pool, with the CIDs of its files, save where `claims` says others. */
async function putFolder(claims: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> {
  const files = { 'docs/hello.txt': 'hello world', 'docs/sub/a & b': 'two', 'docs/sub/empty': '' };
  const cids = await cidsOf(files);
  for (const [path, text] of Object.entries(files)) {
    const parts = path.split('/');
    const cid = claims[path] ?? cids[path] ?? '';
    world.put(parts.at(-1) ?? '', text, { path: parts.slice(0, -1).join('/'), cid });
  }
  return cids;
}

it('lists a folder and what is below it, as a page and as JSON', async () => {
  const cids = await putFolder();
  const docs = `/ipfs/${cids['docs']}`;
  const first = await world.ask(docs, reader);
  expect([first.status, first.headers.location]).toEqual([307, `${docs}/`]);
  const json = await world.ask(`${docs}/`, reader, { headers: { accept: 'application/json' } });
  expect(JSON.parse(String(json.body))).toMatchObject({
    path: '',
    cid: cids['docs'],
    folders: [{ name: 'sub', url: 'sub/', cid: cids['docs/sub'] }],
    files: [{ name: 'hello.txt', url: 'hello.txt', cid: HELLO, size: 11 }],
  });
  const page = await world.ask(`${docs}/sub/`, reader, { headers: { accept: 'text/html' } });
  expect(page.headers['content-security-policy']).toMatch(/^sandbox; default-src 'none';/u);
  for (const link of ['href="../"', 'href="a%20%26%20b"', 'href="empty"'])
    expect(String(page.body)).toContain(link);
  expect((await world.ask(`${docs}/sub`, reader)).headers.location).toBe(`${docs}/sub/`);
});

it('gives what is in it, with what a file has', async () => {
  const docs = `/ipfs/${(await putFolder())['docs']}`;
  const { status, headers, body } = await world.ask(`${docs}/hello.txt`, reader);
  expect([status, String(body), headers.etag]).toEqual([200, 'hello world', `"${HELLO_V1}"`]);
  expect(String((await world.ask(`${docs}/sub/a%20%26%20b`, reader)).body)).toBe('two');
  const part = await world.ask(`${docs}/hello.txt`, reader, { headers: { range: 'bytes=6-8' } });
  expect([part.status, String(part.body)]).toEqual([206, 'wor']);
});

it('has nothing beside it, and is not there for who has no token', async () => {
  const docs = `/ipfs/${(await putFolder())['docs']}`;
  world.put('secret', 'x', { cid: HELLO });
  for (const [path, status] of [
    ['/none', 404],
    ['/hello.txt/', 404],
    ['/sub/hello.txt', 404],
    ['/../secret', 400],
    ['/%2e%2e/secret', 400],
    ['/sub%2fempty', 400],
    ['//empty', 400],
  ] as const)
    expect((await world.ask(`${docs}${path}`, reader)).status, path).toBe(status);
  expect((await world.ask(`${docs}/`, undefined)).status).toBe(401);
  expect((await world.ask(`${docs}/`, world.token('add'))).status).toBe(403);
});

it('is another folder once something in it changed', async () => {
  const docs = `/ipfs/${(await putFolder())['docs']}/`;
  expect((await world.ask(docs, reader)).status).toBe(200);
  world.put('more', 'x', { path: 'docs', cid: HELLO });
  expect((await world.ask(docs, reader)).status).toBe(404);
});

it('does not give a file whose bytes are not what its name claims', async () => {
  const files = { 'docs/hello.txt': 'hello!', 'docs/sub/a & b': 'two', 'docs/sub/empty': '' };
  // The folder of other bytes: a member claims that these are here.
  const claimed = await cidsOf({ ...files, 'docs/hello.txt': 'HELLO WORLD' });
  await putFolder({ 'docs/hello.txt': claimed['docs/hello.txt'] ?? '' });
  const docs = `/ipfs/${claimed['docs']}`;
  expect((await world.ask(`${docs}/hello.txt`, reader)).status).toBe(404);
  expect(String((await world.ask(`${docs}/sub/a%20%26%20b`, reader)).body)).toBe('two');
});

it('does not give a file whose name only looks like a path into it', async () => {
  const docs = `/ipfs/${(await putFolder())['docs']}`;
  const other = await cidsOf({ other: 'other bytes' });
  world.put('docs/hello.txt', 'other bytes', { cid: other['other'] ?? '' });
  world.put('sub/empty', 'other bytes', { path: 'docs', cid: other['other'] ?? '' });
  expect((await world.ask(`${docs}/hello.txt`, reader)).status).toBe(404);
  world.files.pop();
  expect(String((await world.ask(`${docs}/hello.txt`, reader)).body)).toBe('hello world');
});

it('gives the CID of what is put or posted to who asks, and knows it from then on', async () => {
  const token = world.token('read', 'add');
  const headers = { 'content-type': 'text/plain' };
  for (const [method, path] of [
    ['PUT', '/f/docs/hello.txt?cid'],
    ['POST', '/f/more/?name=hello.txt&cid'],
  ] as const) {
    const { status, body } = await world.ask(path, token, { method, headers, body: 'hello world' });
    expect([status, JSON.parse(String(body)).cid], path).toEqual([201, HELLO]);
  }
  expect(world.files.map(({ mime }) => mime)).toEqual(Array(2).fill(`text/plain;ipfs-cid=${HELLO}`));
  const plain = await world.ask('/f/b', token, { method: 'PUT', body: 'x' });
  expect(JSON.parse(String(plain.body))).not.toHaveProperty('cid');
});
