// Who is what by acts that were written side by side: what a thief of an admin's keys can still do after he
// was shut out, and what admins who did not know of each other bring about.

import { describe, expect, it } from 'vitest';
import type { Act } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { ActGraph, headsOf } from '../../../../../src/core/catalogue/grants/act-graph.ts';
import {
  MAX_ACTS_OF_ADMIN,
  MAX_ACTS_OF_MEMBER,
  MAX_ADMIN_ACT_COUNT,
  MAX_WAITING_ACTS,
} from '../../../../../src/core/model/limits.ts';
import { NO_RANK } from '../../../../../src/core/model/role.ts';
import {
  actBy,
  actIdOf,
  actorAt,
  charter,
  CHARTER_ID,
  FOUNDER,
  standingsBy,
  type Deed,
} from '../../../../fixtures/act-world.ts';
import { itemAt } from '../../../../fixtures/pool-fixture.ts';

const [ANNA, BEN, CLEO, DAN] = [1, 2, 3, 4];

/**
 * Writes acts one after another; each has seen those that are named, and with them all that these had seen.
 */
class Pool {
  readonly acts: Act[] = [charter()];

  write(by: number, deed: Deed, ...seen: readonly Act[]): Act {
    const act = actBy(
      by,
      deed,
      (seen.length === 0 ? this.acts.slice(0, 1) : seen).map(({ id }) => id),
    );
    this.acts.push(act);
    return act;
  }

  /** By device: its role, with the rank of admins; 'out' when it was shut out. */
  roles(...devices: readonly number[]): string[] {
    const standings = standingsBy(this.acts);
    expect(this.#inAnyOrder(devices)).toEqual(devices.map((device) => standings.of(actorAt(device))));
    return devices.map((device) => {
      const standing = standings.of(actorAt(device));
      if (standing === undefined) return 'out';
      return standing.role === 'admin' ? `admin ${standing.rank}` : standing.role;
    });
  }

  #inAnyOrder(devices: readonly number[]) {
    const standings = standingsBy(this.acts.toReversed());
    return devices.map((device) => standings.of(actorAt(device)));
  }
}

function admin(as: number, to: number, rank = as + 1): Deed {
  return { kind: 'grant', as, to, role: 'admin', rank };
}

function role(as: number, to: number, given: 'reader' | 'member'): Deed {
  return { kind: 'grant', as, to, role: given, rank: NO_RANK };
}

function out(as: number, whom: number, ...undone: readonly Act[]): Deed {
  return { kind: 'shut-out', as, whom, undone: undone.map(({ id }) => id) };
}

describe('a thief of an admin’s keys', () => {
  it('gives no rights after he was shut out, not even through those whom he makes admins', () => {
    const pool = new Pool();
    const grant = pool.write(FOUNDER, admin(0, ANNA));
    pool.write(FOUNDER, out(0, ANNA), grant);
    const toBen = pool.write(ANNA, admin(1, BEN), grant);
    const toCleo = pool.write(BEN, admin(2, CLEO), toBen);
    pool.write(CLEO, out(3, DAN), toCleo);
    expect(pool.roles(FOUNDER, ANNA, BEN, CLEO, DAN)).toEqual([
      'admin 0',
      'out',
      'member',
      'member',
      'member',
    ]);
  });

  it('undoes nothing by acts that pretend not to know, and shuts out nobody above him', () => {
    const pool = new Pool();
    const grants = [pool.write(FOUNDER, admin(0, ANNA))];
    grants.push(pool.write(FOUNDER, admin(0, BEN, 2), itemAt(grants, 0)));
    const [first, both] = [itemAt(grants, 0), itemAt(grants, 1)];
    pool.write(ANNA, out(1, BEN), both);
    // Ben's answer, as if he had been first; and one from before he could know how high Anna is.
    pool.write(BEN, out(2, ANNA), both);
    pool.write(BEN, out(2, FOUNDER), both);
    pool.write(BEN, out(2, DAN), both);
    pool.write(CLEO, out(1, ANNA), first);
    expect(pool.roles(FOUNDER, ANNA, BEN, DAN)).toEqual(['admin 0', 'admin 1', 'out', 'member']);
  });

  it('gains nothing by what he did not know: that a device is above him counts all the same', () => {
    const pool = new Pool();
    const toBen = pool.write(FOUNDER, admin(0, BEN, 2));
    pool.write(FOUNDER, admin(0, ANNA), toBen);
    pool.write(BEN, out(2, ANNA), toBen);
    pool.write(BEN, role(2, ANNA, 'reader'), toBen);
    expect(pool.roles(ANNA, BEN)).toEqual(['admin 1', 'admin 2']);
  });

  it('loses what he did before he was noticed, where the shut-out says so', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA));
    const honest = pool.write(ANNA, admin(1, BEN), toAnna);
    const stolen = pool.write(ANNA, admin(1, CLEO), honest);
    const vandal = pool.write(ANNA, out(1, DAN), stolen);
    expect(pool.roles(BEN, CLEO, DAN)).toEqual(['admin 2', 'admin 2', 'out']);
    pool.write(FOUNDER, out(0, ANNA, stolen, vandal), vandal);
    expect(pool.roles(ANNA, BEN, CLEO, DAN)).toEqual(['out', 'admin 2', 'member', 'member']);
  });
});

