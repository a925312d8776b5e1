// The app as a later build has it: the same code, with other names for its scripts, so that browsers take it
// for a newer version. Faster than another build, and of the same protocols.

import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from '@playwright/test';

const APP = fileURLToPath(new URL('../../dist/app', import.meta.url));
const TEXTS = ['.html', '.js', '.css'];
/** Stands at the end of its scripts' names. */
const MARK = '-later';

/** A folder for `--app`, of the app that was built; the caller removes it. */
export function makeOtherBuild(): string {
  const folder = mkdtempSync(join(tmpdir(), 'palm-later-'));
  cpSync(APP, folder, { recursive: true });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  // Compressed forms would hold other bytes than their files.
  for (const file of files) if (['.br', '.gz'].includes(extname(file))) rmSync(join(folder, file));
  const scripts = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
  const later = (name: string): string => name.replace(/\.js$/u, `${MARK}.js`);
  const texts = files.filter((file) => TEXTS.includes(extname(file)));
  for (const file of texts) {
    const path = join(folder, file);
    const text = scripts.reduce((all, name) => all.replaceAll(name, later(name)), readFileSync(path, 'utf8'));
    writeFileSync(path, text);
  }
  for (const name of scripts) renameSync(join(folder, 'assets', name), join(folder, 'assets', later(name)));
  const page = createHash('md5')
    .update(readFileSync(join(folder, 'index.html')))
    .digest('hex');
  const worker = join(folder, 'sw.js');
  const text = readFileSync(worker, 'utf8');
  const marked = text.replace(
    /"revision":"[0-9a-f]+","url":"index\.html"/u,
    `"revision":"${page}","url":"index.html"`,
  );
  if (marked === text) throw new Error('The service worker names no page.');
  writeFileSync(worker, marked);
  return folder;
}

/** Whether the page runs that build. */
export async function isOtherBuild(page: Page): Promise<boolean> {
  const source = await page.locator('script[type="module"][src]').first().getAttribute('src');
  return source?.includes(MARK) === true;
}
