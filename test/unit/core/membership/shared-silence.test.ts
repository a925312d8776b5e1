// Who is not missed alone: the grace while most of a pool is silent.

import { describe, expect, it } from 'vitest';
import { learnedGraceMs, sharedSilenceMs } from '../../../../src/core/membership/learned-grace.ts';
import type { DeviceClass } from '../../../../src/core/model/device-class.ts';
import { HOUR_MS, MembershipNet, wordOf } from '../../../fixtures/membership-net.ts';

const DAY_MS = 24 * HOUR_MS;
const WATCHER = 0;

/** A pool whose first device stays open, with the relay, and was once linked with each of the others. */
function pool(others: readonly DeviceClass[], isGraceSet = false): MembershipNet {
  const net = new MembershipNet(['laptop', ...others], undefined, isGraceSet);
  net.do(net.node(WATCHER), (membership) => membership.told({ kind: 'relay', isConnected: true }));
  for (const index of others.keys()) net.link(WATCHER, index + 1);
  net.pass(HOUR_MS);
  return net;
}

function laptops(count: number): DeviceClass[] {
  return Array.from({ length: count }, () => 'laptop');
}

function leave(net: MembershipNet, ...indexes: readonly number[]): void {
  for (const index of indexes) net.close(index);
}

function comeBack(net: MembershipNet, ...indexes: readonly number[]): void {
  for (const index of indexes) {
    net.open(index);
    net.link(WATCHER, index);
  }
}

function states(net: MembershipNet): string[] {
  return net.nodes.slice(1).map(({ index }) => net.state(WATCHER, index));
}

describe('while most of the pool is silent', () => {
  it('nobody is gone over a first weekend, and who misses the next lesson is not either', () => {
    const net = pool(laptops(7));
    leave(net, 1, 2, 3, 4, 5, 6, 7);
    net.pass(3 * DAY_MS);
    expect(states(net)).toEqual(Array.from({ length: 7 }, () => 'away'));
    // Of nobody an absence was known until now; the one that stays away is given what the others took.
    comeBack(net, 1, 2, 3, 4, 5, 6);
    net.pass(2 * DAY_MS);
    expect(net.state(WATCHER, 7)).toBe('away');
    net.pass(DAY_MS + HOUR_MS);
    expect(net.state(WATCHER, 7)).toBe('gone');
  });

  it('nobody is gone who is heard of through others before it links', () => {
    const net = pool(laptops(7));
    leave(net, 1, 2, 3, 4, 5, 6, 7);
    net.pass(62 * HOUR_MS);
    for (const index of [1, 2, 3, 4, 5]) net.open(index);
    for (const index of [2, 3, 4, 5]) net.link(1, index);
    net.link(WATCHER, 1);
    net.pass(HOUR_MS);
    for (const index of [2, 3, 4, 5]) net.link(WATCHER, index);
    net.pass(HOUR_MS);
    expect(states(net).slice(5)).toEqual(['away', 'away']);
    // The next page knows it, too.
    net.close(WATCHER);
    net.open(WATCHER);
    const grace = net.membership(WATCHER).of(net.node(7).id).graceMs;
    expect(grace).toBeGreaterThanOrEqual(2 * 62 * HOUR_MS);
  });

  it('those that turn gone do not take with them what the pool is used to', () => {
    const net = pool(laptops(7));
    leave(net, 1, 2, 3, 4);
    net.pass(23 * HOUR_MS);
    comeBack(net, 1, 2, 3, 4);
    leave(net, 1, 2, 3);
    net.pass(40 * HOUR_MS);
    leave(net, 5);
    net.pass(26 * HOUR_MS);
    expect(states(net).slice(0, 5)).toEqual(['gone', 'gone', 'gone', 'reachable', 'away']);
  });

  it('a device that has just come does not wait for those that it never heard of', () => {
    const net = pool(laptops(7));
    leave(net, 3, 4, 5, 6, 7);
    net.close(2);
    net.node(2).saved = undefined;
    net.open(2);
    net.link(WATCHER, 1);
    const heard = net.membership(2);
    net.do(net.node(2), (membership) => membership.told({ kind: 'relay', isConnected: true }));
    net.pass(DAY_MS + HOUR_MS);
    expect(heard.of(net.node(3).id).state).toBe('gone');
  });

  it('the time for which this device is cut off counts for nobody', () => {
    const net = pool(laptops(7));
    leave(net, 1, 2, 3, 4, 5, 6, 7);
    net.do(net.node(WATCHER), (membership) => membership.told({ kind: 'relay', isConnected: false }));
    net.pass(3 * DAY_MS);
    expect(net.membership(WATCHER).of(net.node(7).id).graceMs).toBe(DAY_MS);
    net.open(1);
    net.link(WATCHER, 1);
    expect(net.membership(WATCHER).of(net.node(1).id).graceMs).toBe(DAY_MS);
  });

  it('who was waited for because of others is gone with them', () => {
    const net = pool(laptops(4));
    leave(net, 2, 3, 4);
    net.pass(2 * DAY_MS);
    leave(net, 1);
    // On the seventh day three are gone, and so is the first one, which was silent for five.
    net.pass(5 * DAY_MS + HOUR_MS);
    expect(states(net)).toEqual(['gone', 'gone', 'gone', 'gone']);
  });

  it('everybody is gone after a week', () => {
    const net = pool(laptops(7));
    leave(net, 1, 2, 3, 4, 5, 6, 7);
    net.pass(7 * DAY_MS - HOUR_MS);
    expect(net.state(WATCHER, 7)).toBe('away');
    net.pass(2 * HOUR_MS);
    expect(states(net)).toEqual(Array.from({ length: 7 }, () => 'gone'));
  });

  it('those are gone at once that are silent for a whole grace longer than the others were', () => {
    const net = pool(laptops(5));
    leave(net, 1, 2, 3, 4, 5);
    net.pass(2 * DAY_MS);
    comeBack(net, 1, 2, 3);
    net.pass(2 * DAY_MS + HOUR_MS);
    expect(states(net).slice(3)).toEqual(['gone', 'gone']);
  });
});

