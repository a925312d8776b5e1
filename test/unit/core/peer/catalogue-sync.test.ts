// Catalogues of linked devices become equal, and stay so.

import { describe, expect, it } from 'vitest';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { PULSE_MS, A_MOMENT_MS, Net, poolOf } from '../../../fixtures/peer-net.ts';

describe('catalogues', () => {
  it('of devices that link become one, whatever each had; later entries follow', () => {
    const net = new Net();
    const [a, b] = [net.add(0), net.add(1)];
    for (let count = 0; count < 150; count++) a.publish({ kind: 'pool', name: `${count}` });
    for (let count = 0; count < 70; count++) b.publish({ kind: 'profile', name: `${count}` });
    net.link(a, b);
    expect(a.peer.catalogue.digest()).toBe(b.peer.catalogue.digest());
    expect(b.peer.catalogue.poolName).toBe('149');
    b.publish({ kind: 'pool', name: 'renamed' });
    net.settle();
    expect(a.peer.catalogue.poolName).toBe('renamed');
  });

  it('pass through a device in the middle', () => {
    const net = new Net();
    const [a, b, c] = [net.add(0), net.add(1), net.add(2)];
    net.link(a, b);
    net.link(b, c);
    a.publish({ kind: 'profile', name: 'far away' });
    net.pass(2 * PULSE_MS);
    expect(c.peer.catalogue.deviceName(a.id)).toBe('far away');
  });

  it('are repaired by the pulse when entries were lost', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    net.arrives = (message) => message.kind !== 'entries';
    a.publish({ kind: 'profile', name: 'lost' });
    net.settle();
    expect(b.peer.catalogue.deviceName(a.id)).toBe('');
    net.arrives = () => true;
    net.pass(PULSE_MS);
    expect(b.peer.catalogue.deviceName(a.id)).toBe('lost');
  });

  it('in step are compared ever less often, and nothing else is sent, save questions about the absent', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    net.pass(A_MOMENT_MS);
    const before = a.effects.length;
    net.pass(10 * 60_000);
    const kinds = a.effects
      .slice(before)
      .flatMap((effect) => (effect.kind === 'send' ? [effect.message.kind] : []))
      .filter((kind) => kind !== 'probe' && kind !== 'alive');
    // After 1, 2, 4… 64 s, and then once a minute; the same from the other device.
    expect(new Set(kinds)).toEqual(new Set(['vouch-wanted', 'vouch']));
    expect(kinds.length).toBeGreaterThan(2 * 13);
    expect(kinds.length).toBeLessThan(2 * 18);
    expect(b.peer.isReachable(a.id)).toBe(true);
  });
});
