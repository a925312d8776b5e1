// The epochs of a pool, as a pure function of its acts (FORMATS.md, epochs): which of them count, which one
// is current, and whether anybody knows its keys who is no longer in. Devices that have the same acts agree.
//
// Invariant: the current epoch is clean whenever a clean one is among the open ones that a new one would
// follow. So whoever was shut out, and whoever was let in only by those who did not know better, has no keys
// of what is stored once the acts are told. However many epochs a bad admin leaves open, few are looked at.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import { MAX_SEEN_ACTS } from '../../model/limits.ts';
import { has, type PlacedAct } from './act-graph.ts';
import type { ActBody } from './act-body.ts';
import { standingsOf, type Standings } from './standing.ts';

export type EpochAct = PlacedAct & { readonly body: ActBody & { readonly kind: 'epoch' } };

export interface Epochs {
  /** Those that count, besides epoch 0. Each comes after its parents. */
  readonly counting: readonly EpochAct[];
  /** Those that count and that no other that counts follows: what a new one names as its parents. */
  readonly open: readonly EpochAct[];
  /** Undefined is epoch 0, which has no act. */
  readonly current: EpochAct | undefined;
  /** Whether everybody who was ever given the current one's keys is in. */
  readonly isClean: boolean;
}

/** `acts`: all of one graph, with the standings that follow from them. */
export function epochsOf(acts: readonly PlacedAct[], charter: EntryId, standings: Standings): Epochs {
  const numbers = new Map<EntryId, number>();
  const ancestors = new Map<EntryId, bigint>();
  const epochs = acts.flatMap((act) => (isEpoch(act) ? [act] : []));
  const byId = new Map(epochs.map((epoch) => [epoch.id, epoch]));
  for (const epoch of epochs) {
    const parents = epoch.body.parents.flatMap((id) => byId.get(id) ?? []);
    const areSeen = parents.every(({ index }) => has(epoch.past, index));
    const number = 1 + Math.max(0, ...parents.map(({ id }) => numbers.get(id) ?? 0));
    if (!areSeen || parents.length < epoch.body.parents.length || number !== epoch.body.number) continue;
    numbers.set(epoch.id, number);
    const before = parents.map(({ id, index }) => (ancestors.get(id) ?? 0n) | bit(index));
    ancestors.set(epoch.id, before.reduce(union, 0n));
  }
  const counting = epochs.filter(({ id }) => numbers.has(id) && standings.counts(id));
  const followed = counting.map(({ id }) => ancestors.get(id) ?? 0n).reduce(union, 0n);
  const open = counting.filter(({ index }) => !has(followed, index));
  if (open.length === 0)
    return { counting, open, current: undefined, isClean: isFirstClean(acts, charter, standings) };
  const last = lastOf(open);
  const isGone = remembered((device) => standings.of(device) === undefined);
  const clean = last.find((epoch) => isClean(epoch, acts, charter, isGone));
  return { counting, open, current: clean ?? last[0], isClean: clean !== undefined };
}

/**
 * Of epoch 0, as undefined, and of those that count: the ones whose keys only devices have that are in. What
 * is sealed with any other keys may be opened by somebody who was shut out.
 */
export function cleanEpochs(
  acts: readonly PlacedAct[],
  charter: EntryId,
  standings: Standings,
): ReadonlySet<EntryId | undefined> {
  const { counting } = epochsOf(acts, charter, standings);
  const isGone = remembered((device) => standings.of(device) === undefined);
  const clean = new Set<EntryId | undefined>();
  if (isFirstClean(acts, charter, standings)) clean.add(undefined);
  // With everybody in, no epoch needs a closer look: that costs the standings at the time of each.
  const areAllIn = !acts.some(({ names }) => names.some(isGone));
  for (const epoch of counting) if (areAllIn || isClean(epoch, acts, charter, isGone)) clean.add(epoch.id);
  return clean;
}

/**
 * What a new epoch follows, as many as an act can name: those of the greatest numbers. It is numbered after
 * them.
 */
export function nextEpoch({ open }: Epochs): {
  readonly number: number;
  readonly parents: readonly EntryId[];
} {
  const last = lastOf(open);
  return {
    number: 1 + Math.max(0, ...last.map(({ body }) => body.number)),
    parents: last.map(({ id }) => id).toSorted(),
  };
}

/** As many as an act can name as parents: those of the greatest numbers, then of the smallest ids. */
function lastOf(open: readonly EpochAct[]): EpochAct[] {
  return open.toSorted(byRank).slice(0, MAX_SEEN_ACTS);
}

function isEpoch(act: PlacedAct): act is EpochAct {
  return act.body.kind === 'epoch';
}

/** The greatest number first, then the smallest id. */
function byRank(a: EpochAct, b: EpochAct): number {
  return b.body.number - a.body.number || (a.id < b.id ? -1 : 1);
}

/**
 * Whether nobody who is not in now was given the epoch's keys: not by its act, and not afterwards, by a
 * device that took somebody for one of the pool whom the writer of the epoch knew nothing of.
 */
function isClean(
  epoch: EpochAct,
  acts: readonly PlacedAct[],
  charter: EntryId,
  isGone: (device: DeviceId) => boolean,
): boolean {
  const keys = acts.flatMap(({ body, by }) =>
    body.kind === 'epoch-keys' && body.epoch === epoch.id && by === epoch.by ? body.keys : [],
  );
  if ([...epoch.body.keys, ...keys].some(({ device }) => isGone(device))) return false;
  const known = acts.filter(({ index }) => has(epoch.past, index));
  const before = standingsOf(known, charter);
  const wasIn = remembered((device) => before.of(device) !== undefined);
  const hadKeys = (device: DeviceId): boolean => !isGone(device) || wasIn(device);
  return acts.every((act) =>
    act.names.every((device) => {
      if (!isGone(device)) return true;
      if (has(epoch.past, act.index)) return !wasIn(device);
      return !hadKeys(act.by);
    }),
  );
}

/**
 * Of epoch 0: whoever any act let in has its keys. Of a pool that is older than its charter, so does whoever
 * ever had its invite.
 */
function isFirstClean(acts: readonly PlacedAct[], charter: EntryId, standings: Standings): boolean {
  const body = acts.find(({ id }) => id === charter)?.body;
  if (body?.kind === 'charter' && body.members.some(({ point }) => point !== undefined)) return false;
  const isGone = remembered((device) => standings.of(device) === undefined);
  return !acts.some(({ names }) => names.some(isGone));
}

/** Each device is judged once: by many acts about it that takes long, and each of them names it. */
function remembered(judge: (device: DeviceId) => boolean): (device: DeviceId) => boolean {
  const known = new Map<DeviceId, boolean>();
  return (device) => {
    const verdict = known.get(device) ?? judge(device);
    known.set(device, verdict);
    return verdict;
  };
}

function bit(index: number): bigint {
  return 1n << BigInt(index);
}

function union(a: bigint, b: bigint): bigint {
  return a | b;
}
