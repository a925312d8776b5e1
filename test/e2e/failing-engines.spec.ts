// Engines that fail otherwise than Chromium, as a page meets them: no storage manager, no locks, keys and
// databases that fail at first. The main job goes on.

import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const NOTE = { seed: 41, length: 3_000_000 };

test('a page whose engine lacks or refuses what Chromium gives stores, reads and comes back', async ({
  newDevice,
  prepareDevice,
}) => {
  const laptop = await newDevice('Laptop');
  await laptop.createPool('Odd engines');
  const phone = await prepareDevice('Phone');
  await phone.context.addInitScript(() => {
    if (!isSecureContext) return; // the empty page before the app
    const lacking = { get: () => undefined };
    Object.defineProperty(Navigator.prototype, 'storage', lacking);
    Object.defineProperty(Navigator.prototype, 'locks', lacking);
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    const failing = <Target extends object>(target: Target, name: keyof Target, times: number): void => {
      const real: unknown = target[name];
      if (typeof real !== 'function') throw new Error('not a method');
      let left = times;
      const replaced = function (this: unknown, ...given: unknown[]): unknown {
        if (left-- > 0) throw new DOMException('It failed.', 'UnknownError');
        return Reflect.apply(real, this, given);
      };
      Object.defineProperty(target, name, { value: replaced });
    };
    failing(SubtleCrypto.prototype, 'generateKey', 2);
    failing(IDBFactory.prototype, 'open', 1);
  });
  await phone.open();
  await phone.join(await laptop.invite());
  const own = await phone.store(NOTE, { name: 'note.bin' });
  await laptop.waitFor('the file', ({ files }) => files.some(({ fileId }) => fileId === own.fileId));
  expect(await laptop.read(own.fileId)).toEqual(expectedBytes(NOTE.seed, NOTE.length));
  const { id } = (await phone.status()).device;
  await phone.reload();
  expect((await phone.status()).device.id).toBe(id);
  expect(await phone.read(own.fileId)).toEqual(expectedBytes(NOTE.seed, NOTE.length));
});

test('busy pages whose timers the browser holds back, as in hidden tabs, link at the first attempt', async ({
  prepareDevice,
}) => {
  const devices = [await prepareDevice('Laptop'), await prepareDevice('Phone')];
  for (const device of devices) {
    await device.context.addInitScript(() => {
      const real = setTimeout;
      const heldBack = (work: () => void, waitMs = 0): ReturnType<typeof setTimeout> =>
        real(work, Math.max(waitMs, 1_000));
      Object.defineProperty(globalThis, 'setTimeout', { value: heldBack });
      let madeCount = 0;
      class Counted extends RTCPeerConnection {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          madeCount += 1;
        }
        /** Late at the end that accepts, as on a busy device: the other end has spoken by then. */
        override async getStats(): Promise<RTCStatsReport> {
          const accepts = this.localDescription?.type === 'answer';
          if (accepts) await new Promise((resolve) => real(resolve, 300));
          return super.getStats();
        }
      }
      Object.defineProperty(globalThis, 'RTCPeerConnection', { value: Counted });
      Object.defineProperty(globalThis, 'madeCount', { get: () => madeCount });
    });
    await device.open();
  }
  const [laptop, phone] = devices;
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  await laptop.createPool('Hidden tabs');
  await phone.join(await laptop.invite());
  await allLinked(devices);
  const note = await laptop.store(NOTE, { name: 'note.bin' });
  await phone.waitFor('the file', ({ files }) => files.length === 1);
  expect(await phone.read(note.fileId)).toEqual(expectedBytes(NOTE.seed, NOTE.length));
  // One at the door of the invite, and one in the pool.
  for (const { page } of devices) expect(await page.evaluate(() => Reflect.get(window, 'madeCount'))).toBe(2);
});
