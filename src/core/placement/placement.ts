// Where a file's fragments go: rendezvous hashing, all devices of equal weight. All devices that know the
// same candidates compute the same order. It depends on the file's salt, which, unlike the file's id, is
// known before the first block is sealed.
//
// Fragments are spread as evenly as the caps allow, because the margin counts devices: the next fragment goes
// to the candidate with the fewest of this file, and among equals to the one with the best score. Where the
// file has anchors, the first k - 1 go to the lead of these, and the others are spread over the other
// devices.

import type { DeviceId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import { leadOf, reachOfAnchors, type Anchors, type Lead } from './anchors.ts';
import type { FragmentSet } from './fragment-set.ts';
import { marginOf } from './health.ts';
import { rendezvousScore } from './rendezvous.ts';

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
  /** Anchors of the file. But for the lead they get nothing here: moves give them copies of what it has. */
  readonly anchors: Anchors;
}

/** A home for each fragment that no device in `held` has. Leaves out those that cannot be placed. */
export function planPlacement(input: PlacementInput): Map<number, DeviceId> {
  const found = leadAmong(input);
  const lead = found?.device;
  // All anchors together never get more than one of them may.
  const ofFurther =
    found === undefined ? 0 : reachOfAnchors(input.anchors, input.held) - found.fragments.size;
  const open = withoutFurther(input.candidates, input.anchors, lead).map((candidate) => ({
    device: candidate.device,
    cap: fragmentCap(input.k) - (candidate.device === lead ? ofFurther : 0),
    score: rendezvousScore(input.salt, candidate.device),
    count: input.held.get(candidate.device)?.size ?? 0,
    room: Math.floor(candidate.freeBytes / Math.max(1, input.fragmentBytes)),
  }));
  const homes = new Map<number, DeviceId>();
  const taken = new Set([...input.held.values()].flatMap((set) => [...set]));
  const isOpen = ({ count, cap, room }: (typeof open)[number]): boolean => count < cap && room > 0;
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
    const [best] = open
      .filter(isOpen)
      .toSorted(
        (a, b) =>
          Number(b.device === lead) - Number(a.device === lead) || a.count - b.count || b.score - a.score,
      );
    if (best === undefined) break;
    settle(fragment, best);
  }
  return homes;
}

function leadAmong({
  salt,
  anchors,
  held,
  candidates,
}: Pick<PlacementInput, 'salt' | 'anchors' | 'held' | 'candidates'>): Lead | undefined {
  if (anchors.size === 0) return undefined;
  return leadOf(salt, anchors, held, (device) => candidates.some((each) => each.device === device));
}

function withoutFurther(
  candidates: readonly Candidate[],
  anchors: Anchors,
  lead: DeviceId | undefined,
): readonly Candidate[] {
  if (anchors.size === 0) return candidates;
  return candidates.filter(({ device }) => device === lead || !anchors.has(device));
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
  input: Omit<PlacementInput, 'preferred'> & {
    /** This device, which hands the fragments out. */
    readonly self: DeviceId;
  },
): Copy[] {
  const { k, candidates, self } = input;
  const copies: Copy[] = [];
  const spread = new Map([...input.held].map(([device, held]) => [device, new Set(held)]));
  const open = withoutFurther(candidates, input.anchors, leadAmong(input)?.device);
  const takers = open.map(({ device, freeBytes }) => {
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
