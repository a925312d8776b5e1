// How the tests install a browser where apt is busy, as on a machine that was just set up: with an apt-get of
// this test's own.

import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { apt } from '../../browser.mjs';

const RETRY_MS = 1;

let folder = '';
let shown = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palm-apt-'));
  shown = '';
  const show = (text: unknown): boolean => {
    shown += `${String(text)}\n`;
    return true;
  };
  vi.spyOn(console, 'error').mockImplementation(show);
  vi.spyOn(process.stderr, 'write').mockImplementation(show);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

test('apt is run again while another one holds the lock', async () => {
  const env = await withApt(`
    echo "$@" >> calls
    [ "$(wc -l < calls)" -ge 3 ] && exit 0
    echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)' >&2
    exit 100`);
  apt(['update'], env, RETRY_MS);
  const calls = (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
  expect(calls).toHaveLength(3);
  for (const call of calls) expect(call).toMatch(/-o DPkg::Lock::Timeout=\d{3} update$/);
  expect(shown).toContain('Another apt is at work');
});

test('another failure is printed, with what apt said, and not tried again', async () => {
  const env = await withApt(`
    echo "$@" >> calls
    echo 'E: Unable to locate package firefox-esr' >&2
    exit 100`);
  apt(['install', 'firefox-esr'], env, RETRY_MS);
  expect((await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n')).toHaveLength(1);
  expect(shown).toContain('Unable to locate package firefox-esr');
  expect(shown).toMatch(/Failed: apt-get .*install firefox-esr \(it ended with code 100\)/);
});

/** An environment in which apt-get is this shell script, which runs in `folder`. */
async function withApt(script: string): Promise<NodeJS.ProcessEnv> {
  const path = join(folder, 'apt-get');
  await writeFile(path, `#!/bin/sh\ncd '${folder}'\n${script}\n`);
  await chmod(path, 0o755);
  return { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` };
}
