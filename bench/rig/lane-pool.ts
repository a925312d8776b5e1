// A pool of the device next to its relay, a page that stores, and one that reads and never holds anything.

import type { BrowserContext, Page } from '@playwright/test';
import { Device } from '../../test/e2e/device.ts';
import type { Household } from '../../test/e2e/node-device.ts';
import { processorMs } from './processor-time.ts';
import { installBenchWork, installLinkBytes, installNoSpace, type Timed } from './bench-page.ts';

export interface LanePool {
  readonly household: Household;
  readonly storer: Device;
  readonly reader: Device;
}

export interface Moved {
  readonly store: Timed;
  readonly read: Timed;
  /** Bytes of the reader's data channels during the read. */
  readonly linkBytes: number;
  /** Processor time of all processes, ms; NaN where it is not known. */
  readonly storeProcessorMs: number;
  readonly readProcessorMs: number;
}

interface Opening {
  readonly household: Household;
  /** Where the pages find it. */
  readonly app: string;
  readonly newProfile: () => Promise<BrowserContext>;
  /** The file that is stored is as long. */
  readonly fileBytes: number;
}

export async function openLanePool({ household, app, newProfile, fileBytes }: Opening): Promise<LanePool> {
  const device = async (name: string, scripts: readonly (() => void)[]): Promise<Device> => {
    const prepared = await Device.prepare(name, await newProfile(), app);
    for (const script of scripts) await prepared.context.addInitScript({ content: `(${String(script)})();` });
    await prepared.open();
    const { stdout } = await household.palm(['invite', '--json']);
    await prepared.join(JSON.parse(String(stdout)).invite);
    return prepared;
  };
  const scripts = [installLinkBytes, installBenchWork];
  const storer = await device('storer', scripts);
  const reader = await device('reader', [...scripts, installNoSpace]);
  await storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), fileBytes);
  return { household, storer, reader };
}

/**
 * Stores a mirror, so that all of its bytes are at the device and none come from elsewhere, and reads it. A
 * store counts from the call until the device has proved to hold the whole file, a read until its last byte
 * is delivered. `tag`: another file each time.
 */
export async function move({ storer, reader }: LanePool, tag: number, fileBytes: number): Promise<Moved> {
  const work = {
    tag,
    bytes: fileBytes,
    geometry: { k: 1, n: 2, mirror: true },
    staysInOutbox: false,
  };
  const begunMs = processorMs() ?? NaN;
  const store = await storer.page.evaluate((given) => window.benchPage.store(given), work);
  const storeProcessorMs = (processorMs() ?? NaN) - begunMs;
  const { fileId } = store;
  await reader.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
  // The device next to the relay is the only one that can be asked.
  await storer.closeTab();
  const before = await received(reader.page);
  const askedMs = processorMs() ?? NaN;
  const read = await reader.page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), [
    fileId,
    fileBytes,
  ] as const);
  const readProcessorMs = (processorMs() ?? NaN) - askedMs;
  const linkBytes = (await received(reader.page)) - before;
  await storer.open();
  await storer.waitFor(
    'its links',
    ({ devices }) => devices.filter(({ state }) => state === 'reachable').length > 2,
  );
  await storer.page.evaluate(() => window.benchPage.removeAll());
  return { store, read, linkBytes, storeProcessorMs, readProcessorMs };
}

export async function closeLanePool({ storer, reader, household }: LanePool): Promise<void> {
  await Promise.all([storer.close(), reader.close()]);
  await household.stop();
}

async function received(page: Page): Promise<number> {
  return page.evaluate(async () => (await window.benchPage.linkBytes()).received);
}
