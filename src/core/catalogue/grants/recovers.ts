// What the holders of a pool's recovery codes order, as a pure function of its acts (FORMATS.md, recovery):
// which recovers count. They are judged before everything that admins do, from the charter, codes and
// recovers alone, because only these make a device an admin of rank 0, or take that away.
//
// A code is used once. Who has an old one can always claim that he had not seen it used; so of recovers that
// did not see each other, those count that somebody else had seen without the others. And a code orders
// nothing against an older one: who takes the founder's phone makes the founder's paper worthless with none.

import { hexOf } from '../../model/bytes.ts';
import type { DeviceId, EntryId } from '../../model/ids.ts';
import type { ActBody } from './act-body.ts';
import { has, isBefore, isBeside, type PlacedAct } from './act-graph.ts';

type Recover = PlacedAct & { readonly body: ActBody & { readonly kind: 'recover' } };

/** One suffices; some may not have seen it alone. */
const SHOWN_WITNESSES = 4;

/** A code, by the act that makes it. */
interface Code {
  readonly maker: PlacedAct;
  /** The charter or `code` act that its line of codes began with. */
  readonly origin: PlacedAct;
  readonly key: string;
}

/** A recover that is right by all that is before it. */
interface Order {
  readonly act: Recover;
  readonly code: Code;
}

/** `acts`: all of one graph. */
export function countingRecovers(acts: readonly PlacedAct[], charter: EntryId): ReadonlySet<EntryId> {
  return new Set(Array.from(countingOrders(acts, charter), ({ act }) => act.id));
}

function countingOrders(acts: readonly PlacedAct[], charter: EntryId): ReadonlySet<Order> {
  const recovers = acts.filter(isRecover);
  if (recovers.length === 0) return new Set();
  const right = new RightOrders(acts, charter);
  const orders = recovers.flatMap((act) => right.orderOf(act) ?? []);
  const upheld = upheldOf(orders, acts);
  const counting = new Set<Order>();
  const inOrder = orders.toSorted(compare);
  for (const origin of new Set(inOrder.map(({ code }) => code.origin))) {
    const line = inOrder.filter(({ code }) => code.origin === origin);
    // Of those that nobody upholds, what is left after the others.
    for (const taken of [line.filter((order) => upheld.has(order)), line]) {
      for (const order of taken)
        if (mayCount(order, [...counting], upheld, right.founder)) counting.add(order);
    }
  }
  return counting;
}

/** The public keys of the codes of a pool. */
export interface KnownCodes {
  /** A recover under one of them, by who knows all acts that are here, would count. */
  readonly open: readonly Uint8Array[];
  /** Those that order nothing any more, or never did. */
  readonly closed: readonly Uint8Array[];
}

export function codesOf(acts: readonly PlacedAct[], charter: EntryId): KnownCodes {
  const keys = new Map(acts.flatMap((act) => madeBy(act).map((key) => [hexOf(key), key])));
  const all = [...keys.values()];
  const isOpen = all.map((key) => wouldCount(key, acts, charter));
  return { open: all.filter((_, at) => isOpen[at]), closed: all.filter((_, at) => !isOpen[at]) };
}

function madeBy({ body }: PlacedAct): Uint8Array[] {
  if (body.kind !== 'charter' && body.kind !== 'code' && body.kind !== 'recover') return [];
  return body.recovery === undefined ? [] : [body.recovery];
}

function wouldCount(key: Uint8Array, acts: readonly PlacedAct[], charter: EntryId): boolean {
  const begun = acts.find(({ id }) => id === charter);
  if (begun === undefined) return false;
  const past = acts.reduce((known, { index }) => known | (1n << BigInt(index)), 0n);
  const order = { admin: begun.by, after: undefined, out: [], code: key, recovery: key };
  const body = { kind: 'recover' as const, seen: [], ...order, signature: new Uint8Array(0) };
  const next: Recover = { ...begun, index: acts.length, past, names: [], body };
  return [...countingOrders([...acts, next], charter)].some(({ act }) => act === next);
}

/** Those of `acts` by which others say that they saw recovers of `which`, a few for each. */
export function witnessesOf(acts: readonly PlacedAct[], which: bigint): PlacedAct[] {
  const recovers = acts.filter((act) => isRecover(act) && has(which, act.index));
  return recovers.flatMap((recover) =>
    acts
      .filter((act) => act.by !== recover.by && isBefore(recover, act))
      .toSorted((a, b) => sizeOf(a.past) - sizeOf(b.past))
      .slice(0, SHOWN_WITNESSES),
  );
}

/**
 * Whether there is a counting recover of others that the device has not noted yet: who used the code must not
 * be the only one who says so. `standings`: those of `acts`.
 */
export function hasUnnoted(
  acts: readonly PlacedAct[],
  standings: { counts(act: EntryId): boolean },
  device: DeviceId,
): boolean {
  const own = acts.filter(({ by }) => by === device);
  return acts.some(
    (act) =>
      isRecover(act) &&
      act.by !== device &&
      act.body.admin !== device &&
      standings.counts(act.id) &&
      !own.some((each) => isBefore(act, each)),
  );
}

/** Older lines of codes first, and in each line every act after those that it has seen. */
function compare(a: Order, b: Order): number {
  const [one, other] = [a.code.origin, b.code.origin];
  const byAge = sizeOf(one.past) - sizeOf(other.past) || (one.id < other.id ? -1 : Number(one !== other));
  return byAge || sizeOf(a.act.past) - sizeOf(b.act.past) || (a.act.id < b.act.id ? -1 : 1);
}

