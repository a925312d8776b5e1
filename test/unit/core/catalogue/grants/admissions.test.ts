// Admissions, withdrawals, grants and shut-outs by devices that are apart, in made-up pools: whatever arrives
// first, the state is one; nobody gains by what he wrote himself; and who is not in lets nobody in.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ActBody, AdmitTerms, TakenPart } from '../../../../../src/core/catalogue/grants/act-body.ts';
import type { Act } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { ActGraph, headsOf } from '../../../../../src/core/catalogue/grants/act-graph.ts';
import { standingsOf, type Standings } from '../../../../../src/core/catalogue/grants/standing.ts';
import type { EntryId } from '../../../../../src/core/model/ids.ts';
import { NO_RANK, ROLES } from '../../../../../src/core/model/role.ts';
import { actIdOf, actorAt, charter, CHARTER_ID, FOUNDER, takenBy } from '../../../../fixtures/act-world.ts';
import { itemAt } from '../../../../fixtures/pool-fixture.ts';

/** The founder, four members whom the charter names, and newcomers. */
const DEVICE_COUNT = 8;
const DEVICES = Array.from({ length: DEVICE_COUNT }, (_, index) => index);
const OFFERED = ['member', 'reader'] as const;
const EXCHANGE = new Uint8Array(0) as never; // never looked at here

interface Step {
  readonly writer: number;
  readonly kind: 'grant' | 'shut-out' | 'keep' | 'admit' | 'withdraw' | 'merge' | 'take-in';
  readonly other: number;
  readonly role: number;
  /** Which of the acts before it its writer knew; what these had seen is known too. */
  readonly known: readonly boolean[];
  readonly invite: number;
  readonly isInTime: boolean;
}

const STEPS = fc.array(
  fc.record({
    writer: fc.nat(DEVICE_COUNT - 1),
    kind: fc.constantFrom(
      'grant',
      'grant',
      'shut-out',
      'keep',
      'admit',
      'admit',
      'withdraw',
      'merge',
      'take-in',
    ),
    other: fc.nat(DEVICE_COUNT - 1),
    role: fc.nat(2),
    known: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    invite: fc.nat(1),
    isInTime: fc.boolean(),
  }) satisfies fc.Arbitrary<Step>,
  { minLength: 2, maxLength: 12 },
);

/**
 * Acts of devices that claim the rank that they have by what they say to know, be it less than they wrote.
 */
function actsOf(steps: readonly Step[]): Act[] {
  const acts = [charter()];
  for (const [at, step] of steps.entries()) {
    const graph = graphOf(acts.filter((_, index) => index === 0 || step.known[index - 1] === true));
    const standings = standingsOf(graph.acts, CHARTER_ID);
    const seen = headsOf(graph.acts).map(({ id }) => id);
    const as = standings.of(actorAt(step.writer))?.rank ?? NO_RANK;
    const { body, terms, takesIn } = saidIn(step, as === NO_RANK ? 1 : as, seen);
    const id = actIdOf(`made up ${at} ${JSON.stringify(step)} ${seen.join()}`);
    acts.push({ id, by: actorAt(step.writer), seq: 1, prev: undefined, body, terms, takesIn, units: 1 });
  }
  return acts;
}

function saidIn(
  { kind, other, role, invite, isInTime, writer }: Step,
  as: number,
  seen: readonly EntryId[],
): { readonly body: ActBody; readonly terms?: AdmitTerms; readonly takesIn?: TakenPart } {
  const device = actorAt(other);
  const inviteKey = new Uint8Array(32).fill(invite);
  switch (kind) {
    case 'grant': {
      const given = itemAt(ROLES, role);
      const rank = given === 'admin' ? Math.min(as + 1, NO_RANK - 1) : NO_RANK;
      return { body: { kind, seen, as, device, role: given, rank, after: undefined } };
    }
    case 'shut-out':
      return { body: { kind, seen, as, device, last: undefined, undone: [], reason: '' } };
    case 'keep':
      return { body: { kind, seen, as, device, last: undefined } };
    case 'withdraw':
      return { body: { kind, seen, as, invite: inviteKey } };
    case 'merge':
      return { body: { kind, seen } };
    case 'take-in': {
      const whom = { kind, as: 0, whom: other, role: OFFERED[role] } as const;
      // Of those who are no founder, the device claims to be one.
      return { body: { kind, seen, as: 0, offer: new Uint8Array(1) }, takesIn: takenBy(whom) };
    }
    case 'admit': {
      const none = new Uint8Array(0);
      const body: ActBody = {
        kind,
        seen,
        ticket: none,
        key: none,
        exchange: EXCHANGE,
        proof: none,
        consent: none,
      };
      // Of the two invites one is the founder's, the other was made by whoever uses it.
      const issuer = actorAt(invite === 0 ? FOUNDER : writer);
      const terms = { device, role: itemAt(ROLES, role), issuer, charter: CHARTER_ID, uses: 2, isInTime };
      return { body, terms: { ...terms, invite: '00'.repeat(32).replaceAll('0', String(invite)) } };
    }
  }
}

function graphOf(acts: readonly Act[]): ActGraph {
  const graph = new ActGraph(CHARTER_ID);
  for (const act of acts) graph.add(act);
  return graph;
}

function by(acts: readonly Act[]): Standings {
  return standingsOf(graphOf(acts).acts, CHARTER_ID);
}

/** By device: nothing for who is not in, then by role, then admins by rank. */
function levelsOf(standings: Standings): number[] {
  return DEVICES.map((device) => {
    const own = standings.of(actorAt(device));
    return own === undefined ? 0 : 1 + ROLES.indexOf(own.role) + NO_RANK - own.rank;
  });
}

it('merge to one state, whatever arrives first', () => {
  fc.assert(
    fc.property(STEPS, fc.func(fc.nat()), (steps, order) => {
      const acts = actsOf(steps);
      const shuffled = acts.toSorted((a, b) => order(a.id) - order(b.id));
      const [one, other] = [by(acts), by(shuffled)];
      expect(levelsOf(other)).toEqual(levelsOf(one));
      for (const { id } of acts) expect(other.counts(id)).toBe(one.counts(id));
    }),
    { numRuns: 500 },
  );
});

it('give nobody anything by acts of his own, and nothing at all by acts of who is not in', () => {
  fc.assert(
    fc.property(STEPS, (steps) => {
      const acts = actsOf(steps);
      const last = itemAt(acts, acts.length - 1);
      const writer = itemAt(steps, steps.length - 1).writer;
      const [before, after] = [levelsOf(by(acts.slice(0, -1))), levelsOf(by(acts))];
      expect(after[writer]).toBeLessThanOrEqual(itemAt(before, writer));
      expect(after[FOUNDER]).toBe(before[FOUNDER]);
      if (before[writer] === 0 || !by(acts).counts(last.id)) expect(after).toEqual(before);
      // Whoever came in or rose did so by an admin's grant, or by an invite.
      const { body } = last;
      const risen = DEVICES.filter((device) => itemAt(after, device) > itemAt(before, device));
      if (risen.length > 0) expect(['grant', 'admit', 'take-in']).toContain(body.kind);
      if (body.kind === 'take-in')
        expect(risen.every((device) => !by(acts.slice(0, -1)).outsOf(actorAt(device)).length)).toBe(true);
      if (body.kind !== 'grant') expect(risen.every((device) => itemAt(after, device) <= 2)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
