// Who gives way to a newcomer when something is full: one rule for connections, clients, rooms and places in
// a room.
//
// The address that has most gives way, and an item that has proved something weighs less than one that has
// not. Invariants: a newcomer displaces only an item that weighs more than itself, or an unproved one that
// weighs as much, so an address with many cannot push out those with few, and two addresses do not displace
// each other for ever. A newcomer may always displace an unproved item of its own address: a device that
// shares an address with an attacker is not shut out.

import type { AddressKey } from './remote-address.ts';

export type Rank = 0 | 1 | 2;

export interface Candidate {
  readonly address: AddressKey;
  /** 0: proved nothing yet. */
  readonly rank: Rank;
  readonly sinceMs: number;
}

/**
 * What one item of each rank weighs, times the items of its address. Proof is cheap for an attacker with two
 * addresses, so it counts for little compared with how much an address has; it decides among addresses that
 * have equally much.
 */
const WEIGHTS: Readonly<Record<Rank, number>> = [4, 2, 1];

const RANKS: readonly Rank[] = [0, 1, 2];

/**
 * Which of `candidates` gives way to a newcomer from the address `newcomer`; undefined when the newcomer must
 * go.
 */
export function whoGivesWay<Item extends Candidate>(
  candidates: Iterable<Item>,
  newcomer: AddressKey,
): Item | undefined {
  const all = [...candidates];
  const counts = new Map<AddressKey, number>();
  for (const { address } of all) counts.set(address, (counts.get(address) ?? 0) + 1);
  return heaviest(all, counts, newcomer);
}

/**
 * Many candidates, indexed so that the search looks at one of each address and rank. When all connections are
 * in use, each new one starts a search; searching all of them took half of the relay's time.
 */
export class Crowd<Item extends Candidate> {
  /** By rank; sets keep insertion order, so the first is the oldest. */
  readonly #byAddress = new Map<AddressKey, readonly Set<Item>[]>();

  /** Its rank must not change while it is here. */
  add(item: Item): void {
    const ranks = this.#byAddress.get(item.address) ?? RANKS.map(() => new Set<Item>());
    this.#byAddress.set(item.address, ranks);
    ranks[item.rank]?.add(item);
  }

  delete(item: Item): void {
    const ranks = this.#byAddress.get(item.address);
    ranks?.[item.rank]?.delete(item);
    if (ranks?.every(({ size }) => size === 0) === true) this.#byAddress.delete(item.address);
  }

  /** Like the function of this name, among the candidates of the address `only`, or of all addresses. */
  whoGivesWay(newcomer: AddressKey, only?: AddressKey): Item | undefined {
    const counts = new Map<AddressKey, number>();
    const oldest: Item[] = [];
    for (const address of only === undefined ? this.#byAddress.keys() : [only]) {
      const ranks = this.#byAddress.get(address) ?? [];
      counts.set(
        address,
        ranks.reduce((sum, { size }) => sum + size, 0),
      );
      for (const items of ranks) {
        const [first] = items;
        if (first !== undefined) oldest.push(first);
      }
    }
    return heaviest(oldest, counts, newcomer);
  }
}

function heaviest<Item extends Candidate>(
  all: readonly Item[],
  counts: ReadonlyMap<AddressKey, number>,
  newcomer: AddressKey,
): Item | undefined {
  const weightOf = ({ address, rank }: Candidate) => (counts.get(address) ?? 0) * WEIGHTS[rank];
  const newWeight = ((counts.get(newcomer) ?? 0) + 1) * WEIGHTS[0];
  let chosen: { readonly item: Item; readonly weight: number } | undefined;
  for (const item of all) {
    const weight = weightOf(item);
    const isUnproved = item.rank === 0 && (weight === newWeight || item.address === newcomer);
    if (weight <= newWeight && !isUnproved) continue;
    const isOlder = weight === chosen?.weight && item.sinceMs < chosen.item.sinceMs;
    if (chosen === undefined || weight > chosen.weight || isOlder) chosen = { item, weight };
  }
  return chosen?.item;
}
