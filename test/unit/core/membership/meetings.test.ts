// Whether a pool meets rarely, and what follows for who misses its meetings.

import { describe, expect, it } from 'vitest';
import { Meetings } from '../../../../src/core/membership/meetings.ts';
import { HOUR_MS, MembershipNet } from '../../../fixtures/membership-net.ts';

const DAY_MS = 24 * HOUR_MS;
const NOON_MS = 20_000 * DAY_MS + 12 * HOUR_MS;

/** Meetings so many days apart. */
function meetings(...gaps: readonly number[]): Meetings {
  const all = new Meetings();
  let wallMs = NOON_MS;
  all.meets(wallMs);
  for (const gap of gaps) {
    wallMs += gap * DAY_MS;
    all.meets(wallMs);
  }
  return all;
}

describe('a pool meets rarely', () => {
  it.each([
    ['every second week', [14, 14, 14], true],
    ['with an extra evening', [14, 1, 14], true],
    ['several times on an evening', [14, 0, 0, 14, 0.01, 14], true],
    ['now, after years of every day', [...Array.from({ length: 900 }, () => 1), 14, 14], true],
  ])('%s', (_how, gaps, areRare) => {
    expect(meetings(...gaps).areRare).toBe(areRare);
  });

  it.each([
    ['every day', [1, 1, 1]],
    ['every day, with a holiday', [1, 1, 14]],
    ['on weekends', [3, 3, 3]],
    ['too seldom to be told yet', [14, 14]],
    ['every day again', [14, 14, 14, 1, 1]],
    ['never until now', []],
  ])('not %s', (_how, gaps) => {
    expect(meetings(...gaps).areRare).toBe(false);
  });

  it('as far as it was saved', () => {
    const next = new Meetings();
    next.restore(meetings(14, 14, 14).days);
    expect(next.areRare).toBe(true);
    next.restore([]);
    expect(next.areRare).toBe(false);
  });

  it('whatever a clock that was ahead once said', () => {
    const all = meetings(1, 1, 1);
    all.meets(NOON_MS + 4_000 * DAY_MS);
    expect(all.areRare).toBe(false);
    for (const day of [4, 5, 6]) all.meets(NOON_MS + day * DAY_MS);
    expect(all.areRare).toBe(false);
    expect(all.days).toEqual([3, 4, 5, 6].map((day) => 20_000 + day));
  });
});

/** Eight devices that meet for four minutes, once. `isGraceSet`: nothing is learned of their rhythm. */
function club(isGraceSet = false): MembershipNet {
  const net = new MembershipNet(
    Array.from({ length: 8 }, () => 'phone'),
    undefined,
    isGraceSet,
  );
  meet(net, [0, 1, 2, 3, 4, 5, 6, 7], 0);
  return net;
}

/** After so many days these open the app, meet, and close it. */
function meet(net: MembershipNet, who: readonly number[], afterDays = 14): void {
  for (const { index } of net.nodes) net.close(index);
  net.nowMs += afterDays * DAY_MS;
  for (const index of who) net.open(index);
  for (const a of who) for (const b of who) if (a < b) net.link(a, b);
  net.pass(4 * 60_000);
}

describe('who misses meetings of a pool that meets rarely', () => {
  it('is gone at the second one', () => {
    const net = club();
    meet(net, [0, 1, 2, 3, 4, 5, 6]);
    expect(net.state(0, 7)).toBe('away');
    meet(net, [0, 1, 2, 3, 4, 5, 6]);
    expect([0, 3, 6].map((by) => net.state(by, 7))).toEqual(['gone', 'gone', 'gone']);
  });

  it('is gone at the third one where half of the others do not come either', () => {
    const net = club(true);
    const all = [0, 1, 2, 3];
    meet(net, all);
    meet(net, all);
    expect(net.state(0, 7)).toBe('away');
    meet(net, all);
    expect(net.state(0, 7)).toBe('gone');
  });

  it('is not gone by the clock of one that was set ahead meanwhile', () => {
    const net = club();
    for (const { index } of net.nodes) net.close(index);
    net.node(0).wallAheadMs = 3_000 * DAY_MS;
    meet(net, [0, 1, 2, 3, 4, 5, 6], 0.1);
    expect(net.state(0, 7)).toBe('away');
    net.pass(10 * HOUR_MS);
    expect(net.state(0, 7)).toBe('away');
  });

  it('is not gone where a page is opened again and again on one evening', () => {
    const net = club();
    const all = [0, 1, 2, 3, 4, 5, 6];
    meet(net, all);
    for (let again = 0; again < 20; again++) meet(net, all, 1 / 24 / 60);
    expect(net.state(0, 7)).toBe('away');
  });

  it('finds everybody there when it comes back', () => {
    const net = club();
    meet(net, [0, 1, 2, 3, 4, 5, 6]);
    meet(net, [0, 1, 2, 3, 4, 5, 6]);
    meet(net, [0, 1, 2, 3, 4, 5, 6, 7]);
    expect(net.state(0, 7)).toBe('reachable');
    expect(net.state(7, 0)).toBe('reachable');
  });

  it('tells each device that its pool meets rarely, and the next page too', () => {
    const net = club();
    expect(net.membership(0).meetsRarely).toBe(false);
    for (let time = 0; time < 3; time++) meet(net, [0, 1, 2, 3, 4, 5, 6]);
    expect(net.membership(0).meetsRarely).toBe(true);
    meet(net, [0, 1], 0.01);
    expect(net.membership(0).meetsRarely).toBe(true);
  });
});
