// The raw ceiling: the rate of the same pages when they send the same bytes between the same pairs over plain
// simple-peer channels. Any loss compared with it is Palm's own.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { BrowserContext, Page } from '@playwright/test';
import { installRawChannels } from './raw-page.ts';

/** Adds the raw channels' code to every page of `context`, before its own scripts run. */
export async function prepareRawChannels(context: BrowserContext): Promise<void> {
  const simplePeer = createRequire(import.meta.url).resolve('simple-peer/simplepeer.min.js');
  await context.addInitScript({ content: await readFile(simplePeer, 'utf8') });
  await context.addInitScript({ content: `(${String(installRawChannels)})();` });
}

/** Plain channels from one page to others, open and warm from the first measurement on, like Palm's links. */
export interface RawStar {
  /**
   * Sends `bytes[i]` to the i-th other page, all at the same time. Returns the ms until the last has arrived.
   */
  push(bytes: readonly number[]): Promise<number>;
  /**
   * Has the i-th other page send `bytes[i]`, all at the same time. Returns the ms from asking until the last
   * has arrived.
   */
  pull(bytes: readonly number[]): Promise<number>;
}

/** `name` distinguishes the stars of one page. */
export async function openRawStar(name: string, center: Page, others: readonly Page[]): Promise<RawStar> {
  const ids = others.map((_, at) => `${name} ${at}`);
  await Promise.all(others.map((other, at) => connect(center, other, ids[at] ?? name)));
  const byChannel = (bytes: readonly number[]) =>
    Object.fromEntries(bytes.map((count, at) => [ids[at] ?? name, count]));
  return {
    push: (bytes) => center.evaluate((bytesById) => window.rawChannels.push(bytesById), byChannel(bytes)),
    pull: (bytes) => center.evaluate((bytesById) => window.rawChannels.pull(bytesById), byChannel(bytes)),
  };
}

/** Resolves when channel `id` is open at both ends. */
async function connect(center: Page, other: Page, id: string): Promise<void> {
  const ends = [
    center.evaluate((channel) => window.rawChannels.open(channel, true), id),
    other.evaluate((channel) => window.rawChannels.open(channel, false), id),
  ];
  await Promise.all([...ends, carry(center, other, id), carry(other, center, id)]);
}

async function carry(from: Page, to: Page, id: string): Promise<void> {
  for (;;) {
    const signals = await from.evaluate((channel) => window.rawChannels.signals(channel), id);
    if (signals.length === 0) return;
    await to.evaluate(([channel, given]) => window.rawChannels.apply(channel, given), [id, signals] as const);
  }
}