describe('the grace stays that of the class', () => {
  it.each([
    ['half of the others are silent', laptops(6), [1, 2, 3]],
    ['the pool has few devices', laptops(3), [1, 2, 3]],
  ])('while %s', (_when, others, silent) => {
    const net = pool(others);
    leave(net, ...silent);
    net.pass(DAY_MS + HOUR_MS);
    expect(silent.map((index) => net.state(WATCHER, index))).toEqual(silent.map(() => 'gone'));
  });

  it('of devices that are always on, and they hold up nobody', () => {
    const net = pool([...laptops(3), 'alwaysOn', 'alwaysOn', 'alwaysOn']);
    for (const index of [4, 5, 6]) net.hear(WATCHER, 1, wordOf(index, 2, 1, 'alwaysOn'));
    leave(net, 4, 5, 6);
    net.pass(5 * HOUR_MS);
    expect([4, 5, 6].map((index) => net.state(WATCHER, index))).toEqual(['gone', 'gone', 'gone']);
    net.pass(3 * DAY_MS);
    comeBack(net, 4, 5, 6);
    leave(net, 1);
    net.pass(DAY_MS + HOUR_MS);
    expect(net.state(WATCHER, 1)).toBe('gone');
  });

  it('where people set it', () => {
    const net = pool(laptops(7), true);
    leave(net, 1, 2, 3, 4, 5, 6, 7);
    net.pass(DAY_MS + HOUR_MS);
    expect(states(net)).toEqual(Array.from({ length: 7 }, () => 'gone'));
  });

  it('whatever a few say and keep back about themselves', () => {
    const net = pool(laptops(7));
    // Two play dead for a week, and come back; the third is lost.
    leave(net, 1, 2);
    net.pass(7 * DAY_MS);
    comeBack(net, 1, 2);
    leave(net, 3);
    net.pass(DAY_MS + HOUR_MS);
    expect(net.state(WATCHER, 3)).toBe('gone');
  });
});

describe('the silence that most members had', () => {
  it('is that of more than half, in whole hours', () => {
    const hours = (...all: readonly number[]): number => sharedSilenceMs(all.map((each) => each * HOUR_MS));
    expect(hours(0, 0, 9, 9)).toBe(0);
    expect(hours(9, 0, 7.5, 8)).toBe(7 * HOUR_MS);
    expect(hours(1, 2, 3, 4, 5)).toBe(3 * HOUR_MS);
    expect(hours(9, 9, 9)).toBe(0);
    expect(hours()).toBe(0);
  });

  it('shortens no grace, and stretches none beyond a week', () => {
    expect(learnedGraceMs(DAY_MS, 0, HOUR_MS)).toBe(DAY_MS);
    expect(learnedGraceMs(DAY_MS, 0, 100 * DAY_MS)).toBe(7 * DAY_MS);
    expect(learnedGraceMs(DAY_MS, 100 * DAY_MS, 100 * DAY_MS)).toBe(14 * DAY_MS);
    expect(learnedGraceMs(30 * DAY_MS, DAY_MS, DAY_MS)).toBe(30 * DAY_MS);
  });
});
