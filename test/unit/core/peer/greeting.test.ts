// Links of the peer: which devices it listens to, and when it closes a link.

import { describe, expect, it } from 'vitest';
import { parseBlockHash } from '../../../../src/core/model/ids.ts';
import { PROTOCOL_VERSION, type Message } from '../../../../src/core/wire/messages.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { fileIdAt } from '../../../fixtures/pool-fixture.ts';
import { HELLO, listener } from '../../../fixtures/peer-net.ts';

describe('a new link', () => {
  it('sends only hello until the other side has said it too, whatever happens meanwhile', () => {
    const { device, other } = listener(false);
    device.publish({ kind: 'profile', name: 'Ann' });
    device.input({ kind: 'held', fragments: [{ file: fileIdAt(1), fragment: 0, bytes: 10 }] });
    device.input({ kind: 'tick' });
    expect(device.sentTo(other)).toEqual([HELLO]);
    expect(device.peer.isReachable(other)).toBe(false);
    device.hear(other, HELLO);
    expect(device.sentTo(other).map(({ kind }) => kind)).toEqual(['hello', 'features', 'sync', 'holdings']);
    expect(device.peer.isReachable(other)).toBe(true);
    expect(device.peer.reachableDevices()).toEqual([device.id, other]);
  });

  it.each<Message>([
    { kind: 'sync', heads: [], from: undefined, closed: false },
    { kind: 'entries', entries: [Uint8Array.of(1)], more: false },
    { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 0 },
    { kind: 'place', places: [] },
    { kind: 'get-block', id: 1, hash: parseBlockHash(seededBytes(32, 1)) },
  ])('that begins with $kind instead of hello is closed', (message) => {
    const { device, other } = listener(false);
    const effects = device.hear(other, message);
    expect(effects).toEqual([{ kind: 'close-link', device: other, reason: 'spoke before saying hello' }]);
  });

  it.each<Message>([
    { kind: 'hello', protocol: PROTOCOL_VERSION - 1, epoch: 0 },
    { kind: 'hello', protocol: PROTOCOL_VERSION + 2, epoch: 0 },
    { kind: 'hello', protocol: PROTOCOL_VERSION, epoch: 1 },
  ])('to a device of protocol $protocol in epoch $epoch is closed', (message) => {
    const { device, other } = listener(false);
    const effects = device.hear(other, message);
    expect(effects.at(-1)).toMatchObject({ kind: 'close-link', device: other });
    expect(effects.map(({ kind }) => kind).includes('other-protocol')).toBe(
      message.kind === 'hello' && message.protocol !== PROTOCOL_VERSION,
    );
    expect(device.sentTo(other)).toEqual([HELLO]);
    expect(device.peer.isReachable(other)).toBe(false);
  });

  it('is closed on a second hello', () => {
    const { device, other } = listener();
    expect(device.hear(other, HELLO)).toMatchObject([{ kind: 'close-link', device: other }]);
  });

  it('that went down is not listened to', () => {
    const { device, other } = listener();
    device.input({ kind: 'link-down', device: other });
    expect(device.hear(other, { kind: 'holdings-wanted' })).toEqual([]);
    expect(device.peer.isReachable(other)).toBe(false);
  });
});
