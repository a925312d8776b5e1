// A pool that is left alone keeps its files: devices end without a goodbye, in the middle of a repair, lose
// their storage or their network, and the rest rebuild what was lost with them.

import type { CDPSession } from '@playwright/test';
import type { PolicyChange } from '../../src/core/model/policy.ts';
import type { DeviceState, PalmStatus, StoreResult } from '../../src/runtime/api.ts';
import type { Device } from './device.ts';
import type { Content } from './device-calls.ts';
import { RELAY_KILLED } from './faults.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

interface TestFile extends Content {
  readonly name: string;
  readonly private: boolean;
}

/** The least that a policy may have, ms. */
const GRACES = { alwaysOn: 10_000, laptop: 10_000, phone: 10_000 };
const ALL_MS = 120_000;
test('eight devices lose two and two more, a repairer among them, and every file is whole again', async ({
  newPool,
  privateRelay,
  faults,
}) => {
  test.setTimeout(420_000);
  faults.allow(/the page crashed/);
  faults.allow(RELAY_KILLED);
  // At its share of the link, the repair of the first takes some seconds: enough to catch the repairer.
  const files: readonly TestFile[] = [
    { seed: 71, length: 6_000_000, name: 'trip.mp4', private: false },
    { seed: 72, length: 20_000, name: 'notes.txt', private: false },
    { seed: 73, length: 1_200_000, name: 'letter.pdf', private: true },
  ];
  const names = ['Eve', 'Finn', 'Laptop', 'Desk', 'Ann', 'Ben', 'Cleo', 'Dan'];
  const eight = await newPool(names, privateRelay);
  const [eve] = eight;
  if (eve === undefined) throw new Error('The pool has no device.');
  await setPolicy(eve, { graceMs: GRACES });
  // Eve ends first, so the rest repair a private file that none of them can open.
  const stored = await storeAll(eve, files, { k: 4, n: 8 });
  const { fileId: trip = '' } = stored[0] ?? {};
  await untilRepaired(eight, files);
  await privateRelay.kill();

  const six = eight.slice(2);
  await test.step('two end', async () => {
    for (const device of eight.slice(0, 2)) await device.killTab();
    await untilRepaired(six, files);
  });

  await test.step('two more end, one of them in the middle of its repair', async () => {
    const lost = await holderOfMost(six, trip);
    await lost.killTab();
    const five = six.filter((device) => device !== lost);
    const repairer = await repairerOf(five, trip);
    await repairer.killTab();
    const four = five.filter((device) => device !== repairer);
    await untilRepaired(four, files);
    const [reader] = four;
    if (reader === undefined) throw new Error('No device is left.');
    await expectAll(reader, files, stored);
    const told = await Promise.all(four.map(async (device) => (await device.status()).activity));
    expect(told.flat().some(({ kind }) => kind === 'fragments-restored')).toBe(true);
  });
});

test('a wiped profile and a device that is cut off are made up for, and the cut heals', async ({
  newPool,
  newDevice,
  faults,
}) => {
  test.setTimeout(420_000);
  faults.allow(/WebSocket connection to .* failed|ERR_INTERNET_DISCONNECTED/);
  const files: readonly TestFile[] = [
    { seed: 81, length: 1_500_000, name: 'song.flac', private: false },
    { seed: 82, length: 30_000, name: 'list.txt', private: true },
  ];
  const [laptop, desk, ann, cleo] = await newPool(['Laptop', 'Desk', 'Ann', 'Cleo']);
  if (!laptop || !desk || !ann || !cleo) throw new Error('A device is missing.');
  const ben = await newDevice('Ben');
  const network = await CuttableNetwork.of(ben);
  await ben.join(await laptop.invite());
  const five = [laptop, desk, ann, ben, cleo];
  await allLinked(five);
  await setPolicy(laptop, { graceMs: GRACES, repairShare: 1 });
  const stored = await storeAll(laptop, files, { k: 3, n: 6 });
  await untilRepaired(five, files);

  await test.step('a profile is wiped under its open page', async () => {
    const devTools = await cleo.context.newCDPSession(cleo.page);
    const { origin } = new URL(cleo.appUrl);
    await devTools.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
    await untilRepaired([laptop, desk, ann, ben], files);
  });

  const { id } = (await ben.status()).device;
  await test.step('a device is cut off, and accuses nobody', async () => {
    await network.set('cut');
    await laptop.waitFor('it to be gone', (status) => stateOf(status, id) === 'gone', ALL_MS);
    await untilRepaired([laptop, desk, ann], files);
    const { devices } = await ben.status();
    expect(devices.filter(({ state }) => state === 'gone')).toEqual([]);
  });

  await test.step('the cut heals', async () => {
    await network.set('whole');
    await laptop.waitFor('it to be back', (status) => stateOf(status, id) === 'reachable', ALL_MS);
    await untilRepaired([laptop, desk, ann, ben], files);
    await expectAll(ben, files, stored);
  });
});

