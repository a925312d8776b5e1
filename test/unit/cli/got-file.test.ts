// Where `palm get` puts a file, whatever a member called it.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Context } from '../../../src/cli/commands/context.ts';
import { get } from '../../../src/cli/commands/file-commands.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palm-got-'));
  mkdirSync(join(folder, 'here'));
});

afterEach(() => rmSync(folder, { recursive: true }));

it.each([
  ['a.txt', 'a.txt'],
  ['../../a.txt', 'a.txt'],
  ['x\\..\\a.txt', 'x_.._a.txt'],
  ['..', 'the-id'],
  ['x/.', 'the-id'],
  ['/', 'the-id'],
])('puts %j within the folder', async (name, expected) => {
  const file = { fileId: 'the-id', contentId: 'content', name, path: '', size: 1 };
  const device = {
    status: async () => ({ files: [file] }),
    async *read() {
      yield Buffer.from('x');
    },
  };
  const context = { isJson: false, isQuiet: true, device: async () => device };
  const force = { force: true };
  // What `get` takes of it.
  await get(context as unknown as Context, 'the-id', join(folder, 'here'), force);
  expect(readdirSync(join(folder, 'here'))).toEqual([expected]);
  expect(readdirSync(folder)).toEqual(['here']);
});
