// What several devices learn of each other: signs of life that are passed on, devices that come back, and
// words that are old, forged, or of a wrong clock.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GRACE_MS, HOUR_MS, MembershipNet, wordOf } from '../../../fixtures/membership-net.ts';

const LAPTOPS = ['laptop', 'laptop', 'laptop', 'laptop'] as const;
const [A, B, C, D] = [0, 1, 2, 3];

/** All linked, except these pairs. */
function linked(net: MembershipNet, except: readonly (readonly [number, number])[] = []): MembershipNet {
  for (const { index: a } of net.nodes) {
    for (const { index: b } of net.nodes) {
      if (a < b && !except.some(([x, y]) => x === a && y === b)) net.link(a, b);
    }
  }
  return net;
}

describe('a device that is linked with others only', () => {
  it('is away, and never gone, however long', () => {
    const net = linked(new MembershipNet(LAPTOPS), [[A, B]]);
    for (let day = 0; day < 3; day++) {
      net.pass(24 * HOUR_MS);
      expect([net.state(A, B), net.state(B, A)]).toEqual(['away', 'away']);
    }
    net.close(B);
    net.pass(GRACE_MS.laptop - 120_000);
    expect(net.state(A, B)).toBe('away');
    net.pass(240_000);
    expect([net.state(A, B), net.state(C, B), net.state(D, B)]).toEqual(['gone', 'gone', 'gone']);
  });

  it('is heard of along a chain', () => {
    const net = new MembershipNet([...LAPTOPS, 'phone']);
    for (const at of [0, 1, 2, 3]) net.link(at, at + 1);
    net.pass(2 * GRACE_MS.laptop);
    expect([1, 2, 3, 4].map((other) => net.state(A, other))).toEqual(['reachable', 'away', 'away', 'away']);
    expect(net.membership(A).of(net.node(4).id).class).toBe('phone');
  });

  it('costs few messages while nothing changes, and none when all are linked', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    const before = net.carriedCount;
    net.pass(HOUR_MS);
    expect(net.carriedCount).toBe(before);
    net.unlink(A, B);
    net.pass(60_000);
    const changed = net.carriedCount;
    net.pass(HOUR_MS);
    // Each minute A and B ask C and D, which ask on; each answers.
    expect(net.carriedCount - changed).toBeLessThanOrEqual(60 * 2 * 2 * 4);
  });
});

describe('a device that vanishes', () => {
  it('is suspect for a while, then away', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    net.close(B);
    expect(net.state(A, B)).toBe('suspect');
    net.pass(21_000);
    expect(net.state(A, B)).toBe('away');
  });

  it('is suspect no longer once a neighbour has heard of it', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    net.unlink(A, B);
    expect(net.state(A, B)).toBe('suspect');
    net.pass(2_000);
    expect(net.state(A, B)).toBe('away');
  });

  it('is away at once if it said goodbye', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.membership(A).goodbye(net.node(B).id);
    net.close(B);
    expect([net.state(A, B), net.state(C, B)]).toEqual(['away', 'suspect']);
  });

  it('is not suspected by one that loses all links', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    for (const other of [B, C, D]) net.unlink(A, other);
    net.pass(1);
    expect([B, C, D].map((other) => net.state(A, other))).toEqual(['away', 'away', 'away']);
  });
});

describe('a device that slept', () => {
  it.each([
    ['stands still', 1],
    ['goes on', 0],
  ])('accuses nobody when it wakes, if its monotonic clock %s', (_what, share) => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    const nightMs = 100 * HOUR_MS;
    net.sleep(A);
    net.pass(nightMs);
    expect(net.state(B, A)).toBe('gone');
    net.wake(A, nightMs * share);
    const seen = (): string[] => [B, C, D].map((other) => net.state(A, other));
    expect(seen()).toEqual(['away', 'away', 'away']);
    net.link(A, C);
    net.pass(200_000);
    expect(seen()).toEqual(['away', 'reachable', 'away']);
    // C passes on A's new life: nobody calls it gone any longer.
    expect([net.state(B, A), net.state(C, A), net.state(D, A)]).toEqual(['away', 'reachable', 'away']);
  });
});