describe('a device that was shut out', () => {
  it('comes back by a grant of nobody below who shut it out, and then acts again', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA));
    const toBen = pool.write(FOUNDER, admin(0, BEN, 2), toAnna);
    const mistake = pool.write(ANNA, out(1, CLEO), toBen);
    const below = pool.write(BEN, role(2, CLEO, 'member'), mistake);
    expect(pool.roles(CLEO)).toEqual(['out']);
    const back = pool.write(ANNA, admin(1, CLEO, 3), below);
    expect(pool.roles(CLEO)).toEqual(['admin 3']);
    pool.write(CLEO, out(3, DAN), back);
    expect(pool.roles(DAN)).toEqual(['out']);
  });

  it('does nothing before it is back, even if who took it back made it an admin', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA, 2));
    const gone = pool.write(ANNA, out(2, BEN), toAnna);
    const back = pool.write(FOUNDER, admin(0, BEN, 1), gone);
    pool.write(BEN, out(1, CLEO), gone);
    expect(pool.roles(BEN, CLEO)).toEqual(['admin 1', 'member']);
    pool.write(BEN, out(1, DAN), back);
    expect(pool.roles(DAN)).toEqual(['out']);
  });
});

describe('an admin who becomes a reader', () => {
  it('does nothing any more by acts that have not seen it, and can be made an admin again', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA));
    const less = pool.write(FOUNDER, role(0, ANNA, 'reader'), toAnna);
    pool.write(ANNA, out(1, BEN), toAnna);
    expect(pool.roles(ANNA, BEN)).toEqual(['reader', 'member']);
    const again = pool.write(FOUNDER, admin(0, ANNA), less);
    pool.write(ANNA, out(1, CLEO), again);
    expect(pool.roles(ANNA, BEN, CLEO)).toEqual(['admin 1', 'member', 'out']);
  });

  it('stays one where an admin below had not known that he was above it', () => {
    const pool = new Pool();
    const toBen = pool.write(FOUNDER, admin(0, BEN, 2));
    const toAnna = pool.write(FOUNDER, admin(0, ANNA), toBen);
    const less = pool.write(FOUNDER, role(0, ANNA, 'member'), toAnna);
    // Ben knows that she is no admin any more.
    pool.write(BEN, out(2, ANNA), less);
    expect(pool.roles(ANNA)).toEqual(['out']);
  });
});

describe('grants that do not know of each other', () => {
  it('give the least of them, until one has seen the others', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA));
    const toBen = pool.write(FOUNDER, admin(0, BEN), toAnna);
    const less = pool.write(ANNA, role(1, CLEO, 'reader'), toBen);
    const more = pool.write(BEN, admin(1, CLEO), toBen);
    expect(pool.roles(CLEO)).toEqual(['reader']);
    const last = pool.write(ANNA, admin(1, CLEO, 5), less, more);
    expect(pool.roles(CLEO)).toEqual(['admin 5']);
    pool.write(FOUNDER, role(0, CLEO, 'member'), last);
    expect(pool.roles(CLEO)).toEqual(['member']);
  });

  it('of oneself, of one’s own rank, or in the name of another rank have no effect', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA, 3));
    pool.write(ANNA, admin(3, ANNA, 4), toAnna);
    pool.write(ANNA, admin(3, BEN, 3), toAnna);
    pool.write(ANNA, admin(0, BEN, 1), toAnna);
    pool.write(CLEO, admin(0, CLEO, 1), toAnna);
    expect(pool.roles(ANNA, BEN, CLEO)).toEqual(['admin 3', 'member', 'member']);
  });
});

