// What a connection of this device with itself says of WebRTC here.

import { expect, test } from 'vitest';
import { loadWebRtc } from '../../../../src/adapters/node/node-webrtc.ts';
import { tryLoopback } from '../../../../src/adapters/portable/doctor/webrtc-probes.ts';

/** Real connections, of which the first `endingCount` pairs end by themselves once they are described. */
async function endingAtFirst(
  endingCount: number,
): Promise<{ readonly wrtc: Parameters<typeof tryLoopback>[1]; readonly made: () => number }> {
  const { RTCPeerConnection } = await loadWebRtc();
  let made = 0;
  class Connection extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration);
      made += 1;
      if (made > 2 * endingCount) return;
      this.addEventListener('signalingstatechange', () => {
        if (this.signalingState === 'stable') this.close();
      });
    }
  }
  return { wrtc: { RTCPeerConnection: Connection }, made: () => made };
}

test('a connection that ends by itself is tried again', async () => {
  const { wrtc, made } = await endingAtFirst(2);
  expect(await tryLoopback(new AbortController().signal, wrtc)).toBe('echoed');
  expect(made()).toBe(6);
});

test('connections that all end are as good as none', async () => {
  const { wrtc } = await endingAtFirst(Infinity);
  expect(await tryLoopback(new AbortController().signal, wrtc)).toBe('silent');
});

test('nothing is tried once the time is over', async () => {
  const { wrtc, made } = await endingAtFirst(0);
  expect(await tryLoopback(AbortSignal.abort(), wrtc)).toBe('silent');
  expect(made()).toBe(0);
});
