// Where a file's fragments go: rendezvous hashing (Thaler and Ravishankar 1998), all devices of equal weight.
// All devices that know the same candidates compute the same order. It depends on the file's salt, which,
// unlike the file's id, is known before the first block is sealed.
//
// Fragments are spread as evenly as the caps allow, because the margin counts devices: the next fragment goes
// to the candidate with the fewest of this file, and among equals to the one with the best score.

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { DeviceId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { FragmentSet } from './fragment-set.ts';
import { marginOf } from './health.ts';

export interface Candidate {
  readonly device: DeviceId;
  /** Bytes that the device still offers. */
  readonly freeBytes: number;
}

export interface PlacementInput {
  /** The file's. */
  readonly salt: Uint8Array;
  readonly k: number;
  /** Fragments to hand out, in the order in which they get their homes. */
  readonly fragments: Iterable<number>;
  /** Bytes of one fragment. */
  readonly fragmentBytes: number;
  /** Devices that may take fragments now. */
  readonly candidates: readonly Candidate[];
  /** Fragments that devices have or were asked to take, whether the devices are candidates or not. */
  readonly held: ReadonlyMap<DeviceId, FragmentSet>;
  /** Homes that fragments get first, if the device is a candidate and neither full nor at the cap. */
  readonly preferred?: ReadonlyMap<number, DeviceId> | undefined;
}

/** A home for each fragment that no device in `held` has. Leaves out those that cannot be placed. */
export function planPlacement(input: PlacementInput): Map<number, DeviceId> {
  const cap = fragmentCap(input.k);
  const open = input.candidates.map((candidate) => ({
    device: candidate.device,
    score: rendezvousScore(input.salt, candidate.device),
    count: input.held.get(candidate.device)?.size ?? 0,
    room: Math.floor(candidate.freeBytes / Math.max(1, input.fragmentBytes)),
  }));
  const homes = new Map<number, DeviceId>();
  const taken = new Set([...input.held.values()].flatMap((set) => [...set]));
  const isOpen = ({ count, room }: (typeof open)[number]): boolean => count < cap && room > 0;
  const settle = (fragment: number, home: (typeof open)[number]): void => {
    home.count += 1;
    home.room -= 1;
    homes.set(fragment, home.device);
  };
  const homeless = [...input.fragments].filter((fragment) => !taken.has(fragment));
  for (const fragment of homeless) {
    const preferred = input.preferred?.get(fragment);
    const home = open.find((candidate) => candidate.device === preferred && isOpen(candidate));
    if (home !== undefined) settle(fragment, home);
  }
  for (const fragment of homeless) {
    if (homes.has(fragment)) continue;
    const [best] = open.filter(isOpen).toSorted((a, b) => a.count - b.count || b.score - a.score);
    if (best === undefined) break;
    settle(fragment, best);
  }
  return homes;
}

/** A fragment that `device` is to have in addition to its other holders. */
export interface Copy {
  readonly fragment: number;
  readonly device: DeviceId;
}

/**
 * For a file whose fragments all have homes, but which the loss of one device would lose: further copies for
 * the devices that hold least, until any one device may be lost. Each fragment is copied at most once to
 * `self`, which has it at hand, and once to another. Empty when no such copies are enough.
 */
export function planCopies(
  input: Omit<PlacementInput, 'salt' | 'preferred'> & {
    /** This device, which hands the fragments out. */
    readonly self: DeviceId;
  },
): Copy[] {
  const { k, candidates, self } = input;
  const copies: Copy[] = [];
  const spread = new Map([...input.held].map(([device, held]) => [device, new Set(held)]));
  const takers = candidates.map(({ device, freeBytes }) => {
    const held = spread.get(device) ?? new Set<number>();
    spread.set(device, held);
    return { device, held, room: Math.floor(freeBytes / Math.max(1, input.fragmentBytes)) };
  });
  const handedOut = [...input.fragments];
  const wasCopied = (fragment: number, toSelf: boolean): boolean =>
    copies.some((copy) => copy.fragment === fragment && (copy.device === self) === toSelf);
  while (marginOf(spread, k) < 1) {
    const rarestFirst = handedOut
      .map((fragment) => ({ fragment, ...holdersOf(spread, fragment) }))
      .toSorted((a, b) => a.count - b.count || b.largest - a.largest);
    const [move] = takers
      .filter(({ held, room }) => held.size < fragmentCap(k) && room > 0)
      .toSorted((a, b) => a.held.size - b.held.size)
      .flatMap((taker) => {
        const wanted = rarestFirst.find(
          ({ fragment }) => !taker.held.has(fragment) && !wasCopied(fragment, taker.device === self),
        );
        return wanted === undefined ? [] : [{ taker, fragment: wanted.fragment }];
      });
    if (move === undefined) return [];
    copies.push({ fragment: move.fragment, device: move.taker.device });
    move.taker.held.add(move.fragment);
    move.taker.room -= 1;
  }
  return copies;
}

/** How many devices have the fragment, and the most fragments that any of them has. */
function holdersOf(
  spread: ReadonlyMap<DeviceId, FragmentSet>,
  fragment: number,
): { readonly count: number; readonly largest: number } {
  const sizes = [...spread.values()].filter((held) => held.has(fragment)).map(({ size }) => size);
  return { count: sizes.length, largest: Math.max(0, ...sizes) };
}

/**
 * -1 / ln(h) with h in (0, 1) from SHA-256 of the file's salt and the device: the higher, the better a home.
 * All devices weigh the same: a device's offered space is only its word and must not attract fragments.
 */
export function rendezvousScore(salt: Uint8Array, device: DeviceId): number {
  const digest = sha256(utf8(`palm/v1/rendezvous/${hexOf(salt)}/${device}`));
  let hash = 0;
  for (const byte of digest.subarray(0, 6)) hash = hash * 256 + byte;
  const unit = (hash + 0.5) / 2 ** 48;
  return -1 / Math.log(unit);
}
