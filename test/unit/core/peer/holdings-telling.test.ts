// What devices tell each other about their holdings, and how anything missed is repaired.

import { describe, expect, it } from 'vitest';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import { reachOf } from '../../../../src/core/placement/health.ts';
import { fileBody, fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';
import { PULSE_MS, A_MOMENT_MS, SPACE, messagesOf, listener, poolOf } from '../../../fixtures/peer-net.ts';

describe('holdings', () => {
  it('are told to all linked devices, and to those that link later', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { body, fileId } = fileBody('x');
    a.publish(body, manifestOf(a.id));
    a.hold(fileId, manifestOf(a.id), 3);
    net.pass(A_MOMENT_MS);
    expect(b.peer.holdersOf(fileId)).toEqual(new Map([[a.id, new Set([3])]]));
    const c = net.add(2);
    net.link(a, c);
    net.pass(A_MOMENT_MS);
    expect(c.peer.holdersOf(fileId)).toEqual(new Map([[a.id, new Set([3])]]));
  });

  it('that do not add up are asked for again; the pulse finds what was lost without a trace', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { body, fileId } = fileBody('x');
    a.publish(body, manifestOf(a.id));
    net.settle();
    net.arrives = (message) => message.kind !== 'holdings';
    a.hold(fileId, manifestOf(a.id), 1);
    net.pass(A_MOMENT_MS);
    net.arrives = () => true;
    expect(b.peer.holdersOf(fileId).size).toBe(0);
    net.pass(PULSE_MS);
    expect(b.sentTo(a.id, 'holdings-wanted').length).toBeGreaterThanOrEqual(1);
    expect(b.peer.holdersOf(fileId)).toEqual(new Map([[a.id, new Set([1])]]));
  });

  it('with a gap in a delta are asked for immediately', () => {
    const { device, other } = listener();
    const effects = device.hear(other, { kind: 'holdings', base: 5, held: [], heldBytes: 0, freeBytes: 0 });
    expect(messagesOf(effects, other)).toEqual([{ kind: 'holdings-wanted' }]);
  });

  it('of fragments that a file does not have, or of unknown files, do not count', () => {
    const { device, other } = listener();
    const { fileId } = device.store('x');
    const held = [
      { file: fileId, fragments: packFragments([2, 8, 100]) },
      { file: fileIdAt(9), fragments: packFragments([0]) },
    ];
    device.hear(other, { kind: 'holdings', base: 0, held, heldBytes: 0, freeBytes: 0 });
    expect(device.peer.holdersOf(fileId).get(other)).toEqual(new Set([2]));
    expect(device.peer.holdersOf(fileIdAt(9)).size).toBe(0);
  });

  it('of a device that is away are remembered, and those of one that left are not', () => {
    const { net, devices } = poolOf(3);
    const [a, b, c] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    const { body, fileId } = fileBody('x');
    a.publish(body, manifestOf(a.id));
    for (const [device, fragment] of [
      [b, 1],
      [c, 2],
    ] as const)
      device.hold(fileId, manifestOf(a.id), fragment);
    net.pass(A_MOMENT_MS);
    net.unlink(a.id, b.id);
    expect(a.peer.isReachable(b.id)).toBe(false);
    expect(reachOf(a.peer.holdersOf(fileId))).toBe(2);
    c.publish({ kind: 'leave' });
    net.settle();
    expect([...a.peer.holdersOf(fileId).keys()]).toEqual([b.id]);
  });

  it('tell of space alone when it changes by more than a quarter', () => {
    const { net, devices } = poolOf(2);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    net.pass(A_MOMENT_MS);
    for (const [freeBytes, told] of [
      [SPACE * 0.9, SPACE],
      [SPACE / 2, SPACE / 2],
      [0, 0],
      [1, 1],
    ] as const) {
      a.input({ kind: 'space', freeBytes });
      net.pass(A_MOMENT_MS);
      expect(b.peer.holdings.of(a.id)?.freeBytes).toBe(Math.floor(told));
    }
  });
});
