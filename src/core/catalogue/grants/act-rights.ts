// What the entries of logs may do by a pool's acts (FORMATS.md, who is what). The entries of a device fall
// into those before the point of an act and those after it, so a role that is taken away does not undo what
// its device did before.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import { NO_RANK } from '../../model/role.ts';
import type { DeviceLog } from '../device-log.ts';
import type { Counting, EntryRights } from '../entry-rights.ts';
import type { PackedEntry } from '../packed-entry.ts';
import type { LogPoint, LogStretch } from './act-body.ts';
import type { ActSet } from './act-set.ts';
import type { PlacedAct } from './act-graph.ts';
import { leastOf, type Gift, type Standing } from './standing.ts';

const AS_RIGHT: Readonly<Record<LogStretch['right'], Standing | undefined>> = {
  admin: { role: 'admin', rank: 0 },
  member: { role: 'member', rank: NO_RANK },
  none: undefined,
};

const NO_POINTS: ReadonlySet<EntryId> = new Set();

interface DeviceRights {
  /** Tells whether they are the same as before. */
  readonly signature: string;
  readonly gifts: readonly Gift[];
  readonly admits: readonly Gift[];
  readonly outs: readonly (LogPoint | undefined)[];
  readonly keeps: readonly (LogPoint | undefined)[];
  /** Up to here it wrote in an old pool, before there were roles. */
  readonly befores: readonly LogPoint[];
  /** What counts of its log as of a part that was taken in. */
  readonly stretches: readonly (readonly LogStretch[])[];
  readonly points: ReadonlySet<EntryId>;
  /** What all entries have, if no act has a point. */
  readonly standing: Standing | undefined;
}

export class ActRights implements EntryRights {
  readonly #acts: ActSet;
  #digest: string | undefined;
  readonly #devices = new Map<DeviceId, DeviceRights>();

  constructor(acts: ActSet) {
    this.#acts = acts;
  }

  isIn(device: DeviceId): boolean {
    return !this.#acts.isObeyed || this.#acts.isIn(device);
  }

  isOut(device: DeviceId): boolean {
    return this.#acts.isObeyed && this.#acts.isOut(device);
  }

  isKnown(device: DeviceId): boolean {
    return !this.#acts.isObeyed || this.#acts.members().has(device);
  }

  pointsOf(device: DeviceId): ReadonlySet<EntryId> {
    return this.#acts.isObeyed ? this.#rightsOf(device).points : NO_POINTS;
  }

