// Members as one device sees them: reachable, away, gone; absences of this device, and clocks that jump.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Membership, SETTLE_MS, SUSPECT_MS } from '../../../../src/core/membership/membership.ts';
import type { MemberState } from '../../../../src/core/membership/member-state.ts';
import { MembershipNet, wordOf } from '../../../fixtures/membership-net.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const HOUR_MS = 3_600_000;
const GRACE_MS = 24 * HOUR_MS;
const SELF = deviceAt(0).deviceId;
const FRIEND = deviceAt(1).deviceId;
const OTHER = deviceAt(2).deviceId;

/** One device's membership, and its two clocks. */
class Page {
  /** Whether people set the graces, so that none is learned. */
  isGraceSet = true;
  graceMs = GRACE_MS;
  membership = new Membership(SELF, 'laptop', {
    graceMs: () => this.graceMs,
    isGraceSet: () => this.isGraceSet,
  });
  nowMs = 5_000;
  wallMs = 1_800_000_000_000;

  constructor() {
    this.#open();
  }

  do(act: (membership: Membership) => void = () => undefined): this {
    this.membership.tell(this.nowMs, this.wallMs);
    act(this.membership);
    this.membership.advance();
    return this;
  }

  pass(ms: number): this {
    const endMs = this.nowMs + ms;
    for (;;) {
      const dueMs = this.membership.nextDeadlineMs();
      if (dueMs > endMs) break;
      this.wallMs += Math.max(0, dueMs - this.nowMs);
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.do();
    }
    this.wallMs += endMs - this.nowMs;
    this.nowMs = endMs;
    return this.do();
  }

  jump(byMs: number): this {
    this.wallMs += byMs;
    return this.do((membership) => membership.clockJumped(this.nowMs, this.wallMs));
  }

  /** It was frozen for so long, and its monotonic clock went on. */
  late(byMs: number): this {
    this.nowMs += byMs;
    this.wallMs += byMs;
    this.membership.tell(this.nowMs, this.wallMs, byMs);
    return this.do();
  }

  /** The same, and how late it is follows from what was due. */
  frozen(byMs: number): this {
    const dueMs = this.membership.nextDeadlineMs();
    this.nowMs += byMs;
    this.wallMs += byMs;
    this.membership.tell(this.nowMs, this.wallMs, this.nowMs - dueMs);
    return this.do();
  }

  /** The page is closed, and another one opens after `byMs` of wall time. */
  reopen(byMs: number): this {
    const saved = this.do().membership.saved();
    this.wallMs += byMs;
    this.nowMs = 100;
    this.membership = new Membership(SELF, 'laptop', {
      graceMs: () => GRACE_MS,
      isGraceSet: () => this.isGraceSet,
    });
    this.membership.restore(2, saved);
    return this.#open();
  }

  link(device = FRIEND): this {
    return this.do((membership) => membership.greeted(device));
  }

  state(device = OTHER): MemberState {
    return this.membership.of(device).state;
  }

  #open(): this {
    return this.do((membership) => membership.know([SELF, FRIEND, OTHER]));
  }
}

describe('an evictable member', () => {
  it('is gone before its browser may have deleted anything, whatever people set', () => {
    const page = new Page();
    page.graceMs = 30 * 24 * HOUR_MS;
    page
      .link()
      .link(OTHER)
      .do((membership) => membership.saysEvictable(OTHER, true));
    expect(page.membership.of(OTHER).graceMs).toBe(4 * 24 * HOUR_MS);
    expect(page.membership.of(FRIEND).graceMs).toBe(30 * 24 * HOUR_MS);
    page.do((membership) => membership.linkDown(OTHER)).pass(5 * 24 * HOUR_MS);
    expect(page.state(OTHER)).toBe('gone');
    page.link(OTHER).do((membership) => membership.saysEvictable(OTHER, false));
    expect(page.membership.of(OTHER).graceMs).toBe(30 * 24 * HOUR_MS);
  });

  it('keeps a shorter grace, and may say so before it is a member', () => {
    const page = new Page();
    const later = deviceAt(7).deviceId;
    page.do((membership) => membership.saysEvictable(later, true));
    page.do((membership) => membership.know([SELF, FRIEND, OTHER, later]));
    expect(page.membership.isEvictable(later)).toBe(true);
    expect(page.membership.of(later).graceMs).toBe(GRACE_MS);
    page.graceMs = 30 * 24 * HOUR_MS;
    expect(page.membership.of(later).graceMs).toBe(4 * 24 * HOUR_MS);
  });

  it('is no longer known as one once it left', () => {
    const page = new Page();
    page.link(OTHER).do((membership) => membership.saysEvictable(OTHER, true));
    page.do((membership) => membership.know([SELF, FRIEND]));
    expect(page.membership.isEvictable(OTHER)).toBe(false);
  });
});

