// What the holders of a pool's recovery codes order, as a pure function of its acts (FORMATS.md, recovery):
// which recovers count. They are judged before everything that admins do, from the charter, codes and
// recovers alone, because only these make a device an admin of rank 0, or take that away.
//
// A code is used once. Who has an old one can always claim that he had not seen it used; so of recovers that
// did not see each other, those count that somebody else had seen without the others. And a code orders
// nothing against an older one: who takes the founder's phone makes the founder's paper worthless with none.

import { bytesOfHex, hexOf } from '../../model/bytes.ts';
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
  const counting = countingOrders(acts, new RightOrders(acts, charter));
  return new Set(Array.from(counting, ({ act }) => act.id));
}

/** `next`: the same of orders that would come after all acts, each as if it came alone. */
function countingOrders(
  acts: readonly PlacedAct[],
  right: RightOrders,
  next: readonly Order[] = [],
): ReadonlySet<Order> {
  const orders = right.all();
  const upheld = upheldOf(orders, acts);
  const counting = new Set<Order>();
  const open = new Set<Order>();
  const inOrder = [...orders, ...next].toSorted(compare);
  for (const origin of new Set(inOrder.map(({ code }) => code.origin))) {
    const line = orders.filter(({ code }) => code.origin === origin).toSorted(compare);
    const after = next.filter(({ code }) => code.origin === origin);
    // Of those that nobody upholds, what is left after the others.
    for (const taken of [line.filter((order) => upheld.has(order)), line]) {
      for (const order of taken) if (mayCount(order, counting, upheld, right.founder)) counting.add(order);
      for (const order of after) if (mayCount(order, counting, upheld, right.founder)) open.add(order);
    }
  }
  return new Set([...counting, ...open]);
}

/** The public keys of the codes of a pool. */
export interface KnownCodes {
  /** A recover under one of them, by who knows all acts that are here, would count. */
  readonly open: readonly Uint8Array[];
  /** Those that order nothing any more, or never did. */
  readonly closed: readonly Uint8Array[];
}

export function codesOf(acts: readonly PlacedAct[], charter: EntryId): KnownCodes {
  const begun = acts.find(({ id }) => id === charter);
  if (begun === undefined) return { open: [], closed: [] };
  const right = new RightOrders(acts, charter);
  const past = acts.reduce((known, { index }) => known | (1n << BigInt(index)), 0n);
  const keys = [...new Set(acts.flatMap(({ makes }) => makes ?? []))];
  const next = keys.flatMap((key) => right.judge(recoverUnder(key, begun, acts.length, past)) ?? []);
  const counting = countingOrders(acts, right, next);
  const open = new Set(next.flatMap((order) => (counting.has(order) ? order.code.key : [])));
  return {
    open: [...open].map(bytesOfHex),
    closed: keys.filter((key) => !open.has(key)).map(bytesOfHex),
  };
}

/** One that shuts nobody out. */
function recoverUnder(key: string, charter: PlacedAct, index: number, past: bigint): Recover {
  const code = bytesOfHex(key);
  const order = { admin: charter.by, after: undefined, out: [], code, recovery: code };
  const body = { kind: 'recover' as const, seen: [], ...order, signature: new Uint8Array(0) };
  return { ...charter, index, past, names: [], makes: key, body };
}

/** Those of `acts` by which others say that they saw recovers of `which`, a few for each. */
export function witnessesOf(acts: readonly PlacedAct[], which: bigint): PlacedAct[] {
  const recovers = acts.filter((act) => isRecover(act) && has(which, act.index));
  if (recovers.length === 0) return [];
  const inOrder = acts.toSorted((a, b) => sizeOf(a) - sizeOf(b));
  return recovers.flatMap((recover) => {
    const isWitness = (act: PlacedAct): boolean => act.by !== recover.by && isBefore(recover, act);
    return inOrder.filter(isWitness).slice(0, SHOWN_WITNESSES);
  });
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
  const byAge = sizeOf(one) - sizeOf(other) || (one.id < other.id ? -1 : Number(one !== other));
  return byAge || sizeOf(a.act) - sizeOf(b.act) || (a.act.id < b.act.id ? -1 : 1);
}