  countingOf(entry: PackedEntry, log: DeviceLog): Counting {
    if (!this.#acts.isObeyed) return 'all';
    const rights = this.#rightsOf(entry.deviceId);
    if (rights.befores.some((point) => log.isUpTo(entry, point))) return 'all';
    const taken = takenCounting(entry, log, rights.stretches);
    if (!isWithin(entry, log, rights)) return taken;
    return mostOf(taken, countingAs(rights.standing ?? standingAt(entry, log, rights), entry.kind));
  }

  /** What the entry counts as where it is an admin's, a member's, or nobody's. */
  rightAt(entry: PackedEntry, log: DeviceLog): LogStretch['right'] {
    const rights = this.#rightsOf(entry.deviceId);
    if (rights.befores.some((point) => log.isUpTo(entry, point))) return 'admin';
    const within = isWithin(entry, log, rights) ? standingAt(entry, log, rights) : undefined;
    return mostRight([...takenRights(entry, log, rights.stretches), rightOf(within)]);
  }

  /** Devices whose rights may have changed since the last call. */
  takeChanged(): DeviceId[] {
    const before = new Map(this.#devices);
    this.#devices.clear();
    this.#digest = this.#acts.digest();
    const named = new Set([...before.keys(), ...this.#acts.members()]);
    return [...named].filter((device) => before.get(device)?.signature !== this.#rightsOf(device).signature);
  }

  #rightsOf(device: DeviceId): DeviceRights {
    if (this.#digest !== this.#acts.digest()) this.#devices.clear();
    this.#digest = this.#acts.digest();
    const known = this.#devices.get(device) ?? rightsBy(this.#acts, device);
    this.#devices.set(device, known);
    return known;
  }
}

function rightsBy({ standings }: ActSet, device: DeviceId): DeviceRights {
  const { gifts, admits } = standings.giftsOf(device);
  const outs = standings.outsOf(device);
  const keeps = outs.length > 0 ? standings.keepsOf(device) : [];
  const ends = outs.map((out) => lastOf(out, device));
  const lasts = keeps.map((keep) => lastOf(keep, device));
  const afters = gifts.map(afterOf);
  const befores = gifts.flatMap((gift) => beforeOf(gift, device) ?? []);
  const stretches = standings.stretchesOf(device);
  const within = stretches.flatMap((each) => each.map(({ point }) => point));
  const hasAfter = afters.some((point) => point !== undefined);
  return {
    signature: [gifts, admits]
      .flatMap((list) => list.map(({ act }) => act))
      .concat(outs, keeps)
      .map(idOf)
      .concat(within.map((point) => point.entry))
      .join(),
    gifts,
    admits,
    outs: ends,
    keeps: lasts,
    befores,
    stretches,
    points: new Set(
      [...ends, ...lasts, ...afters, ...befores, ...within].flatMap((point) => point?.entry ?? []),
    ),
    standing: hasAfter ? undefined : leastOfAll(gifts, admits),
  };
}

/** Whether what the device wrote there counts although it was shut out, if it was. */
function isWithin(entry: PackedEntry, log: DeviceLog, { outs, keeps }: DeviceRights): boolean {
  if (outs.length === 0) return true;
  const isUpTo = (point: LogPoint | undefined): boolean => point !== undefined && log.isUpTo(entry, point);
  return isGiving(entry.kind) ? [...outs, ...keeps].some(isUpTo) : outs.every(isUpTo);
}

/** By each take-in that says something of the entry. */
function takenRights(
  entry: PackedEntry,
  log: DeviceLog,
  stretches: DeviceRights['stretches'],
): LogStretch['right'][] {
  return stretches.flatMap((each) => each.find(({ point }) => log.isUpTo(entry, point))?.right ?? []);
}

/** As the most that one of them says. The pool's own settings are no matter of a part. */
function takenCounting(entry: PackedEntry, log: DeviceLog, stretches: DeviceRights['stretches']): Counting {
  if (stretches.length === 0 || isOfPool(entry.kind)) return 'none';
  return countingAs(AS_RIGHT[mostRight(takenRights(entry, log, stretches))], entry.kind);
}

function mostRight(rights: readonly LogStretch['right'][]): LogStretch['right'] {
  return (['admin', 'member'] as const).find((right) => rights.includes(right)) ?? 'none';
}

function rightOf(standing: Standing | undefined): LogStretch['right'] {
  if (standing === undefined || standing.role === 'reader') return 'none';
  return standing.role;
}

function mostOf(one: Counting, other: Counting): Counting {
  if (one === 'all' || other === 'all') return 'all';
  return one === 'own' || other === 'own' ? 'own' : 'none';
}

function isOfPool(kind: PackedEntry['kind']): boolean {
  return kind === 'pool' || kind === 'policy' || kind === 'live-invite';
}

/** What others lose if it does not count. */
function isGiving(kind: PackedEntry['kind']): boolean {
  return kind === 'file' || kind === 'name' || kind === 'profile';
}

function standingAt(
  entry: PackedEntry,
  log: DeviceLog,
  { gifts, admits }: DeviceRights,
): Standing | undefined {
  const applying = gifts.filter((gift) => {
    const after = afterOf(gift);
    return after === undefined || !log.isUpTo(entry, after);
  });
  return leastOfAll(applying, admits);
}

function leastOfAll(gifts: readonly Gift[], admits: readonly Gift[]): Standing | undefined {
  if (gifts.length > 0) return leastOf(gifts);
  return (admits.find(({ gives }) => gives.role === 'reader') ?? admits[0])?.gives;
}

function countingAs(standing: Standing | undefined, kind: PackedEntry['kind']): Counting {
  if (standing === undefined) return 'none';
  const isAdmin = standing.rank < NO_RANK;
  switch (kind) {
    case 'profile':
    case 'leave':
    case 'unknown':
      return 'all';
    case 'file':
    case 'name':
      return standing.role === 'reader' ? 'none' : 'all';
    case 'remove':
    case 'unname':
      if (isAdmin) return 'all';
      return standing.role === 'reader' ? 'none' : 'own';
    case 'pool':
    case 'policy':
    case 'live-invite':
      return isAdmin ? 'all' : 'none';
  }
}

function beforeOf({ act: { body } }: Gift, device: DeviceId): LogPoint | undefined {
  return body.kind === 'charter' ? body.members.find((member) => member.device === device)?.point : undefined;
}

function afterOf({ act: { body } }: Gift): LogPoint | undefined {
  return body.kind === 'grant' || body.kind === 'recover' ? body.after : undefined;
}

function lastOf({ body }: PlacedAct, device: DeviceId): LogPoint | undefined {
  if (body.kind === 'recover') return body.out.find((out) => out.device === device)?.last;
  return body.kind === 'shut-out' || body.kind === 'keep' ? body.last : undefined;
}

function idOf({ id }: PlacedAct): string {
  return id;
}