describe('a member', () => {
  it('is reachable while it is linked, then away, then gone, each since when it began', () => {
    const page = new Page().link().link(OTHER);
    expect(page.membership.of(OTHER)).toMatchObject({
      state: 'reachable',
      class: 'laptop',
      sinceMs: page.wallMs,
    });
    page.pass(HOUR_MS).do((membership) => membership.linkDown(OTHER));
    expect(page.membership.of(OTHER)).toMatchObject({
      state: 'suspect',
      class: 'laptop',
      sinceMs: page.wallMs,
    });
    page.pass(SUSPECT_MS);
    const awaySinceMs = page.wallMs;
    page.pass(GRACE_MS - SUSPECT_MS - 1);
    expect(page.membership.of(OTHER)).toMatchObject({ state: 'away', class: 'laptop', sinceMs: awaySinceMs });
    page.pass(1);
    expect(page.membership.of(OTHER)).toMatchObject({ state: 'gone', class: 'laptop', sinceMs: page.wallMs });
    expect(page.membership.isGone(OTHER)).toBe(true);
    page.link(OTHER);
    expect(page.state()).toBe('reachable');
    expect(page.membership.takeChanged()).toEqual(new Set([FRIEND, OTHER]));
  });

  it('that was never met is gone after its grace, too', () => {
    expect(new Page().link().pass(GRACE_MS).state()).toBe('gone');
  });

  it('that left is nobody', () => {
    const page = new Page().link().pass(GRACE_MS);
    page.do((membership) => membership.know([SELF, FRIEND]));
    expect(page.membership.isGone(OTHER)).toBe(false);
  });

  it('stays gone over restarts', () => {
    const page = new Page().link().pass(GRACE_MS);
    const sinceMs = page.wallMs;
    page.reopen(HOUR_MS);
    expect(page.membership.of(OTHER)).toMatchObject({ state: 'gone', class: 'laptop', sinceMs });
  });
});

