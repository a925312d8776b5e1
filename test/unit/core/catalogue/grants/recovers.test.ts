// What recovery codes order: by whom, against whom, and how often. Thieves of phones, of used codes and of
// both write whatever they like, as if they had seen nothing.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Act } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { ActGraph } from '../../../../../src/core/catalogue/grants/act-graph.ts';
import { codesOf } from '../../../../../src/core/catalogue/grants/recovers.ts';
import { standingsOf } from '../../../../../src/core/catalogue/grants/standing.ts';
import { hexOf } from '../../../../../src/core/model/bytes.ts';
import type { EntryId } from '../../../../../src/core/model/ids.ts';
import { NO_RANK } from '../../../../../src/core/model/role.ts';
import {
  actBy,
  actorAt,
  charter,
  CHARTER_ID,
  codeKey,
  FOUNDER,
  standingsBy,
  type Deed,
} from '../../../../fixtures/act-world.ts';

const [ANNA, BEN, CLEO, DAN] = [1, 2, 3, 4];
const STRANGER = 7;

class Pool {
  readonly acts: Act[];

  constructor(code?: string) {
    this.acts = [charter(code)];
  }

  /** In sight of these acts, or of the charter alone. */
  write(by: number, deed: Deed, ...seen: readonly Act[]): Act {
    const act = actBy(
      by,
      deed,
      (seen.length === 0 ? this.acts.slice(0, 1) : seen).map(({ id }) => id),
    );
    this.acts.push(act);
    return act;
  }

  recover(by: number, code: string, out: readonly number[], ...seen: readonly Act[]): Act {
    return this.write(by, { kind: 'recover', admin: by, out, code, next: `${code}+` }, ...seen);
  }

  roles(...devices: readonly number[]): string {
    const [one, other] = [this.acts, this.acts.toReversed()].map((acts) => rolesBy(acts, devices));
    expect(other).toBe(one);
    return one ?? '';
  }

  counts(act: Act): boolean {
    return standingsBy(this.acts).counts(act.id);
  }
}

function rolesBy(acts: readonly Act[], devices: readonly number[]): string {
  const standings = standingsBy(acts);
  return devices
    .map((device) => {
      const standing = standings.of(actorAt(device));
      if (standing === undefined) return 'out';
      return standing.rank < NO_RANK ? `admin ${standing.rank}` : standing.role;
    })
    .join();
}

const adminOf = (to: number, as = 0): Deed => ({ kind: 'grant', as, to, role: 'admin', rank: as + 1 });
const outOf = (whom: number, as = 0): Deed => ({ kind: 'shut-out', as, whom });

it('makes a member an admin in the place of the lost founder, whose later acts are void', () => {
  const pool = new Pool('paper');
  const recover = pool.recover(ANNA, 'paper', [FOUNDER]);
  const forged = pool.write(FOUNDER, outOf(ANNA));
  expect(pool.roles(FOUNDER, ANNA, BEN)).toBe('out,admin 0,member');
  expect(pool.counts(forged)).toBe(false);
  pool.write(ANNA, adminOf(BEN), recover);
  expect(pool.roles(BEN)).toBe('admin 1');
});

it('leaves everybody in whom it does not name', () => {
  const pool = new Pool('paper');
  pool.recover(ANNA, 'paper', []);
  expect(pool.roles(FOUNDER, ANNA, BEN)).toBe('admin 0,admin 0,member');
});

it('undoes what it names of those whom it shuts out, and keeps what it has seen besides', () => {
  const pool = new Pool('paper');
  const [one, two] = [pool.write(FOUNDER, outOf(BEN)), pool.write(FOUNDER, outOf(CLEO))];
  const undone = [one.id];
  pool.write(
    ANNA,
    { kind: 'recover', admin: ANNA, out: [FOUNDER], undone, code: 'paper', next: 'next' },
    one,
    two,
  );
  expect(pool.roles(BEN, CLEO)).toBe('member,out');
});

