// Stored files: where their fragments go, over several devices.

import { describe, expect, it } from 'vitest';
import { reachOf } from '../../../../src/core/placement/health.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { A_MOMENT_MS, HELLO, SPACE, Net, listener, poolOf, asObject } from '../../../fixtures/peer-net.ts';

describe('storing', () => {
  it('spreads fragments over the pool, and all devices know the same holders', () => {
    const { net, devices } = poolOf(4);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { fileId } = a.store('spread');
    net.pass(A_MOMENT_MS);
    expect(a.peer.inOutbox(fileId)).toBe(false);
    const holders = b.peer.holdersOf(fileId);
    expect([...holders.values()].map(({ size }) => size)).toEqual([2, 2, 2, 2]);
    for (const { peer } of devices) expect(asObject(peer.holdersOf(fileId))).toEqual(asObject(holders));
  });

  it('alone keeps everything, then spreads as devices come', () => {
    const net = new Net();
    const a = net.add(0);
    const { fileId } = a.store('patient');
    expect([a.peer.own.of(fileId).size, a.peer.inOutbox(fileId)]).toEqual([8, true]);
    net.link(a, net.add(1));
    net.pass(A_MOMENT_MS);
    expect(a.peer.own.of(fileId).size).toBe(8);
    const c = net.add(2);
    net.link(a, c);
    net.pass(A_MOMENT_MS);
    expect(a.peer.inOutbox(fileId)).toBe(false);
    expect(a.peer.own.of(fileId).size).toBeLessThanOrEqual(3);
    expect(reachOf(a.peer.holdersOf(fileId))).toBe(8);
  });

  it('continues after offers and entries were lost', () => {
    const { net, devices } = poolOf(3);
    const a = itemAt(devices, 0);
    let lost = 0;
    net.arrives = (message) => !(message.kind === 'place' || message.kind === 'entries') || ++lost > 4;
    const { fileId } = a.store('unlucky');
    net.pass(120_000);
    expect(a.peer.inOutbox(fileId)).toBe(false);
    expect(reachOf(a.peer.holdersOf(fileId))).toBe(8);
  });

  it('does not offer to a device whose holdings and space are not yet known', () => {
    const { device, other } = listener();
    device.store('x');
    expect(device.sentTo(other, 'place')).toEqual([]);
    const holdings = { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: SPACE } as const;
    device.hear(other, holdings);
    expect(device.sentTo(other, 'place')).toHaveLength(1);
    // Nor to one that comes back, before it tells again: its earlier holdings may be long out of date.
    device.input({ kind: 'link-down', device: other });
    device.input({ kind: 'link-up', device: other });
    device.hear(other, HELLO);
    expect(device.sentTo(other, 'place')).toHaveLength(1);
    device.hear(other, holdings);
    expect(device.sentTo(other, 'place')).toHaveLength(2);
  });
});
