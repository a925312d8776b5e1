// The browser tests' fixtures: the real relay, devices, and the watch for faults.

import { test as base, expect } from '@playwright/test';
import { Device } from './device.ts';
import type { DeviceCalls } from './device-calls.ts';
import { Faults } from './faults.ts';
import { startRelay, type RelayProcess } from './relay-process.ts';

export { expect } from '@playwright/test';

export interface WorkerFixtures {
  /** One relay for all tests of a worker; each test creates its own pools. */
  readonly relay: RelayProcess;
}

export interface TestFixtures {
  /** This test's own relay, which it may kill. */
  readonly privateRelay: RelayProcess;
  /** Fails the test on events that must not happen in any page. */
  readonly faults: Faults;
  /** A device that has not opened the app yet; `relay` if not the shared one serves it. */
  readonly prepareDevice: (name: string, relay?: RelayProcess) => Promise<Device>;
  /** A device with the app open in a tab. */
  readonly newDevice: (name: string, relay?: RelayProcess) => Promise<Device>;
  /** `names.length` devices in one new pool, each linked to all others; the first created the pool. */
  readonly newPool: (names: readonly string[], relay?: RelayProcess) => Promise<Device[]>;
}

/** The relay builds the app if it is older than its sources. */
const RELAY_START_LIMIT_MS = 120_000;

export const test = base.extend<TestFixtures, WorkerFixtures>({
  relay: [
    // Playwright reads a fixture's needs from this pattern; this one has none.
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const relay = await startRelay();
      await use(relay);
      expect(await relay.stop(), 'the relay ends cleanly on Ctrl-C').toBe(0);
    },
    { scope: 'worker', timeout: RELAY_START_LIMIT_MS },
  ],

  // oxlint-disable-next-line no-empty-pattern
  privateRelay: async ({}, use) => {
    const relay = await startRelay();
    await use(relay);
    await relay.stop();
  },

  // oxlint-disable-next-line no-empty-pattern
  faults: async ({}, use) => {
    const faults = new Faults();
    await use(faults);
    expect(faults.unexpected(), 'no page does what no page may do').toEqual([]);
  },

  prepareDevice: async ({ browser, relay, faults }, use) => {
    const devices: Device[] = [];
    await use(async (name, ownRelay = relay) => {
      const context = await browser.newContext();
      faults.watch(context, name, ownRelay.app);
      const device = await Device.prepare(name, context, ownRelay.app);
      devices.push(device);
      return device;
    });
    await Promise.all(devices.map((device) => device.close()));
  },

  newDevice: async ({ prepareDevice }, use) => {
    await use(async (name, relay) => {
      const device = await prepareDevice(name, relay);
      await device.open();
      return device;
    });
  },

  newPool: async ({ newDevice }, use) => {
    await use(async (names, relay) => {
      const devices = await Promise.all(names.map((name) => newDevice(name, relay)));
      const [first, ...others] = devices;
      if (first === undefined) throw new Error('A pool has a device.');
      await first.createPool('Home');
      const invite = await first.invite();
      await Promise.all(others.map((device) => device.join(invite)));
      await allLinked(devices);
      return devices;
    });
  },
});

/** Waits until each of `devices` reaches all of them (and itself). */
export async function allLinked(devices: readonly DeviceCalls[]): Promise<void> {
  for (const device of devices) {
    await device.waitFor(
      `links to ${devices.length - 1} devices`,
      (status) => status.devices.filter(({ state }) => state === 'reachable').length >= devices.length,
    );
  }
}
