// Which devices came in beyond an invite's count: the same on every device, and off the list once an admin
// who knew of it decided.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Act } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { ActGraph, headsOf } from '../../../../../src/core/catalogue/grants/act-graph.ts';
import { overusedInvites, type OverusedInvite } from '../../../../../src/core/catalogue/grants/overuse.ts';
import { standingsOf } from '../../../../../src/core/catalogue/grants/standing.ts';
import { NO_RANK, type Role } from '../../../../../src/core/model/role.ts';
import { actBy, actorAt, charter, CHARTER_ID, FOUNDER, type Deed } from '../../../../fixtures/act-world.ts';

const [ANNA, BEN, CLEO] = [1, 2, 3];
/** Newcomers. */
const [XENA, YVES, ZOE] = [5, 6, 7];

class Pool {
  acts: Act[] = [charter()];

  /** Each act has seen those that are named; without any, all so far. */
  write(by: number, deed: Deed, ...seen: readonly Act[]): Act {
    const known = seen.length === 0 ? headsOf(graphOf(this.acts).acts) : seen;
    const act = actBy(
      by,
      deed,
      known.map(({ id }) => id),
    );
    this.acts.push(act);
    return act;
  }

  /** Of the one invite: its devices in their order, those beyond with a mark. */
  list(): string[] {
    const overused = overusedBy(this.acts);
    expect(overusedBy(this.acts.toReversed())).toEqual(overused);
    return shown(overused);
  }
}

function admit(newcomer: number, uses = 1): Deed {
  return { kind: 'admit', newcomer, invite: 'aa', uses };
}

function role(to: number, given: Role): Deed {
  return { kind: 'grant', as: 0, to, role: given, rank: given === 'admin' ? 1 : NO_RANK };
}

function out(whom: number): Deed {
  return { kind: 'shut-out', as: 0, whom };
}

describe('an invite for one device that two parts of a pool used', () => {
  it('lists the one beyond, on every device the same, until an admin keeps it', () => {
    const { pool, beyond, other } = overusedPool();
    expect(pool.list()).toHaveLength(2);
    pool.write(FOUNDER, role(beyond, 'member'));
    expect(pool.list()).toEqual([]);
    // Another grant later brings nothing back, and neither does a shut-out.
    pool.write(FOUNDER, role(other, 'reader'));
    expect(pool.list()).toEqual([]);
    pool.write(FOUNDER, out(other));
    expect(pool.list()).toEqual([]);
  });

  it('lists nobody once either was shut out', () => {
    for (const pick of ['beyond', 'other'] as const) {
      const { pool, ...devices } = overusedPool();
      pool.write(FOUNDER, out(devices[pick]));
      expect(pool.list()).toEqual([]);
    }
  });

  it('goes on listing a device that an admin gave a role before he knew of the other', () => {
    const { pool, beyond, admits } = overusedPool();
    const own = admits.find(({ terms }) => terms?.device === actorAt(beyond));
    if (own === undefined) throw new Error('It was let in.');
    pool.write(FOUNDER, role(beyond, 'reader'), own);
    expect(pool.list()).toHaveLength(2);
  });

  it('counts a device that was shut out by somebody who knew of no other', () => {
    const { pool, beyond, other, admits } = overusedPool();
    const first = admits.find(({ terms }) => terms?.device === actorAt(other));
    if (first === undefined) throw new Error('It was let in.');
    pool.write(FOUNDER, out(other), first);
    expect(pool.list()).toEqual([`${beyond} beyond`]);
  });

  it('lists who came by a third part after the second was kept', () => {
    const { pool, beyond } = overusedPool();
    pool.write(FOUNDER, role(beyond, 'member'));
    pool.write(CLEO, admit(ZOE), pool.acts[0] ?? charter());
    const listed = pool.list();
    expect(listed).toHaveLength(3);
    expect(listed.filter((line) => line.endsWith('beyond'))).toHaveLength(1);
    expect(listed).not.toContain(`${beyond} beyond`);
  });
});

it('lists nobody where two members let in the same device, and none of admits that do not count', () => {
  const pool = new Pool();
  const [start] = pool.acts;
  if (start === undefined) throw new Error('There is a charter.');
  pool.write(ANNA, admit(XENA), start);
  pool.write(BEN, admit(XENA), start);
  expect(pool.list()).toEqual([]);
  // It had seen that the invite was used.
  pool.write(CLEO, admit(YVES));
  expect(pool.list()).toEqual([]);
});

