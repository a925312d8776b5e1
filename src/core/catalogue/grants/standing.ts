// Who is what in a pool, as a pure function of its acts (FORMATS.md, trust). No order of arrival, no clock
// and no majority is asked, so devices that have the same acts agree.
//
// Every act says the rank that its writer had. An admin acts only on devices of a greater rank, and gives
// only greater ranks: the right to an act of rank r, and what takes it away, come from acts of smaller ranks
// alone. So acts are judged rank by rank, and no circle can arise, however they were written side by side:
// nobody lifts himself, no two devices can shut each other out, and what a device did while an admin above
// it shut it out is void, with all that others built on it.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import { hexOf } from '../../model/bytes.ts';
import { NO_RANK, ROLES, type Role } from '../../model/role.ts';
import type { AdmitTerms, TakenPart, LogStretch } from './act-body.ts';
import { has, isBefore, isBeside, type PlacedAct } from './act-graph.ts';
import { countingRecovers } from './recovers.ts';

export interface Standing {
  readonly role: Role;
  /** 0 for the founder; an admin may act on devices of greater ranks. NO_RANK for all but admins. */
  readonly rank: number;
}

export interface Standings {
  /** Undefined for a device that was shut out, and for one that was given nothing. */
  of(device: DeviceId): Standing | undefined;
  /** The shut-outs of a device that is out, in the order of the acts; none for others. */
  outsOf(device: DeviceId): readonly PlacedAct[];
  /** What gives the device a role, whether it is out or not. Admits count only where nothing else does. */
  giftsOf(device: DeviceId): { readonly gifts: readonly Gift[]; readonly admits: readonly Gift[] };
  keepsOf(device: DeviceId): readonly PlacedAct[];
  /** What counts of its log as of a part of the pool that was taken in, by each take-in. */
  stretchesOf(device: DeviceId): readonly (readonly LogStretch[])[];
  /** Whether an act counts. */
  counts(act: EntryId): boolean;
}

const MEMBER: Standing = { role: 'member', rank: NO_RANK };
const READER: Standing = { role: 'reader', rank: NO_RANK };

/**
 * `acts`: of one graph. `charter`: the act that the pool begins with; others of its kind count for nothing.
 */
export function standingsOf(acts: readonly PlacedAct[], charter: EntryId): Standings {
  const judge = new Judge(charter, acts);
  for (const act of acts.toSorted((a, b) => rankOf(a) - rankOf(b))) judge.judge(act);
  return judge;
}

/** A role, and the act that gives it. */
export interface Gift {
  readonly act: PlacedAct;
  readonly gives: Standing;
}

/** The acts that count so far, of no greater ranks than the next. */
class Judge implements Standings {
  readonly #charter: EntryId;
  readonly #acts: readonly PlacedAct[];
  readonly #recovers: ReadonlySet<EntryId>;
  readonly #counting = new Set<EntryId>();
  /** By the device that they name, in no particular order. */
  readonly #gifts = new Map<DeviceId, Gift[]>();
  readonly #outs = new Map<DeviceId, PlacedAct[]>();
  readonly #keeps = new Map<DeviceId, PlacedAct[]>();
  readonly #admits = new Map<DeviceId, Gift[]>();
  readonly #stretches = new Map<DeviceId, (readonly LogStretch[])[]>();
  /** By invite. */
  readonly #withdrawals = new Map<string, PlacedAct[]>();
  /** By invite, whether they count or not. */
  readonly #admitsWith = new Map<string, PlacedAct[]>();

