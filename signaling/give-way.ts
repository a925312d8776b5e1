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

/** Who of `candidates` gives way to somebody from `newcomer`; undefined when the newcomer has to go. */
export function whoGivesWay<Item extends Candidate>(
  candidates: Iterable<Item>,
  newcomer: AddressKey,
): Item | undefined {
  const all = [...candidates];
  const counts = new Map<AddressKey, number>();
  for (const { address } of all) counts.set(address, (counts.get(address) ?? 0) + 1);
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