it('lets a device that an admin shut out back in, as an admin', () => {
  const pool = new Pool('paper');
  const out = pool.write(FOUNDER, outOf(ANNA));
  pool.recover(ANNA, 'paper', [FOUNDER], out);
  expect(pool.roles(FOUNDER, ANNA)).toBe('out,admin 0');
});

it('lets the new admin take the old one back, as what it likes', () => {
  const pool = new Pool('paper');
  const recover = pool.recover(ANNA, 'paper', [FOUNDER]);
  const back = pool.write(
    ANNA,
    { kind: 'grant', as: 0, to: FOUNDER, role: 'member', rank: NO_RANK },
    recover,
  );
  expect(pool.roles(FOUNDER)).toBe('member');
  pool.write(FOUNDER, outOf(BEN), back);
  expect(pool.roles(BEN)).toBe('member');
});

it('obeys no code that the pool does not have, and lets no stranger in', () => {
  const pool = new Pool('paper');
  pool.recover(ANNA, 'another', [FOUNDER]);
  const stranger: Deed = { kind: 'recover', admin: STRANGER, code: 'paper', next: 'next' };
  pool.write(BEN, stranger);
  const bySelf = pool.write(STRANGER, stranger);
  expect(pool.roles(FOUNDER, ANNA, BEN)).toBe('admin 0,member,member');
  const graph = new ActGraph(CHARTER_ID);
  for (const act of pool.acts) graph.add(act);
  expect(graph.acts.some(({ names }) => names.includes(actorAt(STRANGER)))).toBe(false);
  expect(graph.acts.map(({ id }) => id)).not.toContain(bySelf.id);
});

it('obeys a code once, and then the one that took its place', () => {
  const pool = new Pool('paper');
  const first = pool.recover(ANNA, 'paper', [FOUNDER]);
  pool.recover(BEN, 'paper', [ANNA], first);
  expect(pool.roles(ANNA, BEN)).toBe('admin 0,member');
  pool.recover(BEN, 'paper+', [ANNA], first);
  expect(pool.roles(ANNA, BEN)).toBe('out,admin 0');
});

it('obeys no used code of a thief who says that he did not see it used, once another device did', () => {
  const pool = new Pool('paper');
  const recover = pool.recover(ANNA, 'paper', [BEN]);
  pool.write(CLEO, { kind: 'merge' }, recover);
  for (const next of ['a', 'b', 'c', 'd', 'e', 'f']) {
    const forged = pool.write(BEN, {
      kind: 'recover',
      admin: BEN,
      out: [ANNA, FOUNDER],
      code: 'paper',
      next,
    });
    // His own devices do not witness for him.
    pool.write(BEN, { kind: 'merge' }, forged);
  }
  expect(pool.roles(FOUNDER, ANNA, BEN, CLEO)).toBe('admin 0,admin 0,out,member');
});

it('keeps the line that others follow, however long the thief makes his', () => {
  const pool = new Pool('paper');
  const recover = pool.recover(ANNA, 'paper', [BEN]);
  const seen = pool.write(CLEO, { kind: 'merge' }, recover);
  const next = pool.recover(CLEO, 'paper+', [], seen);
  let forged = pool.write(BEN, { kind: 'recover', admin: BEN, out: [ANNA, CLEO], code: 'paper', next: 'x' });
  for (const [code, after] of ['xy', 'yz', 'zx'])
    forged = pool.write(BEN, { kind: 'recover', admin: BEN, code: code ?? '', next: after ?? '' }, forged);
  expect(pool.counts(next)).toBe(true);
  expect(pool.roles(ANNA, BEN, CLEO)).toBe('admin 0,out,admin 0');
});

it('lets stand what two parts of a pool order apart by the same code', () => {
  const pool = new Pool('paper');
  const [one, other] = [pool.recover(ANNA, 'paper', [FOUNDER]), pool.recover(CLEO, 'paper', [FOUNDER])];
  pool.write(BEN, { kind: 'merge' }, one);
  pool.write(DAN, { kind: 'merge' }, other);
  expect(pool.roles(FOUNDER, ANNA, CLEO)).toBe('out,admin 0,admin 0');
});