function mayCount(
  order: Order,
  counting: readonly Order[],
  upheld: ReadonlySet<Order>,
  founder: DeviceId | undefined,
): boolean {
  const { act, code } = order;
  const { maker } = code;
  const orders = counting.map((other) => other.act);
  if (maker.body.kind === 'recover' && !orders.some((other) => other === maker)) return false;
  if (maker.body.kind === 'code' && !isFirst(maker.by, maker, orders, founder)) return false;
  if (orders.some((other) => isVoiding(other, maker))) return false;
  return counting.every(
    (other) =>
      !isBeside(other.act, act) ||
      (!isBefore(other.code.origin, code.origin) && (upheld.has(order) || !areOfOneLine(other, order))),
  );
}

function areOfOneLine(a: Order, b: Order): boolean {
  return a.code.origin === b.code.origin;
}

/** Whether a `code` act is void because its writer was shut out by who had not seen it, or undoes it. */
function isVoiding({ body, ...recover }: Recover, code: PlacedAct): boolean {
  const out = code.body.kind === 'code' && body.out.find(({ device }) => device === code.by);
  if (out === undefined || out === false) return false;
  return !has(recover.past, code.index) || out.undone.includes(code.id);
}

/** Orders that another device has seen, without any of their line that they are beside. */
function upheldOf(orders: readonly Order[], acts: readonly PlacedAct[]): ReadonlySet<Order> {
  const upheld = orders.filter((order) => {
    const { by, body, index } = order.act;
    const rivals = orders.filter((other) => areOfOneLine(other, order) && isBeside(other.act, order.act));
    const without = rivals.reduce((all, { act }) => all | (1n << BigInt(act.index)), 0n);
    if (rivals.length === 0) return true;
    return acts.some(
      (act) => act.by !== by && act.by !== body.admin && has(act.past, index) && (act.past & without) === 0n,
    );
  });
  return new Set(upheld);
}

/** Judges each act of this kind by what is before it alone, so that nothing that comes later changes it. */
class RightOrders {
  readonly #charter: PlacedAct | undefined;
  readonly #recovers: readonly Recover[];
  readonly #codes: readonly PlacedAct[];
  readonly #orders = new Map<PlacedAct, Order | undefined>();

  constructor(acts: readonly PlacedAct[], charter: EntryId) {
    this.#charter = acts.find(({ id }) => id === charter);
    this.#recovers = acts.filter(isRecover);
    this.#codes = acts.filter(({ body }) => body.kind === 'code');
  }

  get founder(): DeviceId | undefined {
    return this.#charter?.by;
  }

  orderOf(act: Recover): Order | undefined {
    if (!this.#orders.has(act)) this.#orders.set(act, this.#judge(act));
    return this.#orders.get(act);
  }

  #judge(act: Recover): Order | undefined {
    const before = this.#ordersBefore(act);
    const key = hexOf(act.body.code);
    const open = this.#codesBefore(act, before).filter(
      (code) => code.key === key && !before.some((order) => isEndedBy(code, order)),
    );
    // Anybody can repeat a public key: the oldest maker decides.
    const [code] = open.toSorted((a, b) => sizeOf(a.maker.past) - sizeOf(b.maker.past));
    return code && { act, code };
  }

  #ordersBefore(act: PlacedAct): Order[] {
    return this.#recovers.flatMap((each) => (isBefore(each, act) ? (this.orderOf(each) ?? []) : []));
  }

  #codesBefore(act: PlacedAct, before: readonly Order[]): Code[] {
    const begun = [this.#charter, ...this.#codes.filter((code) => isBefore(code, act))].flatMap((maker) => {
      const key = maker && this.#keyOf(maker, before);
      return maker === undefined || key === undefined ? [] : [{ maker, origin: maker, key: hexOf(key) }];
    });
    const replaced = before.map((order) => ({
      maker: order.act,
      origin: order.code.origin,
      key: hexOf(order.act.body.recovery),
    }));
    return [...begun, ...replaced];
  }

  /** `before`: of the act that looks at it. */
  #keyOf(maker: PlacedAct, before: readonly Order[]): Uint8Array | undefined {
    if (maker.body.kind === 'charter') return maker.body.recovery;
    if (maker.body.kind !== 'code' || maker.body.as !== 0) return undefined;
    if (before.some(({ act }) => isVoiding(act, maker))) return undefined;
    const orders = this.#ordersBefore(maker).map((order) => order.act);
    return isFirst(maker.by, maker, orders, this.founder) ? maker.body.recovery : undefined;
  }
}

/** Whether the device has rank 0 by those of the recovers that are before the act. */
function isFirst(
  device: DeviceId,
  act: PlacedAct,
  recovers: readonly Recover[],
  founder: DeviceId | undefined,
): boolean {
  const before = recovers.filter((each) => isBefore(each, act));
  const outs = before.filter(({ body }) => body.out.some((out) => out.device === device));
  const gifts = before.filter(({ body }) => body.admin === device);
  const isGiven = gifts.length > 0 || device === founder;
  return isGiven && outs.every((out) => gifts.some((gift) => isBefore(out, gift)));
}

/** A code that was made before it, and is of its line or a younger one. */
function isEndedBy({ maker, origin }: Code, { act, code }: Order): boolean {
  return isBefore(maker, act) && (origin === code.origin || isBefore(code.origin, origin));
}

function isRecover(act: PlacedAct): act is Recover {
  return act.body.kind === 'recover';
}

/** How many acts. */
function sizeOf(acts: bigint): number {
  let count = 0;
  for (let rest = acts; rest > 0n; rest &= rest - 1n) count++;
  return count;
}