function mayCount(
  order: Order,
  counting: ReadonlySet<Order>,
  upheld: ReadonlySet<Order>,
  founder: DeviceId | undefined,
): boolean {
  const { act, code } = order;
  const { maker } = code;
  const orders = Array.from(counting, (other) => other.act);
  if (maker.body.kind === 'recover' && !orders.some((other) => other === maker)) return false;
  if (maker.body.kind === 'code' && !isFirst(maker.by, maker, orders, founder)) return false;
  if (orders.some((other) => isVoiding(other, maker))) return false;
  return [...counting].every(
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
  /** Each after those that it has seen. */
  readonly #recovers: readonly Recover[];
  /** The charter and `code` acts, by the key that they make. */
  readonly #makers = new Map<string, PlacedAct[]>();
  readonly #orders = new Map<PlacedAct, Order>();
  readonly #areRight = new Map<PlacedAct, boolean>();

  /** What makes no code is not looked at: its writer, or its own code, was nothing by what is before it. */
  constructor(acts: readonly PlacedAct[], charter: EntryId) {
    const making = acts.filter(({ makes }) => makes !== undefined);
    this.#charter = acts.find(({ id }) => id === charter);
    this.#recovers = making.filter(isRecover);
    for (const act of making) {
      if (act.makes === undefined || isRecover(act)) continue;
      this.#makers.set(act.makes, [...(this.#makers.get(act.makes) ?? []), act]);
    }
    for (const act of this.#recovers) {
      const order = this.judge(act);
      if (order !== undefined) this.#orders.set(act, order);
    }
  }

  get founder(): DeviceId | undefined {
    return this.#charter?.by;
  }

  all(): readonly Order[] {
    return [...this.#orders.values()];
  }

  /** Undefined if it is not right. */
  judge(act: Recover): Order | undefined {
    const key = hexOf(act.body.code);
    const before = this.#ordersBefore(act);
    const open = this.#codesBefore(act, key, before).filter(
      (code) => !before.some((order) => isEndedBy(code, order)),
    );
    // Anybody can repeat a public key: the oldest maker decides.
    const [code] = open.toSorted(
      ({ maker: a }, { maker: b }) => sizeOf(a) - sizeOf(b) || (a.id < b.id ? -1 : 1),
    );
    return code && { act, code };
  }

  #ordersBefore(act: PlacedAct): Order[] {
    return this.all().filter((order) => isBefore(order.act, act));
  }

  /** Those with this key. */
  #codesBefore(act: PlacedAct, key: string, before: readonly Order[]): Code[] {
    const begun = (this.#makers.get(key) ?? []).flatMap((maker) =>
      isBefore(maker, act) && this.#makes(maker, before) ? [{ maker, origin: maker, key }] : [],
    );
    const replacing = before.filter(({ act: { makes } }) => makes === key);
    return [...begun, ...replacing.map(({ act: maker, code: { origin } }) => ({ maker, origin, key }))];
  }

  /** `before`: of the act that looks at it. */
  #makes(maker: PlacedAct, before: readonly Order[]): boolean {
    if (maker.body.kind !== 'code') return true;
    return maker.body.as === 0 && this.#isRight(maker) && !before.some(({ act }) => isVoiding(act, maker));
  }

  /** Whether the writer of a `code` act had rank 0. */
  #isRight(maker: PlacedAct): boolean {
    const known = this.#areRight.get(maker);
    if (known !== undefined) return known;
    const orders = this.#ordersBefore(maker).map((order) => order.act);
    const isRight = isFirst(maker.by, maker, orders, this.founder);
    this.#areRight.set(maker, isRight);
    return isRight;
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

const sizes = new WeakMap<PlacedAct, number>();

/** How many acts are before it. */
function sizeOf(act: PlacedAct): number {
  const known = sizes.get(act);
  if (known !== undefined) return known;
  const size = act.past.toString(2).replaceAll('0', '').length;
  sizes.set(act, size);
  return size;
}
