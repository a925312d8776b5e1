// Linked devices that vouch for themselves: what a hanging disk, a liar, a slow phone and lost messages do.

import { describe, expect, it } from 'vitest';
import { fileBody, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';
import { HELLO, listener, messagesOf, poolOf, type Device, type Net } from '../../../fixtures/peer-net.ts';
import { VOUCH_DEADLINE_MS } from '../../../../src/core/membership/vouching.ts';
import { FEATURES } from '../../../../src/core/wire/messages.ts';

const MINUTE_MS = 60_000;

function states(by: Device, of: Device): unknown {
  return { state: by.peer.membership.of(of.id).state, isReachable: by.peer.isReachable(of.id) };
}

/** A pool in which nothing has happened for a while. */
function idlePool(count: number): { net: Net; devices: Device[] } {
  const pool = poolOf(count);
  pool.net.pass(10 * MINUTE_MS);
  return pool;
}

describe('a device whose disk hangs', () => {
  it('is suspect for all others within minutes, though its page answers, until the disk works again', () => {
    const { net, devices } = idlePool(4);
    const [hung, ...others] = devices;
    if (hung === undefined) throw new Error('there are four');
    hung.isStoreWorking = false;
    net.pass(4 * MINUTE_MS);
    for (const other of others) {
      expect(states(other, hung)).toMatchObject({ isReachable: false });
      for (const third of others)
        if (third !== other) expect(states(other, third)).toEqual({ state: 'reachable', isReachable: true });
    }
    hung.isStoreWorking = true;
    hung.input({ kind: 'store-tried', works: true });
    net.pass(4 * MINUTE_MS);
    for (const other of others)
      expect(states(other, hung)).toEqual({ state: 'reachable', isReachable: true });
  });

  it('is gone after its grace, while it is linked', () => {
    const { net, devices } = idlePool(3);
    const [hung, other] = [itemAt(devices, 0), itemAt(devices, 1)];
    other.publish({ kind: 'policy', parts: { laptop: 5 * MINUTE_MS } });
    hung.isStoreWorking = false;
    net.pass(10 * MINUTE_MS);
    expect(other.peer.isGone(hung.id)).toBe(true);
  });

  it('tries again after a failure', () => {
    const { device, other } = listener();
    device.isStoreWorking = false;
    const wanted = { kind: 'vouch-wanted', catalogue: 'x', holdings: 0 } as const;
    device.hear(other, wanted);
    device.input({ kind: 'store-tried', works: false });
    expect(messagesOf(device.effects, other, 'vouch')).toEqual([]);
    device.isStoreWorking = true;
    device.hear(other, wanted);
    expect(messagesOf(device.effects, other, 'vouch')).toHaveLength(1);
  });
});

describe('a device', () => {
  it('is not believed unasked: what it was asked is what counts', () => {
    const { net, devices } = idlePool(3);
    const [by, liar] = [itemAt(devices, 0), itemAt(devices, 1)];
    liar.isStoreWorking = false;
    let askedAtMs = -Infinity;
    let unaskedCount = 0;
    for (let step = 0; step < 2_400 && by.peer.isReachable(liar.id); step++) {
      const before = by.effects.length;
      net.pass(100);
      const asked = messagesOf(by.effects.slice(before), liar.id, 'vouch-wanted');
      if (asked.length > 0) askedAtMs = net.nowMs;
      if (net.nowMs - askedAtMs <= VOUCH_DEADLINE_MS) continue;
      // It owes nothing now.
      by.hear(liar.id, { kind: 'vouch', catalogue: by.peer.catalogue.digest(), holdings: 1 });
      unaskedCount += 1;
    }
    expect(unaskedCount).toBeGreaterThan(10);
    expect(by.peer.isReachable(liar.id)).toBe(false);
  });

  it('vouches for nobody else', () => {
    const { net, devices } = idlePool(3);
    const [by, hung, liar] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    hung.isStoreWorking = false;
    const unasked = { kind: 'vouch', catalogue: by.peer.catalogue.digest(), holdings: 1 } as const;
    for (let second = 0; second < 240; second++) {
      net.pass(1_000);
      by.hear(liar.id, unasked);
    }
    expect(by.peer.isReachable(hung.id)).toBe(false);
  });

  it('that answers after four seconds each time is never suspect', () => {
    const { net, device, other } = listener();
    device.hear(other, { kind: 'features', features: FEATURES });
    for (let second = 0; second < 600; second++) {
      const before = device.effects.length;
      net.pass(4_000);
      for (const asked of messagesOf(device.effects.slice(before), other, 'vouch-wanted'))
        if (asked.kind === 'vouch-wanted') device.hear(other, { ...asked, kind: 'vouch', holdings: 0 });
      expect(device.peer.isReachable(other)).toBe(true);
    }
  });

  it('whose questions are lost asks for its links to be looked at, and calls nobody silent', () => {
    const { net, devices } = idlePool(4);
    const [deaf] = devices;
    if (deaf === undefined) throw new Error('there are four');
    // It can send, and hears no answers.
    net.arrives = (message) => message.kind !== 'vouch';
    const before = deaf.effects.length;
    net.pass(5 * MINUTE_MS);
    const doubted = deaf.effects.slice(before).filter(({ kind }) => kind === 'doubt-link');
    expect(doubted.length).toBeGreaterThan(3);
    expect(devices.map(({ id }) => deaf.peer.isReachable(id))).toEqual([true, true, true, true]);
  });

  it('of an older version gets pulses as before, and is not asked to vouch', () => {
    const { net, device, other } = listener(false);
    device.hear(other, HELLO);
    device.hear(other, { kind: 'features', features: ['challenge', 'membership', 'repair'] });
    net.pass(MINUTE_MS);
    expect(device.sentTo(other, 'pulse').length).toBeGreaterThanOrEqual(11);
    expect(device.sentTo(other, 'vouch-wanted')).toEqual([]);
    expect(device.peer.isReachable(other)).toBe(true);
  });
});

describe('what was lost between devices that both slowed down', () => {
  it.each(['holdings', 'entries'] as const)('is found within a second a device: %s', (lost) => {
    const { net, devices } = idlePool(6);
    const [a] = devices;
    if (a === undefined) throw new Error('there are six');
    const { body, fileId } = fileBody('x');
    if (lost === 'holdings') a.publish(body, manifestOf(a.id));
    net.pass(10 * MINUTE_MS);
    net.arrives = (message) => message.kind !== lost;
    if (lost === 'entries') a.publish(body, manifestOf(a.id));
    else a.hold(fileId, manifestOf(a.id), 1);
    net.pass(500);
    net.arrives = () => true;
    net.pass(6_500);
    for (const { id, peer } of devices) {
      expect(peer.catalogue.files().has(fileId), id).toBe(true);
      if (lost === 'holdings') expect(peer.holdersOf(fileId).has(a.id), id).toBe(true);
    }
  });
});