async function setPolicy(device: Device, change: PolicyChange): Promise<void> {
  await device.page.evaluate((given) => window.palm.setPolicy(given), change);
}

async function storeAll(
  device: Device,
  files: readonly TestFile[],
  geometry: { readonly k: number; readonly n: number },
): Promise<StoreResult[]> {
  const stored: StoreResult[] = [];
  for (const { seed, length, name, private: isPrivate } of files)
    stored.push(await device.store({ seed, length }, { name, ...geometry, private: isPrivate }));
  return stored;
}

async function expectAll(
  device: Device,
  files: readonly TestFile[],
  stored: readonly StoreResult[],
): Promise<void> {
  for (const [at, { seed, length, private: isPrivate }] of files.entries()) {
    const { fileId = '', link = '' } = stored[at] ?? {};
    const options = isPrivate ? { link } : {};
    expect(await device.read(fileId, options)).toEqual(expectedBytes(seed, length));
  }
}

/**
 * Until all of `devices` see that only they are left and that no file needs repair, and hold no more of it
 * than a device may.
 */
async function untilRepaired(devices: readonly Device[], files: readonly TestFile[]): Promise<void> {
  const isRepaired = (status: PalmStatus): boolean =>
    status.devices.filter(({ state }) => state !== 'gone').length === devices.length &&
    status.files.length === files.length &&
    status.repairs.length === 0 &&
    status.files.every(({ k, n, durable, inOutbox, holders }) => {
      const counts = holders
        .filter(({ deviceId }) => stateOf(status, deviceId) !== 'gone')
        .map(({ fragments }) => fragments.length);
      return !inOutbox && durable > k + Math.ceil((n - k) / 2) && Math.max(...counts) < k;
    });
  for (const device of devices) await device.waitFor('every file to be repaired', isRepaired, ALL_MS);
}

function stateOf({ devices }: PalmStatus, id: string): DeviceState | undefined {
  return devices.find((device) => device.id === id)?.state;
}

/** The one of `devices` that holds most fragments of the file. */
async function holderOfMost(devices: readonly Device[], fileId: string): Promise<Device> {
  let most: { readonly device: Device; readonly count: number } | undefined;
  for (const device of devices) {
    const status = await device.status();
    const holders = status.files.find((file) => file.fileId === fileId)?.holders ?? [];
    const own = holders.find(({ deviceId }) => deviceId === status.device.id);
    const count = own?.fragments.length ?? 0;
    if (most === undefined || count > most.count) most = { device, count };
  }
  if (most === undefined) throw new Error('No device holds the file.');
  return most.device;
}

/** The one of `devices` that repairs the file and has rebuilt some of it by now. */
async function repairerOf(devices: readonly Device[], fileId: string): Promise<Device> {
  const isUnderWay = ({ repairs }: PalmStatus): boolean =>
    repairs.some((repair) => repair.fileId === fileId && repair.doneBytes > 0);
  return Promise.any(
    devices.map(async (device) => {
      await device.waitFor('a repair to be under way', isUnderWay, ALL_MS);
      return device;
    }),
  );
}

/** A device's network, which can be cut: packets of links are lost, and the relay is out of reach. */
class CuttableNetwork {
  readonly #devTools: CDPSession;

  private constructor(devTools: CDPSession) {
    this.#devTools = devTools;
  }

  /** Chromium can only throw away packets of links that form after this. */
  static async of(device: Device): Promise<CuttableNetwork> {
    const network = new CuttableNetwork(await device.context.newCDPSession(device.page));
    await network.#devTools.send('Network.enable');
    await network.set('whole');
    return network;
  }

  async set(state: 'whole' | 'cut'): Promise<void> {
    await this.#devTools.send('Network.emulateNetworkConditions', {
      offline: state === 'cut',
      // Without a rate and a latency no packets are lost.
      latency: 1,
      downloadThroughput: 100_000_000,
      uploadThroughput: 100_000_000,
      packetLoss: state === 'cut' ? 100 : 0,
    });
  }
}
