// A pool over a cable between two hosts: on one the relay and a page that holds, on the other a page that
// stores and one that reads and never holds anything.

import type { BrowserContext } from '@playwright/test';
import { Device } from '../../test/e2e/device.ts';
import { allLinked } from '../../test/e2e/palm-fixture.ts';
import { startRelay } from '../../test/e2e/relay-process.ts';
import type { LanHost } from '../../test/fixtures/lan.ts';
import { installBenchWork, installNoSpace } from './bench-page.ts';

export interface DelayedPool {
  /**
   * Stores a mirror of `fileBytes`, and returns the ms until the other host has proved to hold all of it.
   * `tag`: another file each time.
   */
  store(tag: number): Promise<number>;
  /** Reads the file that was stored last from the other host, returns the ms, and removes the file. */
  read(): Promise<number>;
  /** Stops the relay. The devices end with their browsers. */
  close(): Promise<void>;
}

interface Opening {
  readonly home: LanHost;
  readonly away: LanHost;
  /** The first host's address on the cable. */
  readonly address: string;
  readonly newContext: (host: LanHost) => Promise<BrowserContext>;
  readonly fileBytes: number;
  /** Runs in each page before the app does. */
  readonly scripts?: readonly (() => void)[];
}

export async function openDelayedPool(opening: Opening): Promise<DelayedPool> {
  const { home, away, address, newContext, fileBytes, scripts: first = [] } = opening;
  const relay = await startRelay(0, (...start) => home.spawn(...start));
  const app = relay.lan.find((url) => new URL(url).hostname === address);
  if (app === undefined) throw new Error(`the relay is not at ${address}: ${relay.lan.join(', ')}`);
  const open = async (name: string, host: LanHost, scripts: readonly (() => void)[]): Promise<Device> => {
    const device = await Device.prepare(name, await newContext(host), app);
    for (const script of [...first, ...scripts])
      await device.context.addInitScript({ content: `(${String(script)})();` });
    await device.open();
    return device;
  };
  const holder = await open('holder', home, [installBenchWork]);
  await holder.createPool('Bench');
  const invite = await holder.invite();
  const storer = await open('storer', away, [installBenchWork]);
  await storer.join(invite);
  const reader = await open('reader', away, [installBenchWork, installNoSpace]);
  await reader.join(invite);
  const devices = [holder, storer, reader];
  await allLinked(devices);
  await storer.page.evaluate((bytes) => window.benchPage.prepareSource(bytes), fileBytes);
  let stored = '';
  return {
    async store(tag) {
      const geometry = { k: 1, n: 2, mirror: true };
      const work = { tag, bytes: fileBytes, geometry, staysInOutbox: false };
      const { fileId, elapsedMs } = await storer.page.evaluate(
        (given) => window.benchPage.store(given),
        work,
      );
      stored = fileId;
      await reader.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
      return elapsedMs;
    },
    async read() {
      // Then the holder is the only one that can be asked.
      await storer.closeTab();
      const asked = [stored, fileBytes] as const;
      const read = await reader.page.evaluate(([id, end]) => window.benchPage.read(id, 0, end), asked);
      await storer.open();
      await allLinked(devices);
      await storer.page.evaluate(() => window.benchPage.removeAll());
      return read.elapsedMs;
    },
    close: async () => void (await relay.stop()),
  };
}
