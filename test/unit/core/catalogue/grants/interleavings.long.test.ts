// All ways in which four devices can act after a pool's charter: each act with every choice of what its
// writer had seen. States that differ only in the order of acts, or in which of the three that the charter
// does not name is which, are visited once. Checked on each way into a state: the order of arrival does not
// matter, nobody gains by his own acts, the founder stays, a device that is out changes nothing by acts that
// pretend not to know, and acts that do not count change nothing. Of acts that their writer had no right to
// by what it had seen, some are tried; the tree goes on with the others, which may count later.

import { expect, it } from 'vitest';
import type { Act } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { NO_RANK, ROLES } from '../../../../../src/core/model/role.ts';
import type { Standing, Standings } from '../../../../../src/core/catalogue/grants/standing.ts';
import type { EntryId } from '../../../../../src/core/model/ids.ts';
import {
  actBy,
  actorAt,
  charter,
  FOUNDER,
  standingsBy,
  type Deed as AnyDeed,
} from '../../../../fixtures/act-world.ts';
import { scaled, scaleNote, timeLimitMs } from '../../../../scale.ts';

const DEVICES = [0, 1, 2, 3];
const OTHER_ORDERS = [
  [0, 1, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 1, 3],
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [0, 3, 2, 1],
];
/**
 * What can be done to a device, as an admin of some rank. Two ranks are given: of two admins one is above the
 * other, or they have one rank.
 */
/** Recovery codes have tests of their own. */
type Deed = AnyDeed & { readonly kind: 'grant' | 'shut-out' | 'take-in' };

const DEEDS: readonly Deed[] = DEVICES.flatMap((device): Deed[] => [
  { kind: 'grant', as: 0, to: device, role: 'admin', rank: 1 },
  { kind: 'grant', as: 0, to: device, role: 'admin', rank: 2 },
  { kind: 'grant', as: 0, to: device, role: 'reader', rank: NO_RANK },
  { kind: 'shut-out', as: 0, whom: device },
]);
/** Of a part that was upgraded apart, whose offer names one of the devices, also one that is out here. */
const TAKE_INS: readonly Deed[] = DEVICES.flatMap((whom): Deed[] => [
  { kind: 'take-in', as: 0, whom, role: 'member' },
  { kind: 'take-in', as: 0, whom, role: 'reader' },
]);
/** Acts after the charter, which is the first of six. */
const DEPTH = scaled(5, 2);
const DEPTH_WITH_PARTS = scaled(4, 2);
/** Of the acts without the right one in so many is tried. */
const REFUSED_PART = 64;

interface Step {
  readonly writer: number;
  readonly deed: Deed;
  /** The acts that its writer had seen, as bits; bit 0 is the charter. */
  readonly past: number;
}

type Steps = readonly Step[];

it(
  `holds over all interleavings of four devices and ${DEPTH + 1} acts, ${scaleNote(2)}`,
  { timeout: timeLimitMs(60_000, 1_200_000) },
  () => {
    expect(explored(DEEDS, DEPTH)).toBeGreaterThan(400);
  },
);

it(
  `holds with parts that are taken in, over ${DEPTH_WITH_PARTS + 1} acts, ${scaleNote(2)}`,
  { timeout: timeLimitMs(60_000, 1_200_000) },
  () => {
    expect(explored([...DEEDS, ...TAKE_INS], DEPTH_WITH_PARTS)).toBeGreaterThan(100);
  },
);

/** Returns how many states there are. */
function explored(deeds: readonly Deed[], depthMax: number): number {
  let layer = new Map<string, Steps>([['', []]]);
  let stateCount = 1;
  let refusedCount = 0;
  let turn = 0;
  for (let depth = 0; depth < depthMax; depth++) {
    const nextLayer = new Map<string, Steps>();
    const seen = new Set<string>();
    for (const steps of layer.values()) {
      const acts = actsOf(steps);
      const now = standingsBy(acts);
      for (const step of successors(steps, acts, deeds)) {
        if (step.isWithoutRight && ++turn % REFUSED_PART !== 0) continue;
        const next = [...steps, step];
        const plainKey = plainKeyOf(next, [0, 1, 2, 3]);
        if (seen.has(plainKey)) continue;
        seen.add(plainKey);
        const key = keyOf(next);
        if (nextLayer.has(key)) continue;
        const isCounting = checkStep(next, now);
        if (isCounting || !step.isWithoutRight) nextLayer.set(key, next);
        else refusedCount += 1;
      }
    }
    layer = nextLayer;
    stateCount += layer.size;
  }
  process.stderr.write(`${stateCount} states, ${refusedCount} acts without the right tried\n`);
  return stateCount;
}