it('takes one of two that nobody else had seen', () => {
  const pool = new Pool('paper');
  const acts = [pool.recover(ANNA, 'paper', []), pool.recover(CLEO, 'paper', [])];
  expect(acts.filter((act) => pool.counts(act))).toHaveLength(1);
  pool.roles(ANNA, CLEO);
});

it('takes codes of rank 0 alone', () => {
  const pool = new Pool();
  const grant = pool.write(FOUNDER, adminOf(ANNA));
  const code = pool.write(ANNA, { kind: 'code', as: 1, code: 'hers' }, grant);
  const forged = pool.write(ANNA, { kind: 'code', as: 0, code: 'hers' }, grant);
  pool.recover(ANNA, 'hers', [FOUNDER], code, forged);
  expect(pool.roles(FOUNDER, ANNA)).toBe('admin 0,admin 1');
  const founders = pool.write(FOUNDER, { kind: 'code', as: 0, code: 'paper' }, grant);
  pool.recover(BEN, 'paper', [FOUNDER], founders);
  expect(pool.roles(FOUNDER, BEN)).toBe('out,admin 0');
});

it('keeps an older code above one that a thief of the phone of its founder makes, and uses first', () => {
  for (const isSeen of [true, false]) {
    const pool = new Pool('paper');
    const code = pool.write(FOUNDER, { kind: 'code', as: 0, code: 'his' });
    const his = pool.recover(BEN, 'his', [ANNA, CLEO], code);
    pool.write(DAN, { kind: 'merge' }, his);
    pool.recover(ANNA, 'paper', [FOUNDER, BEN], ...(isSeen ? [his] : []));
    expect(pool.roles(FOUNDER, ANNA, BEN)).toBe('out,admin 0,out');
    // And his code is over.
    const last = pool.acts.at(-1);
    if (last !== undefined) pool.recover(BEN, 'his+', [ANNA], last);
    expect(pool.roles(ANNA, BEN)).toBe('admin 0,out');
  }
});

it('voids the code of a founder who made it as if he did not know that he is out', () => {
  const pool = new Pool('paper');
  const recover = pool.recover(ANNA, 'paper', [FOUNDER]);
  pool.write(CLEO, { kind: 'merge' }, recover);
  const code = pool.write(FOUNDER, { kind: 'code', as: 0, code: 'his' });
  pool.recover(BEN, 'his', [ANNA], code);
  expect(pool.roles(FOUNDER, ANNA, BEN)).toBe('out,admin 0,member');
});

it('voids the line of a code by a device whose rank came from a recover that does not count', () => {
  const pool = new Pool('used');
  const use = pool.write(FOUNDER, { kind: 'recover', admin: FOUNDER, code: 'used', next: 'paper' });
  pool.write(ANNA, { kind: 'merge' }, use);
  const forged = pool.recover(CLEO, 'used', []);
  const code = pool.write(CLEO, { kind: 'code', as: 0, code: 'hers' }, forged);
  pool.recover(CLEO, 'hers', [FOUNDER], code, use);
  expect(pool.roles(FOUNDER, CLEO)).toBe('admin 0,member');
});

it('tells codes that are open from those that are not, and knows none of a lesser admin', () => {
  const pool = new Pool('paper');
  const grant = pool.write(FOUNDER, adminOf(ANNA));
  const code = pool.write(FOUNDER, { kind: 'code', as: 0, code: 'second' }, grant);
  pool.write(ANNA, { kind: 'code', as: 0, code: 'hers' }, grant);
  pool.write(ANNA, { kind: 'recover', admin: ANNA, code: 'hers', next: 'hers+' }, grant);
  expect(codesIn(pool.acts)).toEqual([codesNamed('paper', 'second'), codesNamed()]);
  const recover = pool.recover(BEN, 'second', [], code);
  expect(codesIn(pool.acts)).toEqual([codesNamed('paper', 'second+'), codesNamed('second')]);
  pool.recover(BEN, 'paper', [], recover);
  expect(codesIn(pool.acts)).toEqual([codesNamed('paper+'), codesNamed('paper', 'second', 'second+')]);
});