describe('a device that was absent itself', () => {
  it('calls nobody gone while it is cut off, nor right afterwards', () => {
    const page = new Page().pass(10 * GRACE_MS);
    expect(page.state()).toBe('away');
    page.link().pass(GRACE_MS - 1);
    expect(page.state()).toBe('away');
    expect(page.pass(1).state()).toBe('gone');
  });

  it.each([
    ['its wall clock jumped', (page: Page) => page.jump(8 * HOUR_MS)],
    ['what was due came late', (page: Page) => page.late(60_000)],
  ])('suspects nobody right after it slept: %s', (_what, sleep) => {
    const page = new Page().link().link(OTHER);
    page.pass(HOUR_MS);
    sleep(page).do((membership) => membership.linkDown(OTHER));
    expect(page.state()).toBe('away');
    page.link(OTHER).pass(2 * 72_000);
    expect(page.do((membership) => membership.linkDown(OTHER)).state()).toBe('suspect');
  });

  it('is not cut off while it has the relay', () => {
    const page = new Page()
      .do((membership) => membership.told({ kind: 'relay', isConnected: true }))
      .pass(GRACE_MS);
    expect(page.state()).toBe('gone');
  });

  it('notices that it was frozen also without links', () => {
    const page = new Page()
      .do((membership) => membership.told({ kind: 'relay', isConnected: true }))
      .pass(GRACE_MS - 60_000);
    expect(page.frozen(150_000).state()).toBe('away');
    expect(page.pass(HOUR_MS).state()).toBe('gone');
  });

  it('does not count its first absence, however long, and waits for news after each', () => {
    const page = new Page()
      .link()
      .pass(HOUR_MS)
      .reopen(1_000 * HOUR_MS)
      .link();
    expect(page.pass(GRACE_MS - HOUR_MS - 1).state()).toBe('away');
    expect(page.pass(1).state()).toBe('gone');
  });

  it('counts later ones in part, so that one that is mostly closed still finds out', () => {
    const page = new Page().link();
    const dayMs = 24 * HOUR_MS;
    const states = Array.from({ length: 5 }, () =>
      page
        .reopen(dayMs)
        .link()
        .pass(2 * SETTLE_MS)
        .state(),
    );
    expect(states).toEqual(['away', 'away', 'gone', 'gone', 'gone']);
  });

  it('waits for news before it calls somebody gone who became overdue meanwhile', () => {
    const page = new Page()
      .link()
      .reopen(HOUR_MS)
      .link()
      .pass(GRACE_MS - HOUR_MS);
    page.reopen(HOUR_MS * 12).link();
    expect(page.pass(SETTLE_MS - 1).state()).toBe('away');
    expect(page.pass(1).state()).toBe('gone');
  });

  it('calls nobody gone because of clocks alone', () => {
    const yearMs = 365 * 24 * HOUR_MS;
    const jumps = fc.array(
      fc.record({ byMs: fc.integer({ min: -30 * yearMs, max: 30 * yearMs }), thenMs: fc.nat(HOUR_MS) }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(jumps, (all) => {
        const page = new Page().link();
        for (const { byMs, thenMs } of all) {
          page.jump(byMs).pass(thenMs);
          expect(page.state()).toBe('away');
        }
        const ranMs = all.reduce((sum, { thenMs }) => sum + thenMs, 0);
        expect(page.pass(GRACE_MS - ranMs).state()).toBe('gone');
      }),
    );
  });

  it('calls nobody gone because its clock was wrong at a start', () => {
    const yearMs = 365 * 24 * HOUR_MS;
    for (const byMs of [-30 * yearMs, 30 * yearMs]) {
      const page = new Page()
        .link()
        .pass(HOUR_MS)
        .reopen(byMs)
        .link()
        .pass(HOUR_MS)
        .jump(-byMs)
        .pass(HOUR_MS);
      page.reopen(byMs).link().pass(HOUR_MS);
      expect(page.state()).toBe('away');
    }
  });
});

describe('the grace of a member', () => {
  const DAY_MS = 24 * HOUR_MS;

  /** A page that learns, and has once been linked with OTHER. */
  function learning(): Page {
    const page = new Page();
    page.isGraceSet = false;
    return page.link().link(OTHER);
  }

  /** OTHER's link breaks, and it is back after `ms`. */
  function absence(page: Page, ms: number): Page {
    return page
      .do((membership) => membership.linkDown(OTHER))
      .pass(ms)
      .link(OTHER);
  }

  const graceMs = (page: Page): number => page.membership.of(OTHER).graceMs;

  it('becomes twice the longest absence from which it came back', () => {
    const page = absence(learning(), 2.5 * DAY_MS);
    expect(graceMs(page)).toBe(5 * DAY_MS);
    absence(page, HOUR_MS);
    expect(graceMs(page)).toBe(5 * DAY_MS);
    page.do((membership) => membership.linkDown(OTHER)).pass(5 * DAY_MS - 1);
    expect(page.state()).toBe('away');
    expect(page.pass(1).state()).toBe('gone');
    // Of others nothing was learned.
    expect(page.membership.of(FRIEND).graceMs).toBe(GRACE_MS);
  });

  it('does not become shorter than that of its class, nor longer than two weeks, whatever a member does', () => {
    expect(graceMs(absence(learning(), HOUR_MS))).toBe(GRACE_MS);
    const page = learning();
    for (let times = 0; times < 5; times++) absence(page, 100 * DAY_MS);
    expect(graceMs(page)).toBe(14 * DAY_MS);
    expect(
      page
        .do((membership) => membership.linkDown(OTHER))
        .pass(14 * DAY_MS)
        .state(),
    ).toBe('gone');
  });

  it('is the one that people set, if they did', () => {
    const page = absence(learning(), 2.5 * DAY_MS);
    page.isGraceSet = true;
    expect(graceMs(page)).toBe(GRACE_MS);
  });

  it('is learned from all times in which the page was closed but the longest', () => {
    const page = learning();
    page.do((membership) => membership.linkDown(OTHER));
    for (let day = 0; day < 5; day++)
      page
        .link()
        .pass(8 * HOUR_MS)
        .reopen(16 * HOUR_MS);
    page.link(OTHER);
    // 5 times 8 hours; 4 of the nights count as half a grace, and one of these may have been a wrong clock.
    expect(graceMs(page)).toBe(2 * (5 * 8 + 3 * 12) * HOUR_MS);
  });

  it('outlives the page', () => {
    const page = absence(learning(), 2.5 * DAY_MS).reopen(HOUR_MS);
    expect(graceMs(page)).toBe(5 * DAY_MS);
  });

  it.each([
    ['under the open page', (page: Page) => page.jump(3_000 * DAY_MS)],
    ['back and forth', (page: Page) => page.jump(-3_000 * DAY_MS).jump(6_000 * DAY_MS)],
    ['while the page is closed', (page: Page) => page.reopen(3_000 * DAY_MS)],
    ['back while the page is closed', (page: Page) => page.reopen(-3_000 * DAY_MS)],
    [
      'while the page is closed, in a silence that was forgiven once',
      (page: Page) =>
        page
          .reopen(HOUR_MS)
          .link()
          .pass(HOUR_MS)
          .reopen(3_000 * DAY_MS),
    ],
    ['by sleep', (page: Page) => page.late(3_000 * DAY_MS)],
  ])('is not stretched when the clock jumps %s', (_how, jump) => {
    const page = learning();
    page.do((membership) => membership.linkDown(OTHER)).pass(HOUR_MS);
    jump(page).link().pass(HOUR_MS).link(OTHER);
    expect(graceMs(page)).toBe(GRACE_MS);
  });

  it('is not stretched by words of a member that others kept back', () => {
    const net = new MembershipNet(['laptop', 'laptop', 'laptop'], undefined, false);
    net.link(0, 1);
    net.link(0, 2);
    net.unlink(0, 2);
    for (let beat = 1; beat < 5; beat++) {
      net.pass(20 * HOUR_MS);
      net.hear(0, 1, wordOf(2, 1, 100 * beat));
    }
    expect(net.membership(0).of(net.node(2).id).graceMs).toBe(GRACE_MS);
  });
});