/** Returns whether the last act counts. */
function checkStep(steps: Steps, now: Standings): boolean {
  const acts = actsOf(steps);
  const then = standingsBy(acts);
  const last = acts.at(-1);
  const writer = steps.at(-1)?.writer;
  if (last === undefined || writer === undefined) throw new Error('There is an act.');
  const [before, after] = [levelsOf(now), levelsOf(then)];
  const problems: string[] = [];
  if (String(levelsOf(standingsBy(acts.toReversed()))) !== String(after)) problems.push('the order matters');
  if (after[FOUNDER] !== LEVEL_OF_FOUNDER) problems.push('the founder is not what he was');
  if ((after[writer] ?? 0) > (before[writer] ?? 0)) problems.push('the writer has gained');
  const isTakeIn = last.body.kind === 'take-in';
  // All are of the pool by its charter: nobody comes back, or rises, by what a part says.
  if (isTakeIn && after.some((level, at) => level > (before[at] ?? 0))) problems.push('somebody rose');
  const isCounting = then.counts(last.id);
  const isIdle = !isCounting || before[writer] === 0;
  if (isIdle && String(after) !== String(before)) problems.push('an act without the right has an effect');
  expect(problems, JSON.stringify(steps)).toEqual([]);
  return isCounting;
}

const LEVEL_OF_FOUNDER = 3 + NO_RANK;

/** By device: 0 out, 1 reader, 2 member, then admins, the smaller their rank the higher. */
function levelsOf(standings: Standings): number[] {
  return DEVICES.map((device) => {
    const standing = standings.of(actorAt(device));
    if (standing === undefined) return 0;
    return levelOf(standing);
  });
}

function levelOf({ role, rank }: Standing): number {
  const level = 1 + ROLES.indexOf(role);
  return role === 'admin' ? level + NO_RANK - rank : level;
}

/** Every act by anybody, with every choice of what its writer had seen, and whether he had no right to it. */
function* successors(
  steps: Steps,
  acts: readonly Act[],
  deeds: readonly Deed[],
): Generator<Step & { readonly isWithoutRight: boolean }> {
  const judged = new Map<number, Standings>();
  for (const writer of DEVICES) {
    for (const past of pastsFor(steps, writer)) {
      const by = judged.get(past) ?? standingsBy(acts.filter((_, index) => has(past, index)));
      judged.set(past, by);
      const own = by.of(actorAt(writer));
      for (const each of deeds) {
        // Who is no admin claims to be one.
        const deed = { ...each, as: own?.role === 'admin' ? own.rank : 1 };
        yield { writer, deed, past, isWithoutRight: !mayDo(by, writer, deed) };
      }
    }
  }
}

function mayDo(standings: Standings, writer: number, deed: Deed): boolean {
  const own = standings.of(actorAt(writer));
  if (deed.kind === 'take-in') return own?.role === 'admin' && own.rank === 0;
  const other = standings.of(actorAt(deed.kind === 'grant' ? deed.to : deed.whom));
  if (own?.role !== 'admin' || own.rank >= (other?.rank ?? NO_RANK)) return false;
  // What is given to a device that is out counts, and has no effect.
  return deed.kind === 'shut-out' || own.rank < deed.rank;
}

/** Sets of acts that have all that their acts had seen, the charter, and all that the writer wrote. */
function pastsFor(steps: Steps, writer: number): number[] {
  const pasts = [0, ...steps.map(({ past }) => past)];
  const own = steps.reduce((known, step, at) => (step.writer === writer ? known | (2 << at) : known), 1);
  const found: number[] = [];
  for (let set = 1; set < 1 << pasts.length; set += 2) {
    const isWhole = pasts.every((past, index) => !has(set, index) || (past & ~set) === 0);
    if (isWhole && (own & ~set) === 0) found.push(set);
  }
  return found;
}

function actsOf(steps: Steps): Act[] {
  const acts = [charter()];
  const pasts = [0, ...steps.map(({ past }) => past)];
  for (const { writer, deed, past } of steps) acts.push(actBy(writer, deed, headsOf(past, pasts, acts)));
  return acts;
}

/** Those of `past` that none of the others had seen. */
function headsOf(past: number, pasts: readonly number[], acts: readonly Act[]): EntryId[] {
  const seen = acts.reduce((all, _, index) => (has(past, index) ? all | (pasts[index] ?? 0) : all), 0);
  return acts.flatMap(({ id }, index) => (has(past & ~seen, index) ? [id] : []));
}

/** Equal for states that differ in the order of their acts, or by which device is which. */
function keyOf(steps: Steps): string {
  return OTHER_ORDERS.map((order) => plainKeyOf(steps, order)).toSorted()[0] ?? '';
}

/** Equal for states that differ in the order of their acts; `order`: by device, how it is called. */
function plainKeyOf(steps: Steps, order: readonly number[]): string {
  const names: number[] = [nameOf('charter')];
  for (const { writer, deed, past } of steps) {
    const whom = deed.kind === 'grant' ? deed.to : deed.whom;
    const what = deed.kind === 'grant' ? deed.rank : deed.kind === 'take-in' ? deed.role : 'out';
    const seen = names.filter((_, index) => has(past, index)).toSorted((a, b) => a - b);
    names.push(nameOf(`${order[writer]} ${deed.as} ${what} ${order[whom]} ${seen.join()}`));
  }
  return names.toSorted((a, b) => a - b).join();
}

const names = new Map<string, number>();

/** A number for a text: the same for the same one. */
function nameOf(text: string): number {
  const name = names.get(text) ?? names.size;
  names.set(text, name);
  return name;
}

function has(set: number, index: number): boolean {
  return (set & (1 << index)) !== 0;
}
