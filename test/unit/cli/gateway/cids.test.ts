// Files by their IPFS CIDs: only those whose bytes have it, whatever members say, and as safely as by their
// names.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { KnownCids } from '../../../../src/cli/device/known-cids.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { GatewayWorld } from '../../../fixtures/gateway-world.ts';

const HELLO = 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD';
const HELLO_V1 = 'bafybeihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa';
const EMPTY = 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH';

let world: GatewayWorld;
let reader: string;

beforeEach(async () => {
  world = new GatewayWorld();
  await world.open();
  reader = world.token('read');
});

afterEach(() => world.end());

it('gives a file by either version of its CID, with what a file has', async () => {
  world.put('hello.txt', 'hello world', { cid: HELLO });
  for (const cid of [HELLO, HELLO_V1]) {
    const { status, headers, body } = await world.ask(`/ipfs/${cid}`, reader);
    expect([status, String(body)]).toEqual([200, 'hello world']);
    expect(headers).toMatchObject({ etag: `"${HELLO_V1}"`, 'content-type': 'text/plain; charset=utf-8' });
    expect(headers['content-security-policy']).toMatch(/^sandbox; default-src 'none';/u);
  }
  const part = await world.ask(`/ipfs/${HELLO}`, reader, { headers: { range: 'bytes=6-8' } });
  expect([part.status, String(part.body), part.headers['content-range']]).toEqual([
    206,
    'wor',
    'bytes 6-8/11',
  ]);
  const held = await world.ask(`/ipfs/${HELLO}`, reader, { headers: { 'if-none-match': `"${HELLO_V1}"` } });
  expect(held.status).toBe(304);
  const head = await world.ask(`/ipfs/${HELLO}?download`, reader, { method: 'HEAD' });
  expect([head.status, head.headers['content-disposition']]).toEqual([200, 'attachment; filename=hello.txt']);
  // Finding out took one whole read, and is not done again.
  const whole = world.reads.filter(({ start, end }) => start === undefined && end === undefined);
  expect(whole.length).toBe(1);
});

it('does not believe a member: bytes with another CID are not there, and are read once', async () => {
  world.put('evil.txt', 'evil', { cid: HELLO });
  expect((await world.ask(`/ipfs/${HELLO}`, reader)).status).toBe(404);
  expect((await world.ask(`/ipfs/${HELLO}`, reader)).status).toBe(404);
  expect(world.reads.length).toBe(1);
  // Who lies does not hide who does not, be they four.
  for (const name of ['b', 'c']) world.put(name, name, { cid: HELLO });
  world.put('hello.txt', 'hello world', { cid: HELLO });
  expect(String((await world.ask(`/ipfs/${HELLO}`, reader)).body)).toBe('hello world');
});

it('reads no more than a few of those that claim one CID', async () => {
  for (let count = 0; count < 20; count++) world.put(`${count}`, `${count}`, { cid: HELLO });
  expect((await world.ask(`/ipfs/${HELLO}`, reader)).status).toBe(404);
  expect(world.reads.length).toBe(4);
});

it('keeps a content in its place when it gets another name', async () => {
  const { contentId } = world.put('hello.txt', 'hello world', { cid: HELLO });
  for (const name of ['a', 'b', 'c', 'd']) world.put(name, name, { cid: HELLO });
  // Whoever lies could give it.
  world.put('again.txt', 'hello world', { cid: HELLO, contentId });
  const { status, body } = await world.ask(`/ipfs/${HELLO}`, reader);
  expect([status, String(body)]).toEqual([200, 'hello world']);
  expect(world.reads.length).toBe(2);
});

it.each([
  ['an unknown CID', `/ipfs/${EMPTY}`],
  ['no CID', '/ipfs/hello'],
  ['nothing', '/ipfs/'],
  ['nothing at all', '/ipfs'],
  ['a path below a file', `/ipfs/${HELLO}/hello.txt`],
  ['a private file', `/ipfs/QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE`],
])('has nothing for %s', async (_, path) => {
  world.put('hello.txt', 'hello world', { cid: HELLO });
  world.put('mine', 'x', { cid: 'QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE', private: true });
  expect((await world.ask(path, reader)).status).toBe(404);
  expect(world.reads).toEqual([]);
});

it('keeps to tokens, scopes and methods', async () => {
  world.put('hello.txt', 'hello world', { cid: HELLO });
  expect((await world.ask(`/ipfs/${HELLO}`, undefined)).status).toBe(401);
  expect((await world.ask(`/ipfs/${HELLO}`, world.token('add'))).status).toBe(403);
  const put = await world.ask(`/ipfs/${HELLO}`, world.token('admin'), { method: 'PUT', body: 'x' });
  expect([put.status, put.headers['allow']]).toEqual([405, 'GET, HEAD']);
});

it('says why it cannot find out now, and finds out later', async () => {
  world.put('hello.txt', 'hello world', { cid: HELLO });
  world.failure = { afterBytes: 0, error: new PalmError({ code: 'deadline', reason: 'no-answer' }) };
  expect((await world.ask(`/ipfs/${HELLO}`, reader)).status).toBe(503);
  world.failure = undefined;
  expect((await world.ask(`/ipfs/${HELLO}`, reader)).status).toBe(200);
});

it('believes what it computed itself, of these bytes alone', async () => {
  const never = (): never => expect.fail('asked again');
  const none = { read: never, status: never, rename: never };
  const cids = new KnownCids(none);
  cids.learn('content', HELLO);
  expect(cids.isKnown({ contentId: 'content', cid: HELLO_V1 })).toBe(true);
  expect(cids.isKnown({ contentId: 'other', cid: HELLO })).toBe(false);
  expect(cids.isKnown({ contentId: 'content', cid: EMPTY })).toBe(false);
  expect(await cids.check({ fileId: 'file', contentId: 'content', cid: HELLO })).toBe(true);
});
