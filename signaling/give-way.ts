// Who gives way to a newcomer when something is full: one rule for connections, clients, rooms and places in a room.
//
// The address that has most gives way, and what has proved something weighs less than what has not. Invariants: a newcomer
// displaces only what weighs more than itself, or as much and has proved nothing, so that whoever has much cannot push out
// those that have little, and two addresses do not displace each other for ever. An address's own unproved ones may always
// be displaced by its next: whoever shares an address with an attacker is not shut out.

import type { AddressKey } from './remote-address.ts';

export type Rank = 0 | 1 | 2;

export interface Candidate {
  readonly address: AddressKey;
  /** 0: proved nothing yet. */
  readonly rank: Rank;
  readonly sinceMs: number;
}

/**
 * What one item of each rank weighs, times the items of its address. Proof is cheap for an attacker with two addresses, so
 * it counts for little beside how much an address has; among those that have as much it decides.
 */
const WEIGHTS: Readonly<Record<Rank, number>> = [4, 2, 1];

const RANKS: readonly Rank[] = [0, 1, 2];

/** Who of `candidates` gives way to somebody from `newcomer`; undefined when the newcomer has to go. */
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
 * Candidates in great number, kept so that whoever gives way is found among one of each address and rank. When all
 * connections are in use somebody is looked for at each new one, and looking through all took half of the relay's time.
 */
export class Crowd<Item extends Candidate> {
  /** By rank; the sets keep the order in which they were filled, so that the first is the oldest. */
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

  /** As the function of this name, among those of `only` or of all addresses. */
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
