// The second connection of a link, in real WebRTC: it opens while many bytes wait, and may end at any moment.

import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

declare global {
  interface Window {
    /** Frames that this page gave to its second connection. */
    secondFrameCount: number;
    /** This page's connections: that to the door by which it came in or let in, the link's, the second. */
    madeConnections: RTCPeerConnection[];
  }
}

const CONTENT = { seed: 97, length: 24_000_000 };
/**
 * Enough of the file is left after these that the second connection has carried some and would carry more.
 */
const FRAMES = 40;

test('a second connection that is closed in the middle of a transfer loses nothing', async ({
  prepareDevice,
}) => {
  const [laptop, phone] = [await prepareDevice('Laptop'), await prepareDevice('Phone')];
  for (const { context } of [laptop, phone])
    await context.addInitScript({ content: `(${String(closeSecond)})(${FRAMES});` });
  await laptop.open();
  await phone.open();
  await laptop.createPool('Home');
  await phone.join(await laptop.invite());

  const { fileId } = await laptop.store(CONTENT, { name: 'film.mp4', k: 1, n: 2, mirror: true });
  expect(await laptop.page.evaluate(() => window.secondFrameCount)).toBeGreaterThanOrEqual(FRAMES);
  const states = await laptop.page.evaluate(() =>
    window.madeConnections.map(({ connectionState }) => connectionState),
  );
  expect(states.slice(1, 3), 'the link lives, its second does not').toEqual(['connected', 'closed']);
  await laptop.waitFor('the copy to be proved', ({ files }) =>
    files.some((file) => file.fileId === fileId && !file.inOutbox),
  );
  await laptop.closeTab();
  expect(await phone.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
});

/**
 * Closes the second connection of this page's first link, after so many frames. Runs in the page, before the
 * app.
 */
function closeSecond(frameCount: number): void {
  const connections: RTCPeerConnection[] = [];
  window.madeConnections = connections;
  const owners = new WeakMap<RTCDataChannel, RTCPeerConnection>();
  window.secondFrameCount = 0;
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      connections.push(this);
      this.addEventListener('datachannel', ({ channel }) => owners.set(channel, this));
    }

    override createDataChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel {
      const channel = super.createDataChannel(label, options);
      owners.set(channel, this);
      return channel;
    }
  };
  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function sendOn(this: RTCDataChannel, data: unknown) {
    Reflect.apply(send, this, [data]);
    const owner = owners.get(this);
    if (owner === undefined || owner !== connections[2]) return;
    window.secondFrameCount += 1;
    if (window.secondFrameCount === frameCount) owner.close();
  };
}
