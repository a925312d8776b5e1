// A device's folder has one owner, is this user's alone, and is left as it is when it cannot be used.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DeviceFolder, ownerOf } from '../../../../../src/adapters/node/store/device-folder.ts';
import { FolderError, type FolderTrouble } from '../../../../../src/adapters/node/store/folder-error.ts';

let parent: string;
let path: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'palm-folder-'));
  path = join(parent, 'device');
});
afterEach(() => rmSync(parent, { recursive: true }));

it('has one owner at a time, and names it to the next', async () => {
  const folder = await DeviceFolder.take(path);
  expect(ownerOf(path)).toBe(process.pid);
  expect(await troubleOf(path)).toEqual({ kind: 'taken', path, pid: process.pid });
  folder.release();
  expect(ownerOf(path)).toBeUndefined();
  (await DeviceFolder.take(path)).release();
});

it('is this user’s alone', async () => {
  const folder = await DeviceFolder.take(path);
  folder.folder('blocks');
  folder.databaseFile('fragments.db');
  expect(modeOf(path)).toBe(0o700);
  for (const name of readdirSync(path)) {
    expect(modeOf(join(path, name)), name).toBe(name === 'blocks' ? 0o700 : 0o600);
  }
  folder.release();
});

it('is free again once the process that had it was killed', async () => {
  (await DeviceFolder.take(path)).release();
  const script = `
    const own = Number(process.versions.node.split('.')[0]) >= 22;
    const Database = own ? require('node:sqlite').DatabaseSync : require('better-sqlite3');
    new Database(process.argv[1]).exec('BEGIN EXCLUSIVE');
    process.kill(process.pid, 'SIGKILL');`;
  const killed = spawnSync(process.execPath, ['-e', script, join(path, 'lock.db')]);
  expect(killed.signal).toBe('SIGKILL');
  (await DeviceFolder.take(path)).release();
});

it('is not changed when a newer version wrote it, or something else', async () => {
  (await DeviceFolder.take(path)).release();
  const mark = join(path, 'palm-device.json');
  for (const [text, kind] of [
    ['{"kind":"palm-device","version":2}', 'newer'],
    ['{"kind":"palm-device"}', 'foreign'],
    ['not JSON', 'foreign'],
  ] as const) {
    writeFileSync(mark, text);
    expect(await troubleOf(path), text).toEqual({ kind, path });
    expect(readFileSync(mark, 'utf8')).toBe(text);
  }
  writeFileSync(join(parent, 'a letter'), 'of somebody');
  expect(await troubleOf(parent)).toEqual({ kind: 'foreign', path: parent });
  expect(readdirSync(parent).toSorted()).toEqual(['a letter', 'device']);
});

it('says why it cannot be made', async () => {
  writeFileSync(path, 'a file');
  const trouble = await troubleOf(path);
  expect(trouble.kind === 'unusable' ? trouble.code : trouble.kind).toBe('ENOTDIR');
});

async function troubleOf(folder: string): Promise<FolderTrouble> {
  const error: unknown = await DeviceFolder.take(folder).catch((reason: unknown) => reason);
  if (error instanceof FolderError) return error.trouble;
  throw new Error(`the folder was taken, or failed with ${String(error)}`);
}

function modeOf(file: string): number {
  return statSync(file).mode & 0o777;
}

it('is waited for while the process that has it gives it up', async () => {
  const folder = await DeviceFolder.take(path);
  // What `release` does first.
  rmSync(join(path, 'pid'));
  setTimeout(() => folder.release(), 100);
  (await DeviceFolder.take(path)).release();
});
