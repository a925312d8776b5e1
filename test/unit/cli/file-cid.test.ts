// CIDs of files, compared with those that Kubo gives. The longer ones are of its own tests of profiles
// (ipfs/kubo, test/cli/cid_profiles_test.go), by which IPIP-499 is checked, too; Kubo's default is the
// profile `unixfs-v0-2015` there.

import { createCipheriv, createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { cidOfBytes } from '../../../src/cli/device/file-cid.ts';

const CHUNK_BYTES = 262_144;
const MAX_LINKS = 174;

/** As Kubo's tests make bytes: ChaCha20 over zeros, with the seed's SHA-256 as the key. */
async function* seeded(byteCount: number, seed: string): AsyncGenerator<Uint8Array> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('chacha20', key, Buffer.alloc(16));
  for (let left = byteCount; left > 0; left -= CHUNK_BYTES)
    yield cipher.update(Buffer.alloc(Math.min(left, CHUNK_BYTES)));
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

it.each([
  ['', 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH'],
  ['hello world', 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD'],
  ['hello world\n', 'QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o'],
])('%j has the CID %s', async (text, cid) => {
  expect(await cidOfBytes(one(text))).toBe(cid);
});

it.each([
  ['one chunk', CHUNK_BYTES, 'chunk-v0-seed', 'QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE'],
  ['two chunks', CHUNK_BYTES + 1, 'chunk-v0-seed', 'QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ'],
  ['a full node', MAX_LINKS * CHUNK_BYTES, 'v0-seed', 'QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2'],
  ['two layers', MAX_LINKS * CHUNK_BYTES + 1, 'v0-seed', 'QmV81WL765sC8DXsRhE5fJv2rwhS4icHRaf3J9Zk5FdRnW'],
])('a file of %s has Kubo’s CID', async (_, byteCount, seed, cid) => {
  expect(await cidOfBytes(seeded(byteCount, seed))).toBe(cid);
});

it('ends with its signal, and with what ends the bytes', async () => {
  const ending = new AbortController();
  const reason = new Error('not wanted');
  const asked = cidOfBytes(
    (async function* bytes() {
      yield Buffer.from('a');
      ending.abort(reason);
      yield Buffer.from('b');
    })(),
    ending.signal,
  );
  await expect(asked).rejects.toBe(reason);
});
