// A member that has only the pool secret and the relay cannot separate linked devices.

import { newLinkId } from '../../src/core/links/link-ids.ts';
import { HostileCaller } from './hostile-caller.ts';
import { allLinked, expect, test } from './palm-fixture.ts';

/** More link ids than each session has used by now. */
const GUESSES_PER_SESSION = 24;
const FRESH_OFFER_COUNT = 100;
/** Attempts with one device: eight, plus one every two seconds. */
const MAX_CONNECTIONS = 3 + 8 + 30;

test('four linked devices stay linked while a member offers under their links’ names', async ({
  prepareDevice,
  faults,
}) => {
  faults.allow(/.*/);
  const devices = await Promise.all(
    ['Laptop', 'Phone', 'Tablet', 'Desktop'].map((name) => prepareDevice(name)),
  );
  for (const { context } of devices) {
    await context.addInitScript(() => {
      const counted = { connections: 0, losses: 0 };
      Object.assign(window, { counted });
      window.RTCPeerConnection = class extends RTCPeerConnection {
        constructor(configuration?: RTCConfiguration) {
          super(configuration);
          counted.connections += 1;
        }
      };
    });
  }
  const [laptop] = devices;
  if (laptop === undefined) throw new Error('A device is missing.');
  await laptop.open();
  // Whoever has the invite of a pool of before has its signaling key, without being let in.
  const invite = await laptop.createOldPool();
  for (const device of devices.slice(1)) {
    await device.open();
    await device.join(invite);
  }
  await allLinked(devices);
  for (const { page } of devices) {
    await page.evaluate(() => {
      const counted: unknown = Reflect.get(window, 'counted');
      window.palm.subscribe(() => {
        const reachable = window.palm.status().devices.filter(({ state }) => state === 'reachable');
        if (reachable.length < 4 && counted instanceof Object) Object.assign(counted, { losses: 1 });
      });
    });
  }

  const ids = await Promise.all(devices.map(async (device) => (await device.status()).device.id));
  const caller = await HostileCaller.enter(invite, laptop.appUrl, ids);
  const sessions = await caller.meet(4);
  for (const session of sessions) {
    for (const other of sessions) {
      for (let counter = 1; counter <= GUESSES_PER_SESSION; counter++) {
        await caller.say(session, newLinkId(other, counter), { kind: 'offer', sdp: 'x' });
        await caller.say(session, newLinkId(other, counter), { kind: 'bye' });
      }
    }
    for (let counter = 1; counter <= FRESH_OFFER_COUNT; counter++) {
      await caller.say(session, newLinkId(caller.session, counter), { kind: 'offer', sdp: 'x' });
    }
  }

  for (const session of sessions) await caller.heardBy(session);

  // A store over all four devices uses the links.
  const { fileId } = await laptop.store({ seed: 1, length: 300_000 }, { name: 'kept.bin', k: 2, n: 4 });
  await laptop.waitFor('all fragments placed', ({ files }) =>
    files.some((file) => file.fileId === fileId && file.reach === 4 && file.holders.length === 4),
  );
  for (const device of devices) {
    const counted = await device.page.evaluate(() => JSON.stringify(Reflect.get(window, 'counted')));
    const { connections, losses }: { connections: number; losses: number } = JSON.parse(counted);
    expect(losses, `${device.name} lost a link`).toBe(0);
    expect(connections, `connections of ${device.name}`).toBeLessThanOrEqual(MAX_CONNECTIONS);
  }
  caller.leave();
});
