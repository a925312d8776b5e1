// Files that are got by their IPFS CIDs: what does not have the CID is not kept, whoever said that it has.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkedByCid } from '../../../src/cli/commands/asked-cid.ts';
import type { Context } from '../../../src/cli/commands/context.ts';
import { get } from '../../../src/cli/commands/file-commands.ts';
import { EXIT } from '../../../src/cli/exit-code.ts';

const HELLO = 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD';
const HELLO_V1 = 'bafybeihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa';
const REFUSED = { exitCode: EXIT.notReadable, code: 'corrupt' };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palm-asked-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** A device with one file, whose name says that its bytes have the CID of "hello world". */
function contextWith(text: string): Context {
  const bytes = Buffer.from(text);
  const file = { fileId: 'file', contentId: 'content-of-12', name: 'a.txt', path: '', size: bytes.length };
  const device = {
    status: async () => ({ files: [{ ...file, cid: HELLO }] }),
    async *read(_fileId: string, start: number) {
      yield bytes.subarray(start);
    },
  };
  const context = { isJson: false, isQuiet: true, device: async () => device };
  return context as unknown as Context; // what `get` takes of it
}

it('keeps bytes that have the CID, also when it goes on', async () => {
  for (const name of [HELLO, `ipfs://${HELLO_V1}`]) {
    writeFileSync(join(folder, 'a.txt.palm-part-ontent-of-12'), 'hello ');
    await get(contextWith('hello world'), name, folder, { force: true });
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('hello world');
  }
});

it('keeps nothing of bytes that a member only says to have it', async () => {
  await expect(get(contextWith('evil'), `ipfs://${HELLO}`, folder, {})).rejects.toMatchObject(REFUSED);
  expect(readdirSync(folder)).toEqual([]);
  // By its name it is what it is.
  await get(contextWith('evil'), 'a.txt', folder, {});
  expect(existsSync(join(folder, 'a.txt'))).toBe(true);
});

it('says at the end of a stream that it was not it, and passes on what fails', async () => {
  async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
    for (const text of texts) {
      if (text === 'fails') throw new Error('gone');
      yield Buffer.from(text);
    }
  }
  const came: string[] = [];
  const pass = async (cid: string | undefined, ...texts: readonly string[]): Promise<void> => {
    for await (const chunk of checkedByCid(chunks(...texts), cid)) came.push(String(chunk));
  };
  await pass(HELLO_V1, 'hello ', 'world');
  await expect(pass(HELLO_V1, 'evil', 'x'.repeat(1_000_000))).rejects.toMatchObject(REFUSED);
  await expect(pass(HELLO_V1, 'hello ', 'fails')).rejects.toThrow('gone');
  await pass(undefined, 'any');
  expect(came.map((text) => text.slice(0, 6))).toEqual([
    'hello ',
    'world',
    'evil',
    'xxxxxx',
    'hello ',
    'any',
  ]);
});