it('is judged soon, however many codes and recovers a bad admin, or who has a code, writes', () => {
  const seen = [CHARTER_ID];
  const grant = actBy(FOUNDER, adminOf(ANNA), seen);
  const junk = chained(ANNA, grant.id, (at) => {
    if (at % 2 === 0) return { kind: 'code', as: 0, code: `${at}` };
    return { kind: 'recover', admin: ANNA, code: `${at - 1}`, next: `${at}` };
  });
  const own = chained(FOUNDER, CHARTER_ID, (at) => {
    if (at < 499) return { kind: 'code', as: 0, code: `${at}` };
    return { kind: 'recover', admin: FOUNDER, code: `${997 - at}`, next: `${at}` };
  });
  for (const [acts, mostMs] of [
    [[charter('paper'), grant, ...junk], 1_000],
    [[charter('paper'), ...own], 5_000],
  ] as const) {
    const graph = new ActGraph(CHARTER_ID);
    for (const act of acts) graph.add(act);
    expect(graph.acts).toHaveLength(acts.length);
    const before = process.cpuUsage();
    standingsOf(graph.acts, CHARTER_ID);
    codesOf(graph.acts, CHARTER_ID);
    // Its own processor time: other load on the machine does not count.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(mostMs);
  }
});

/** So many as a device may write, each in sight of the one before. */
function chained(by: number, after: EntryId, deedAt: (at: number) => Deed): Act[] {
  const acts: Act[] = [];
  for (let at = 0; at < 998; at++) acts.push(actBy(by, deedAt(at), [acts.at(-1)?.id ?? after]));
  return acts;
}

/** Open ones, then others. */
function codesIn(acts: readonly Act[]): string[][] {
  const graph = new ActGraph(CHARTER_ID);
  for (const act of acts) graph.add(act);
  const { open, closed } = codesOf(graph.acts, CHARTER_ID);
  return [open, closed].map((keys) => keys.map(hexOf).toSorted());
}

function codesNamed(...names: readonly string[]): string[] {
  return names.map((name) => hexOf(codeKey(name))).toSorted();
}

it('gives a device that has only a used code, and codes of its own, rank 0 in no way', () => {
  const anybody = fc.integer({ min: 0, max: 4 });
  const deed: fc.Arbitrary<Deed> = fc.oneof(
    fc.record({ kind: fc.constant('merge' as const) }),
    fc.record({ kind: fc.constant('shut-out' as const), as: fc.constantFrom(0, 1), whom: anybody }),
    fc.record({
      kind: fc.constant('grant' as const),
      as: fc.constantFrom(0, 1),
      to: anybody,
      role: fc.constant('admin' as const),
      rank: fc.constantFrom(1, 2),
    }),
    fc.record({ kind: fc.constant('code' as const), as: fc.constant(0), code: fc.constant('his') }),
    fc.record({
      kind: fc.constant('recover' as const),
      admin: anybody,
      out: fc.uniqueArray(anybody, { maxLength: 3 }),
      code: fc.constantFrom('used', 'his', 'next'),
      next: fc.constant('next'),
    }),
  );
  const steps = fc.array(fc.tuple(deed, fc.array(fc.nat(), { minLength: 1, maxLength: 2 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat()), (list, random) => {
      const pool = new Pool('used');
      const use = pool.write(FOUNDER, { kind: 'recover', admin: FOUNDER, code: 'used', next: 'paper' });
      pool.write(ANNA, { kind: 'merge' }, use);
      for (const [what, seen] of list)
        pool.write(CLEO, what, ...seen.flatMap((at) => pool.acts[at % pool.acts.length] ?? []));
      const shuffled = pool.acts
        .map((act) => ({ act, order: random.next().value ?? 0 }))
        .toSorted((a, b) => a.order - b.order)
        .map(({ act }) => act);
      const devices = [FOUNDER, ANNA, BEN, CLEO, DAN];
      expect(rolesBy(shuffled, devices)).toBe(pool.roles(...devices));
      expect(pool.roles(FOUNDER, ANNA, BEN, CLEO, DAN)).toBe('admin 0,member,member,member,member');
    }),
    { numRuns: 1_000 },
  );
});
