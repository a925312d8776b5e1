// Which acts are kept: whoever floods, honest devices end with the same ones.

import { describe, expect, it } from 'vitest';
import type { Act } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { ActGraph } from '../../../../../src/core/catalogue/grants/act-graph.ts';
import { deviceIdOf, type DeviceId, type EntryId } from '../../../../../src/core/model/ids.ts';
import { MAX_ACTS_OF_MEMBER, MAX_MEMBER_ACT_COUNT } from '../../../../../src/core/model/limits.ts';
import { actBy, actIdOf, charter, CHARTER_ID, FOUNDER } from '../../../../fixtures/act-world.ts';

const [THIEF, OTHER] = [1, 2];

/** Others than those of the charter. */
function madeUp(at: number): DeviceId {
  return deviceIdOf(new Uint8Array(32).fill(1 + at, 0, 1).fill(at >> 8, 1, 2));
}

function graphOfPool(): ActGraph {
  const graph = new ActGraph(CHARTER_ID);
  graph.add(charter());
  return graph;
}

/** Another act each time. */
function deed(label: string): Parameters<typeof actBy>[1] {
  return { kind: 'shut-out', as: 1, whom: 4, undone: [actIdOf(label)] };
}

/** One after another. */
function chain(by: number, label: string, count: number): Act[] {
  const acts: Act[] = [];
  for (let at = 0; at < count; at++) {
    const prev = acts.at(-1)?.id;
    acts.push({ ...actBy(by, deed(`${label} ${at}`), [CHARTER_ID]), seq: at + 1, prev });
  }
  return acts;
}

function addAll(graph: ActGraph, acts: readonly Act[]): number {
  return acts.reduce((count, act) => count + graph.add(act).length, 0);
}

function idsOf(graph: ActGraph): EntryId[] {
  return graph.acts.map(({ id }) => id).toSorted();
}

describe('a writer that gives two devices different acts', () => {
  it('keeps neither from what honest ones wrote in sight of them', () => {
    const [one, two] = [graphOfPool(), graphOfPool()];
    const [forOne, forTwo] = [chain(THIEF, 'x', MAX_ACTS_OF_MEMBER), chain(THIEF, 'y', MAX_ACTS_OF_MEMBER)];
    addAll(one, forOne);
    addAll(two, forTwo);
    const lastOf = (acts: readonly Act[]): EntryId => acts.at(-1)?.id ?? CHARTER_ID;
    const out = actBy(FOUNDER, deed('out'), [lastOf(forOne)]);
    const kept = actBy(OTHER, deed('kept'), [lastOf(forTwo)]);
    one.add(out);
    two.add(kept);
    addAll(two, [...forOne, out]);
    addAll(one, [...forTwo, kept]);
    expect(idsOf(one)).toEqual(idsOf(two));
    expect(idsOf(one)).toEqual(expect.arrayContaining([out.id, kept.id]));
  });

  it('gets no more by keys that nobody named', () => {
    const graph = graphOfPool();
    const acts = chain(THIEF, 'x', MAX_ACTS_OF_MEMBER + 50);
    for (const [at, act] of acts.entries()) {
      graph.add({ ...actBy(OTHER, deed(`puppet ${at}`), [act.id]), by: madeUp(at) });
      graph.add(act);
    }
    expect(graph.acts).toHaveLength(1 + MAX_ACTS_OF_MEMBER);
  });

  it('gets four times its bound with an accomplice, and leaves the rest to others', () => {
    const graph = graphOfPool();
    const acts = chain(THIEF, 'x', 10 * MAX_ACTS_OF_MEMBER);
    for (const act of acts) graph.add(act);
    graph.add(actBy(OTHER, deed('accomplice'), [acts[MAX_ACTS_OF_MEMBER * 4 - 1]?.id ?? CHARTER_ID]));
    expect(graph.acts).toHaveLength(1 + 4 * MAX_ACTS_OF_MEMBER + 1);
    graph.add(actBy(3, deed('accomplice'), [acts[MAX_ACTS_OF_MEMBER * 4]?.id ?? CHARTER_ID]));
    expect(graph.acts).toHaveLength(1 + 4 * MAX_ACTS_OF_MEMBER + 1);
    expect(graph.add(actBy(4, deed('honest'), [CHARTER_ID]))).toHaveLength(1);
  });
});

describe('the bound of the pool', () => {
  it('keeps no device from what the founder wrote in sight of the last act', () => {
    const full = (last: Act): ActGraph => {
      const graph = graphOfPool();
      const grants = Array.from({ length: 25 }, (_, at): Act => {
        const grant = actBy(FOUNDER, { kind: 'grant', as: 0, to: 1, role: 'member', rank: 255 }, [
          CHARTER_ID,
        ]);
        if (grant.body.kind !== 'grant') throw new Error('It is one.');
        return { ...grant, id: actIdOf(`grant ${at}`), body: { ...grant.body, device: madeUp(at) } };
      });
      addAll(graph, grants);
      for (const [at, { id }] of grants.entries()) {
        const room = MAX_MEMBER_ACT_COUNT - 1 - graph.acts.length;
        const acts = chain(OTHER, `${at}`, Math.min(MAX_ACTS_OF_MEMBER - 1, room));
        addAll(
          graph,
          acts.map((act) => ({ ...act, by: madeUp(at), body: { ...act.body, seen: [id] } })),
        );
      }
      expect(graph.add(last)).toHaveLength(1);
      expect(graph.acts).toHaveLength(MAX_MEMBER_ACT_COUNT);
      return graph;
    };
    const [first, second] = [1, 2].map((at) => actBy(4, deed(`last ${at}`), [CHARTER_ID]));
    if (first === undefined || second === undefined) throw new Error('There are two.');
    const [one, two] = [full(first), full(second)];
    const byFounder = actBy(FOUNDER, deed('out'), [first.id]);
    expect(one.add(byFounder)).toHaveLength(1);
    expect(two.add(first)).toEqual([]);
    expect(two.add(byFounder)).toHaveLength(2);
  });
});
