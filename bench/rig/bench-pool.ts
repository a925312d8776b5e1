// The benches' fixtures: the real relay, and pools of devices, each a separate Chromium with its profile on
// the disk. (The contexts of one Chromium, which the browser tests use, keep IndexedDB in memory and share
// one process for disk and network, so a store would be too easy.)

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { Device } from '../../test/e2e/device.ts';
import { allLinked, test as base } from '../../test/e2e/palm-fixture.ts';
import { installBenchWork, installLinkBytes, installNoSpace } from './bench-page.ts';
import { prepareRawChannels } from './raw-channels.ts';

export interface BenchPool {
  /** The storer first, then the other holders. */
  readonly holders: readonly Device[];
  readonly storer: Device;
  /** Never holds anything: all bytes that it reads come over its links. */
  readonly reader: Device;
  close(): Promise<void>;
}

interface BenchFixtures {
  /** A separate browser with an empty profile on the disk; it is closed after the test at the latest. */
  readonly newProfile: () => Promise<BrowserContext>;
  /** A pool of `holderCount` holders and one reader, all linked. Close one pool before opening the next. */
  readonly openPalm: (holderCount: number) => Promise<BenchPool>;
}

export const test: ReturnType<typeof base.extend<BenchFixtures>> = base.extend<BenchFixtures>({
  newProfile: async ({ playwright, launchOptions }, use) => {
    const endings: (() => Promise<void>)[] = [];
    await use(async () => {
      const folder = await mkdtemp(join(tmpdir(), 'palm-bench-'));
      const context = await playwright.chromium.launchPersistentContext(folder, launchOptions);
      endings.push(async () => {
        await context.close();
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      });
      return context;
    });
    await Promise.all(endings.map((end) => end()));
  },

  openPalm: async ({ relay, faults, newProfile }, use) => {
    const open = async (name: string, scripts: readonly (() => void)[]): Promise<Device> => {
      const context = await newProfile();
      faults.watch(context, name, relay.app);
      await prepareRawChannels(context);
      const device = await Device.prepare(name, context, relay.app);
      for (const script of scripts) await context.addInitScript({ content: `(${String(script)})();` });
      await device.open();
      return device;
    };
    await use(async (holderCount) => {
      const scripts = [installLinkBytes, installBenchWork];
      const names = Array.from({ length: holderCount - 1 }, (_, at) => `holder ${at + 2}`);
      const storer = await open('storer', scripts);
      await storer.createPool('Bench');
      const invite = await storer.invite();
      const reader = await open('reader', [...scripts, installNoSpace]);
      await reader.join(invite);
      const holders = [storer];
      for (const name of names) {
        const holder = await open(name, scripts);
        await holder.join(invite);
        holders.push(holder);
      }
      const devices = [...holders, reader];
      await allLinked(devices);
      return {
        holders,
        storer,
        reader,
        close: async () => void (await Promise.all(devices.map((device) => device.close()))),
      };
    });
  },
});