describe('the graph of acts', () => {
  it('keeps an act back until all that it has seen is here', () => {
    const pool = new Pool();
    const toAnna = pool.write(FOUNDER, admin(0, ANNA));
    const toBen = pool.write(ANNA, admin(1, BEN), toAnna);
    const graph = new ActGraph(CHARTER_ID);
    expect(graph.add(toBen)).toEqual([]);
    expect(graph.add(itemAt(pool.acts, 0))).toHaveLength(1);
    expect(graph.acts).toHaveLength(1);
    expect(graph.add(toAnna)).toHaveLength(2);
    expect(graph.acts.map(({ id }) => id)).toEqual(pool.acts.map(({ id }) => id));
    expect(headsOf(graph.acts).map(({ id }) => id)).toEqual([toBen.id]);
    expect(graph.add(toBen)).toEqual([]);
  });

  it('takes nothing by strangers, of other charters, or out of a writer’s chain', () => {
    const graph = new ActGraph(CHARTER_ID);
    graph.add(charter());
    const STRANGER = 7;
    expect(graph.add(actBy(STRANGER, admin(0, STRANGER), [CHARTER_ID]))).toEqual([]);
    expect(graph.add({ ...charter(), id: actIdOf('another charter') })).toEqual([]);
    // Named by a member, who may not: a puppet of his is still a stranger.
    const puppet = actBy(ANNA, admin(1, STRANGER), [CHARTER_ID]);
    expect(graph.add(puppet)).toHaveLength(1);
    expect(graph.add(actBy(STRANGER, out(1, BEN), [puppet.id]))).toEqual([]);
    const toBen = actBy(FOUNDER, admin(0, BEN), [CHARTER_ID]);
    expect(graph.add({ ...toBen, seq: 2, prev: puppet.id })).toEqual([]);
    expect(graph.isWaiting).toBe(false);
    expect(graph.add({ ...toBen, seq: 2, prev: CHARTER_ID })).toHaveLength(1);
  });

  it('leaves room for who may shut out those that flood it', () => {
    const graph = new ActGraph(CHARTER_ID);
    graph.add(charter());
    const flood = (by: number, count: number): number =>
      Array.from({ length: count }, (_, at) =>
        graph.add(actBy(by, out(1, DAN, charterOf(at)), [CHARTER_ID])),
      ).flat().length;
    expect(flood(ANNA, MAX_ACTS_OF_MEMBER + 50)).toBe(MAX_ACTS_OF_MEMBER);
    const admins = [BEN, CLEO, 5, 6, 7].map((device, at) => {
      graph.add(actBy(FOUNDER, admin(0, device, at + 1), [CHARTER_ID]));
      return device;
    });
    const grants = headsOf(graph.acts).filter(({ by }) => by === actorAt(FOUNDER));
    const seen = grants.map(({ id }) => id);
    for (const by of admins) {
      for (let at = 0; at < MAX_ACTS_OF_ADMIN + 10; at++) {
        graph.add(actBy(by, out(1, DAN, charterOf(at)), seen));
      }
    }
    expect(graph.acts).toHaveLength(MAX_ADMIN_ACT_COUNT);
    expect(graph.add(actBy(FOUNDER, out(0, BEN), seen))).toHaveLength(1);
  });

  it('takes what somebody else has seen, however much its writer wrote', () => {
    const graph = new ActGraph(CHARTER_ID);
    graph.add(charter());
    for (let at = 0; at < MAX_ACTS_OF_MEMBER; at++)
      graph.add(actBy(ANNA, out(1, DAN, charterOf(at)), [CHARTER_ID]));
    // Another device got this one first, and its person acted in sight of it.
    const elsewhere = actBy(ANNA, out(1, DAN, charterOf(-1)), [CHARTER_ID]);
    const honest = actBy(FOUNDER, out(0, ANNA), [elsewhere.id]);
    expect(graph.add(elsewhere)).toEqual([]);
    expect(graph.add(honest)).toHaveLength(2);
  });

  it('forgets the oldest of a writer’s too many acts that wait, and of nobody else', () => {
    const graph = new ActGraph(CHARTER_ID);
    graph.add(charter());
    const toAnna = actBy(FOUNDER, admin(0, ANNA), [CHARTER_ID]);
    const waiting = [actBy(ANNA, admin(1, BEN), [toAnna.id]), actBy(CLEO, admin(1, BEN), [toAnna.id])];
    for (const act of waiting) graph.add(act);
    for (let at = 0; at < MAX_WAITING_ACTS; at++) {
      graph.add(actBy(CLEO, out(1, DAN), [actIdOf(`never here ${at}`)]));
    }
    expect(graph.add(toAnna).map(({ by }) => by)).toEqual([FOUNDER, ANNA].map(actorAt));
    expect(graph.add(itemAt(waiting, 1))).toHaveLength(1);
  });
});

/** A distinct act to name. */
function charterOf(at: number): Act {
  return { ...charter(), id: actIdOf(`act ${at}`) };
}
