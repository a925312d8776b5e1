// Bytes that come in a request: whole and in any part to the device, and to nobody who has the disk.

import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Spool, type SpooledFile } from '../../../src/cli/device/spool.ts';
import { seededBytes } from '../../fixtures/erasure-oracle.ts';

const BYTES = seededBytes(700_001, 1);

let folder: string;
let spool: Spool;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palm-spool-'));
  spool = new Spool(folder);
});

afterEach(() => rmSync(folder, { recursive: true }));

function gathered(bytes: Uint8Array = BYTES): Promise<SpooledFile> {
  return spool.gather(
    Readable.from([bytes.subarray(0, 99), bytes.subarray(99)]),
    'a',
    new AbortController().signal,
  );
}

it('gives any part, alone and as a stream, and a part of a part', async () => {
  const file = await gathered();
  expect([file.size, file.name]).toEqual([BYTES.length, 'a']);
  const at = fc.nat(BYTES.length);
  await fc.assert(
    fc.asyncProperty(at, at, fc.nat(50), async (one, other, inside) => {
      const [start, end] = [Math.min(one, other), Math.max(one, other)];
      const part = file.slice(start, end).slice(inside);
      const wanted = BYTES.slice(Math.min(start + inside, end), end);
      expect(Buffer.compare(new Uint8Array(await part.arrayBuffer()), wanted)).toBe(0);
      const streamed = await new Response(part.stream()).arrayBuffer();
      expect(Buffer.compare(new Uint8Array(streamed), wanted)).toBe(0);
    }),
    { numRuns: 50 },
  );
  await file.discard();
});

it('fills the reader’s own buffer, of any size, and ends', async () => {
  const file = await gathered();
  const reader = file.stream().getReader({ mode: 'byob' });
  const got: number[] = [];
  for (let size = 1; ; size = (size * 7) % 100_003) {
    const { value, done } = await reader.read(new Uint8Array(size));
    if (done) break;
    got.push(...value);
  }
  expect(Buffer.compare(Uint8Array.from(got), BYTES)).toBe(0);
  await file.discard();
});

it('leaves nothing on the disk that can be read, while it is there and after', async () => {
  const text = Buffer.from('a very private line\n'.repeat(1_000));
  const [one, other] = [await gathered(text), await gathered(text)];
  const stored = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  expect(stored.map(({ length }) => length)).toEqual([text.length, text.length]);
  for (const bytes of stored) expect(bytes.includes('private')).toBe(false);
  // Each has a key of its own: equal bytes do not look equal.
  expect(stored[0]?.equals(stored[1] ?? Buffer.alloc(0))).toBe(false);
  for (const file of [one, other]) await file.discard();
  expect(readdirSync(folder)).toEqual([]);
  await expect(one.arrayBuffer()).rejects.toThrow();
});

it('leaves nothing of bytes that do not come whole', async () => {
  const broken = new Readable({
    read() {
      this.push('some');
      this.destroy(new Error('gone'));
    },
  });
  await expect(spool.gather(broken, 'a', new AbortController().signal)).rejects.toThrow('gone');
  expect(readdirSync(folder)).toEqual([]);
});

it('takes no file that was cut for a whole one', async () => {
  const file = await gathered();
  const [name = ''] = readdirSync(folder);
  truncateSync(join(folder, name), 100);
  await expect(file.arrayBuffer()).rejects.toThrow('gone');
  await expect(new Response(file.stream()).arrayBuffer()).rejects.toThrow();
  await file.discard();
});

it('takes an empty body', async () => {
  const file = await spool.gather(Readable.from([]), 'a', new AbortController().signal);
  expect(file.size).toBe(0);
  expect((await new Response(file.stream()).arrayBuffer()).byteLength).toBe(0);
  await file.discard();
});