  constructor(charter: EntryId, acts: readonly PlacedAct[]) {
    this.#charter = charter;
    this.#acts = acts;
    this.#recovers = countingRecovers(acts, charter);
    for (const act of acts) if (act.terms !== undefined) append(this.#admitsWith, act.terms.invite, act);
  }

  of(device: DeviceId): Standing | undefined {
    const gifts = this.#gifts.get(device) ?? [];
    return this.outsOf(device).length > 0 ? undefined : this.#leastOf(device, gifts, () => true);
  }

  outsOf(device: DeviceId): readonly PlacedAct[] {
    const gifts = this.#gifts.get(device) ?? [];
    return (this.#outs.get(device) ?? []).filter((out) => !isTakenBack(out, gifts));
  }

  giftsOf(device: DeviceId): { readonly gifts: readonly Gift[]; readonly admits: readonly Gift[] } {
    return { gifts: this.#gifts.get(device) ?? [], admits: this.#admits.get(device) ?? [] };
  }

  keepsOf(device: DeviceId): readonly PlacedAct[] {
    return this.#keeps.get(device) ?? [];
  }

  stretchesOf(device: DeviceId): readonly (readonly LogStretch[])[] {
    return this.#stretches.get(device) ?? [];
  }

  counts(act: EntryId): boolean {
    return this.#counting.has(act);
  }

  /** Takes an act whose rank is not smaller than that of any before. */
  judge(act: PlacedAct): void {
    if (!this.#mayCount(act)) return;
    this.#counting.add(act.id);
    const { body } = act;
    switch (body.kind) {
      case 'charter':
        append(this.#gifts, act.by, { act, gives: { role: 'admin', rank: 0 } });
        for (const { device } of body.members) append(this.#gifts, device, { act, gives: MEMBER });
        break;
      case 'grant':
        append(this.#gifts, body.device, { act, gives: body });
        break;
      case 'shut-out':
        append(this.#outs, body.device, act);
        break;
      case 'keep':
        append(this.#keeps, body.device, act);
        break;
      case 'recover':
        append(this.#gifts, body.admin, { act, gives: { role: 'admin', rank: 0 } });
        for (const { device } of body.out) append(this.#outs, device, act);
        break;
      case 'withdraw':
        append(this.#withdrawals, hexOf(body.invite), act);
        break;
      case 'admit':
        if (act.terms !== undefined) this.#admit(act, act.terms);
        break;
      case 'take-in':
        if (act.takesIn !== undefined) this.#takeIn(act, act.takesIn);
        break;
      case 'epoch':
      case 'epoch-keys':
      case 'exchange':
      case 'code':
      case 'offer':
      case 'merge':
      case 'unknown':
        break;
    }
  }

  #admit(act: PlacedAct, { device, role }: AdmitTerms): void {
    append(this.#admits, device, { act, gives: role === 'reader' ? READER : MEMBER });
  }

  /**
   * Of the part that is taken in. Who wrote an act of this pool before, or came by an invite to it, is of
   * this pool: nobody says what its log may do. A member is given a role like by an admit, so all else that
   * was ever said of it stays.
   */
  #takeIn(act: PlacedAct, { members }: TakenPart): void {
    const before = this.#acts.filter((other) => isBefore(other, act));
    // An admit of the part, written here again, says nothing of this pool.
    const cameBy = ({ terms }: PlacedAct): DeviceId[] =>
      terms?.charter === this.#charter ? [terms.device] : [];
    const own = new Set(before.flatMap((other) => [other.by, ...cameBy(other)]));
    for (const { device, role, stretches } of members) {
      if (own.has(device) || device === act.by) continue;
      append(this.#stretches, device, stretches);
      if (role === 'reader') append(this.#gifts, device, { act, gives: READER });
      if (role === 'member') append(this.#admits, device, { act, gives: MEMBER });
    }
  }

  #mayCount(act: PlacedAct): boolean {
    const { body, by } = act;
    switch (body.kind) {
      case 'charter':
        return act.id === this.#charter;
      case 'grant':
        return (
          body.rank > body.as && this.#isAdmin(by, act, body.as) && this.#isBelow(act, body.device, body.as)
        );
      case 'shut-out':
      case 'keep':
        return this.#isAdmin(by, act, body.as) && this.#isBelow(act, body.device, body.as);
      case 'withdraw':
      case 'epoch':
        return this.#isAdmin(by, act, body.as);
      case 'take-in':
        return act.takesIn?.charter === this.#charter && body.as === 0 && this.#isAdmin(by, act, 0);
      case 'offer':
        return body.from === this.#charter && body.as === 0 && this.#isAdmin(by, act, 0);
      case 'code':
        return body.as === 0 && this.#isAdmin(by, act, 0);
      case 'admit':
        return act.terms !== undefined && this.#mayAdmit(act, act.terms);
      case 'epoch-keys':
      case 'exchange':
      case 'merge':
      case 'unknown':
        return this.#rightOf(by, act) !== undefined;
      case 'recover':
        return this.#recovers.has(act.id);
    }
  }

  #isAdmin(device: DeviceId, act: PlacedAct, rank: number): boolean {
    const own = this.#rightOf(device, act);
    return own?.role === 'admin' && own.rank === rank;
  }

  /**
   * What a device was by what the writer of `act` had seen; undefined if it was nothing, and if somebody
   * above took that away without having seen the act.
   */
  #rightOf(device: DeviceId, act: PlacedAct): Standing | undefined {
    const gifts = this.#gifts.get(device) ?? [];
    const seen = gifts.filter((gift) => isBefore(gift.act, act));
    for (const out of this.#outs.get(device) ?? []) {
      if (isUndoing(out, device, act) || (!isBefore(act, out) && !isTakenBack(out, seen))) return undefined;
    }
    const own = this.#leastOf(device, seen, (admit) => isBefore(admit, act));
    if (own === undefined) return undefined;
    return gifts.some((gift) => isBeside(gift.act, act) && isLess(gift.gives, own)) ? undefined : own;
  }

  /** The least of what grants give; where there are none, of what admits give. */
  #leastOf(
    device: DeviceId,
    gifts: readonly Gift[],
    isSeen: (admit: PlacedAct) => boolean,
  ): Standing | undefined {
    if (gifts.length > 0) return leastOf(gifts);
    const admits = (this.#admits.get(device) ?? []).filter(({ act }) => isSeen(act));
    const [first] = admits;
    return first && { ...(admits.find(({ gives }) => gives.role === 'reader') ?? first).gives };
  }

  /**
   * Whether writer and issuer were what they must be, nobody withdrew the invite without having seen this, it
   * was in time, and the invite still had a use by what the writer had seen.
   */
  #mayAdmit(act: PlacedAct, terms: AdmitTerms): boolean {
    if (terms.charter !== this.#charter) return false;
    const writer = this.#rightOf(act.by, act);
    const issuer = this.#rightOf(terms.issuer, act);
    if (writer === undefined || writer.role === 'reader' || issuer?.role !== 'admin') return false;
    const isWithdrawn = (this.#withdrawals.get(terms.invite) ?? []).some(
      (withdrawal) =>
        !isBefore(act, withdrawal) && (withdrawal.by === terms.issuer || rankOf(withdrawal) < issuer.rank),
    );
    return !isWithdrawn && terms.isInTime && this.#usesBefore(act, terms) < terms.uses;
  }

  /**
   * Other newcomers that the invite admitted by acts that the writer had seen. Of a writer that forked its
   * acts, those with smaller ids come first.
   */
  #usesBefore(act: PlacedAct, { invite, device }: AdmitTerms): number {
    const before = (this.#admitsWith.get(invite) ?? []).filter(
      (other) => isBefore(other, act) || (isBeside(other, act) && other.by === act.by && other.id < act.id),
    );
    const admitted = new Set(before.flatMap(({ terms }) => terms?.device ?? []));
    admitted.delete(device);
    return admitted.size;
  }

  /**
   * Whether everything that the device was given is of a greater rank: also what it was given without the
   * writer's knowledge, but not what another gift that the writer had seen replaced, or a recovery ended.
   */
  #isBelow(act: PlacedAct, device: DeviceId, rank: number): boolean {
    const gifts = (this.#gifts.get(device) ?? []).filter((gift) => !isBefore(act, gift.act));
    const ends = (this.#outs.get(device) ?? []).filter((out) => out.body.kind === 'recover');
    const replaced =
      replacedBy(gifts.filter((gift) => isBefore(gift.act, act))) |
      pastOf(ends.filter((out) => isBefore(out, act)));
    return gifts.every(({ act: { index }, gives }) => gives.rank > rank || has(replaced, index));
  }
}

/**
 * Whether an admin of no greater rank than the one who shut the device out has seen that, and gave it a
 * role.
 */
function isTakenBack(out: PlacedAct, gifts: readonly Gift[]): boolean {
  const rank = out.body.kind === 'recover' ? 0 : rankOf(out);
  return gifts.some(({ act }) => act.body.kind !== 'take-in' && rankOf(act) <= rank && isBefore(out, act));
}

/** The acts that those of `gifts` had seen, as bits. */
function replacedBy(gifts: readonly Gift[]): bigint {
  return pastOf(gifts.map(({ act }) => act));
}

function pastOf(acts: readonly PlacedAct[]): bigint {
  return acts.reduce((seen, { past }) => seen | past, 0n);
}

/** Of those that none of the others had seen the least. There is at least one. */
export function leastOf(gifts: readonly Gift[]): Standing {
  const replaced = replacedBy(gifts);
  const last = gifts.flatMap(({ act, gives }) => (has(replaced, act.index) ? [] : gives));
  const { role, rank } = last.reduce((least, each) => (isLess(each, least) ? each : least));
  return { role, rank };
}

function isLess(a: Standing, b: Standing): boolean {
  return a.role === b.role ? a.rank > b.rank : ROLES.indexOf(a.role) < ROLES.indexOf(b.role);
}

/**
 * What the code of a pool orders comes before all that admins do. Acts that need no admin come last: of all
 * others it is known by then whether they count.
 */
function rankOf({ body }: PlacedAct): number {
  if (body.kind === 'charter') return -2;
  if (body.kind === 'recover') return -1;
  return 'as' in body ? body.as : NO_RANK;
}

/** Whether the shut-out of the device says that this act of its counts no more. */
function isUndoing({ body }: PlacedAct, device: DeviceId, act: PlacedAct): boolean {
  if (body.kind === 'recover')
    return body.out.some((out) => out.device === device && out.undone.includes(act.id));
  return body.kind === 'shut-out' && body.undone.includes(act.id);
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
