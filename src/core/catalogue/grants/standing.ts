// Who is what in a pool, as a pure function of its acts (FORMATS.md, trust). No order of arrival, no clock
// and no majority is asked, so devices that have the same acts agree.
//
// Every act says the rank that its writer had. An admin acts only on devices of a greater rank, and gives
// only greater ranks: the right to an act of rank r, and what takes it away, come from acts of smaller ranks
// alone. So acts are judged rank by rank, and no circle can arise, however they were written side by side:
// nobody lifts himself, no two devices can shut each other out, and what a device did while an admin above
// it shut it out is void, with all that others built on it.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import { NO_RANK, ROLES, type Role } from '../../model/role.ts';
import { has, isBefore, type PlacedAct } from './act-graph.ts';

export interface Standing {
  readonly role: Role;
  /** 0 for the founder; an admin may act on devices of greater ranks. NO_RANK for all but admins. */
  readonly rank: number;
}

export interface Standings {
  /** Undefined for a device that was shut out. One that was given nothing is a member. */
  of(device: DeviceId): Standing | undefined;
  /** Whether an act counts. */
  counts(act: EntryId): boolean;
}

const MEMBER: Standing = { role: 'member', rank: NO_RANK };

/**
 * `acts`: of one graph. `charter`: the act that the pool begins with; others of its kind count for nothing.
 */
export function standingsOf(acts: readonly PlacedAct[], charter: EntryId): Standings {
  const judge = new Judge(charter);
  for (const act of acts.toSorted((a, b) => rankOf(a) - rankOf(b))) judge.judge(act);
  return judge;
}

/** A role, and the act that gives it. */
interface Gift {
  readonly act: PlacedAct;
  readonly gives: Standing;
}

/** The acts that count so far, of no greater ranks than the next. */
class Judge implements Standings {
  readonly #charter: EntryId;
  readonly #counting = new Set<EntryId>();
  /** By the device that they name, in no particular order. */
  readonly #gifts = new Map<DeviceId, Gift[]>();
  readonly #outs = new Map<DeviceId, PlacedAct[]>();

  constructor(charter: EntryId) {
    this.#charter = charter;
  }

  of(device: DeviceId): Standing | undefined {
    const gifts = this.#gifts.get(device) ?? [];
    const isOut = (this.#outs.get(device) ?? []).some((out) => !isTakenBack(out, gifts));
    return isOut ? undefined : leastOf(gifts);
  }

  counts(act: EntryId): boolean {
    return this.#counting.has(act);
  }

  /** Takes an act whose rank is not smaller than that of any before. */
  judge(act: PlacedAct): void {
    if (!this.#mayCount(act)) return;
    this.#counting.add(act.id);
    const { body } = act;
    if (body.kind === 'shut-out') append(this.#outs, body.device, act);
    else if (body.kind === 'grant') append(this.#gifts, body.device, { act, gives: body });
    else append(this.#gifts, act.by, { act, gives: { role: 'admin', rank: 0 } });
  }

  #mayCount(act: PlacedAct): boolean {
    const { body } = act;
    if (body.kind === 'charter') return act.id === this.#charter;
    if (body.kind === 'grant' && body.rank <= body.as) return false;
    return this.#hasRight(act, body.as) && this.#isBelow(act, body.device, body.as);
  }

  /**
   * Whether the writer was an admin of that rank by what it had seen, and nobody above took that away
   * meanwhile.
   */
  #hasRight(act: PlacedAct, rank: number): boolean {
    const gifts = this.#gifts.get(act.by) ?? [];
    const seen = gifts.filter((gift) => isBefore(gift.act, act));
    for (const out of this.#outs.get(act.by) ?? []) {
      if (isUndoing(out, act) || (!isBefore(act, out) && !isTakenBack(out, seen))) return false;
    }
    const own = leastOf(seen);
    if (own.role !== 'admin' || own.rank !== rank) return false;
    return !gifts.some((gift) => isBeside(gift.act, act) && isLess(gift.gives, own));
  }

  /**
   * Whether everything that the device was given is of a greater rank: also what it was given without the
   * writer's knowledge, but not what another gift that the writer had seen replaced.
   */
  #isBelow(act: PlacedAct, device: DeviceId, rank: number): boolean {
    const gifts = (this.#gifts.get(device) ?? []).filter((gift) => !isBefore(act, gift.act));
    const replaced = replacedBy(gifts.filter((gift) => isBefore(gift.act, act)));
    return gifts.every(({ act: { index }, gives }) => gives.rank > rank || has(replaced, index));
  }
}

/**
 * Whether an admin of no greater rank than the one who shut the device out has seen that, and gave it a
 * role.
 */
function isTakenBack(out: PlacedAct, gifts: readonly Gift[]): boolean {
  return gifts.some(({ act }) => rankOf(act) <= rankOf(out) && isBefore(out, act));
}

/** The acts that those of `gifts` had seen, as bits. */
function replacedBy(gifts: readonly Gift[]): bigint {
  return gifts.reduce((seen, { act }) => seen | act.past, 0n);
}

/** Of those that none of the others had seen the least. */
function leastOf(gifts: readonly Gift[]): Standing {
  const replaced = replacedBy(gifts);
  const last = gifts.flatMap(({ act, gives }) => (has(replaced, act.index) ? [] : gives));
  const [first = MEMBER, ...others] = last;
  const { role, rank } = others.reduce<Standing>(
    (least, each) => (isLess(each, least) ? each : least),
    first,
  );
  return { role, rank };
}

function isLess(a: Standing, b: Standing): boolean {
  return a.role === b.role ? a.rank > b.rank : ROLES.indexOf(a.role) < ROLES.indexOf(b.role);
}

function rankOf({ body }: PlacedAct): number {
  return body.kind === 'charter' ? -1 : body.as;
}

function isBeside(a: PlacedAct, b: PlacedAct): boolean {
  return a !== b && !isBefore(a, b) && !isBefore(b, a);
}

function isUndoing({ body }: PlacedAct, act: PlacedAct): boolean {
  return body.kind === 'shut-out' && body.undone.includes(act.id);
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