interface Step {
  readonly writer: number;
  readonly kind: 'admit' | 'out' | 'grant';
  readonly other: number;
  readonly invite: number;
  readonly known: readonly boolean[];
}

const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    writer: fc.nat(4),
    kind: fc.constantFrom('admit', 'admit', 'admit', 'out', 'grant'),
    other: fc.integer({ min: 5, max: 7 }),
    invite: fc.integer({ min: 1, max: 2 }),
    known: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  }),
  { minLength: 2, maxLength: 12 },
);

it('is one list in whatever order acts arrive; more than the count are never in unlisted', () => {
  let overusedCount = 0;
  fc.assert(
    fc.property(STEPS, fc.nat(), (steps, seed) => {
      const pool = new Pool();
      for (const step of steps) {
        const known = pool.acts.filter((_, index) => index === 0 || step.known[index - 1] === true);
        pool.write(deedWriter(step), deedOf(step), ...headsOf(graphOf(known).acts));
      }
      const overused = overusedBy(pool.acts);
      const order = pool.acts.map((act, at) => [act, (at * 7919 + seed) % 101] as const);
      const shuffled = order.toSorted(([, a], [, b]) => a - b).map(([act]) => act);
      expect(overusedBy(shuffled)).toEqual(overused);
      overusedCount += overused.length;
      const { acts } = graphOf(pool.acts);
      const standings = standingsOf(acts, CHARTER_ID);
      for (const { uses, devices } of overused) {
        for (const { device } of devices) expect(standings.of(device)).toBeDefined();
        const undecided = devices.filter(
          ({ device, isBeyond }) => !isBeyond && standings.giftsOf(device).gifts.length === 0,
        );
        expect(undecided.length).toBeLessThanOrEqual(uses);
      }
      // One tap each, by an admin who knows all, empties the list.
      for (const [at, { device }] of overused
        .flatMap(({ devices }) => devices.filter((d) => d.isBeyond))
        .entries())
        pool.write(FOUNDER, at % 2 === 0 ? out(indexOf(device)) : role(indexOf(device), 'member'));
      expect(shown(overusedBy(pool.acts)).filter((line) => line.endsWith('beyond'))).toEqual([]);
    }),
    { numRuns: 150, seed: 20 },
  );
  expect(overusedCount).toBeGreaterThan(20);
});

it('is empty where every writer has seen all before it', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const pool = new Pool();
      for (const step of steps) pool.write(deedWriter(step), deedOf(step));
      expect(pool.list()).toEqual([]);
    }),
    { numRuns: 60, seed: 21 },
  );
});

function overusedPool() {
  const pool = new Pool();
  const [start] = pool.acts;
  if (start === undefined) throw new Error('There is a charter.');
  const admits = [pool.write(ANNA, admit(XENA), start), pool.write(BEN, admit(YVES), start)];
  const [first, second] = pool.list();
  expect(second).toMatch(/ beyond$/);
  return { pool, admits, other: Number.parseInt(first ?? '', 10), beyond: Number.parseInt(second ?? '', 10) };
}

function deedWriter({ kind, writer }: Step): number {
  return kind === 'admit' ? writer : FOUNDER;
}

function deedOf({ kind, other, invite }: Step): Deed {
  if (kind === 'admit') return { kind: 'admit', newcomer: other, invite: `a${invite}`, uses: invite };
  return kind === 'out' ? out(other) : role(other, 'member');
}

function graphOf(acts: readonly Act[]): ActGraph {
  const graph = new ActGraph(CHARTER_ID);
  for (const act of acts) graph.add(act);
  return graph;
}

function overusedBy(acts: readonly Act[]): { invite: string; uses: number; devices: Shown[] }[] {
  const { acts: placed } = graphOf(acts);
  // Places in the graph differ with the order of arrival; what is told must not.
  return overusedInvites(placed, standingsOf(placed, CHARTER_ID)).map(({ invite, uses, devices }) => ({
    invite,
    uses,
    devices: devices.map(({ device, admit: { id }, isBeyond }) => ({ device, admit: id, isBeyond })),
  }));
}

interface Shown {
  readonly device: OverusedInvite['devices'][number]['device'];
  readonly admit: string;
  readonly isBeyond: boolean;
}

function shown(list: ReturnType<typeof overusedBy>): string[] {
  return list.flatMap(({ devices }) =>
    devices.map(({ device, isBeyond }) => `${indexOf(device)}${isBeyond ? ' beyond' : ''}`),
  );
}

function indexOf(device: Shown['device']): number {
  return [0, 1, 2, 3, 4, 5, 6, 7].findIndex((index) => actorAt(index) === device);
}