describe('a device that is gone', () => {
  /** B is gone for A and D; C was away all the while, and has B's word of then. */
  function gone(): MembershipNet {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    net.close(C);
    net.close(B);
    net.pass(GRACE_MS.laptop + 60_000);
    expect([net.state(A, B), net.state(D, B)]).toEqual(['gone', 'gone']);
    return net;
  }

  it('is not revived by what others remember of it', () => {
    const net = gone();
    net.open(C);
    net.link(C, A);
    net.link(C, D);
    net.pass(HOUR_MS);
    expect([net.state(A, B), net.state(D, B)]).toEqual(['gone', 'gone']);
  });

  it('is not revived by a later beat of the same life', () => {
    const net = gone();
    net.hear(A, D, wordOf(B, 1, 1_000));
    expect(net.state(A, B)).toBe('gone');
    net.hear(A, D, wordOf(B, 2, 1));
    expect(net.state(A, B)).toBe('away');
  });

  it('is revived when it comes back, for all, through one link', () => {
    const net = gone();
    net.open(B);
    net.link(B, D);
    net.pass(120_000);
    expect([net.state(A, B), net.state(D, B)]).toEqual(['away', 'reachable']);
  });

  it('refutes it when it was only cut off, in one round trip', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    net.pass(60_000);
    for (const other of [A, C, D]) net.unlink(B, other);
    net.pass(GRACE_MS.laptop + 60_000);
    expect(net.state(A, B)).toBe('gone');
    net.link(B, C);
    net.pass(120_000);
    expect([net.state(A, B), net.state(D, B)]).toEqual(['away', 'away']);
  });

  it('is gone for a newcomer too, after one grace', () => {
    const net = gone();
    net.node(C).saved = undefined;
    net.open(C);
    net.link(C, A);
    net.pass(GRACE_MS.laptop + 1);
    expect(net.state(C, B)).toBe('gone');
  });
});

describe('words', () => {
  it('that are forged close the link, and are not believed', () => {
    const net = linked(new MembershipNet(LAPTOPS), [[A, B]]);
    net.hear(A, C, wordOf(B, 9, 9, 'phone', true));
    expect(net.membership(A).of(net.node(B).id).class).toBe('laptop');
    expect(net.node(A).closedLinks).toEqual([net.node(C).id]);
  });

  it('of a device whose disk forgot its lives are outdone by a later one', () => {
    const net = linked(new MembershipNet(LAPTOPS));
    for (let round = 0; round < 5; round++) {
      net.close(B);
      net.open(B);
      net.link(B, A);
      net.link(B, C);
    }
    net.pass(60_000);
    net.close(B);
    net.node(B).incarnation = 0;
    net.open(B);
    net.link(B, A);
    net.pass(10_000);
    expect(net.node(B).incarnation).toBeGreaterThan(5);
  });
});

type Step =
  | { readonly kind: 'link' | 'unlink'; readonly a: number; readonly b: number }
  | { readonly kind: 'open' | 'close' | 'sleep'; readonly a: number }
  | { readonly kind: 'clock'; readonly a: number; readonly byMs: number };

const node = fc.nat(4);
const yearMs = 365 * 24 * HOUR_MS;
const steps = fc.array(
  fc.tuple(
    fc.oneof(
      fc.record({
        kind: fc.constantFrom('link' as const, 'link' as const, 'unlink' as const),
        a: node,
        b: node,
      }),
      fc.record({ kind: fc.constantFrom('open' as const, 'close' as const, 'sleep' as const), a: node }),
      fc.record({
        kind: fc.constant('clock' as const),
        a: node,
        byMs: fc.integer({ min: -30 * yearMs, max: 30 * yearMs }),
      }),
    ),
    fc.nat(HOUR_MS),
  ),
  { maxLength: 30 },
);

function take(net: MembershipNet, step: Step): void {
  switch (step.kind) {
    case 'link':
      if (step.a !== step.b) net.link(step.a, step.b);
      break;
    case 'unlink':
      if (step.a !== step.b) net.unlink(step.a, step.b);
      break;
    case 'open':
      if (net.node(step.a).membership === undefined) net.open(step.a);
      break;
    case 'close':
      net.close(step.a);
      break;
    case 'sleep':
      net.sleep(step.a);
      net.pass(HOUR_MS / 12);
      net.wake(step.a, HOUR_MS / 12);
      break;
    case 'clock':
      net.setClock(step.a, step.byMs);
      break;
  }
}

/** Short, so that minutes matter. */
const SHORT_MS = { alwaysOn: HOUR_MS / 6, laptop: HOUR_MS, phone: 3 * HOUR_MS };
const CLASSES = ['laptop', 'phone', 'alwaysOn', 'laptop', 'phone'] as const;

describe('whatever happened before', () => {
  it('who runs and can be reached on any path is gone for nobody, and who is silent is gone for all', () => {
    fc.assert(
      fc.property(steps, fc.nat(4), (all, dead) => {
        const net = new MembershipNet(CLASSES, SHORT_MS);
        for (const [step, thenMs] of all) {
          take(net, step);
          net.pass(thenMs);
        }
        // A chain of those that live, in the order of their numbers.
        const live = net.nodes.map(({ index }) => index).filter((index) => index !== dead);
        net.close(dead);
        for (const index of live) if (net.node(index).membership === undefined) net.open(index);
        for (const [at, index] of live.slice(1).entries()) net.link(index, live[at] ?? 0);
        // Every word needs a few rounds of asking along the chain.
        net.pass(10 * 60_000);
        for (let round = 0; round < 4; round++) {
          for (const by of live)
            for (const of of live) expect(net.state(by, of), `${by} of ${of}`).not.toBe('gone');
          net.pass(SHORT_MS.phone / 3);
        }
        for (const by of live) expect(net.state(by, dead)).toBe('gone');
      }),
      { numRuns: 25 },
    );
  });
});
