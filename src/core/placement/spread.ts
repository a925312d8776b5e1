// How evenly a file's fragments lie on their holders, and what makes that better: which second copies can go,
// and which fragment a device with several gives to one with fewer.
//
// All devices that see the same claims conclude the same, so each acts for itself. What is dropped for it is
// safe even if they see different ones (core/peer/letting-go.ts).

import type { DeviceId } from '../model/ids.ts';
import { quorumOf, type Geometry } from '../model/geometry.ts';
import { fragmentCap } from '../model/limits.ts';
import { anchoredMargin, leadOf, type Anchors } from './anchors.ts';
import type { FragmentSet } from './fragment-set.ts';
import { marginOf, reachOf, Steps, type Holders } from './health.ts';
import { rendezvousScore } from './rendezvous.ts';

/** How much a device wants to be rid of what it holds; the higher, the sooner it gives up a second copy. */
export const HASTE = { none: 0, full: 1, leaving: 2 } as const;

export interface SpreadInput {
  readonly file: Pick<Geometry, 'k' | 'n'> & { readonly salt: Uint8Array };
  /** What devices hold that are not gone, none more than the cap. */
  readonly holders: Holders;
  /** Only these drop copies, and only for copies of these: the others cannot be asked. */
  readonly isThere: (device: DeviceId) => boolean;
  /** See HASTE. */
  readonly hasteOf: (device: DeviceId) => number;
  /** Anchors of the file. What all of them are to hold is surplus nowhere but on other devices. */
  readonly anchors: Anchors;
  /** No device that could take a fragment of the file may hold another one. */
  readonly lacksHomes: boolean;
}

/** A copy that lies elsewhere too, and makes nothing safer. */
export interface Surplus {
  readonly device: DeviceId;
  readonly fragment: number;
}

export interface Spread {
  /**
   * In the order in which they may go. Beside an anchor, a device's last fragment that the anchor lacks stays
   * until it has another.
   */
  readonly surplus: readonly Surplus[];
  /** What devices hold once all of it is gone. */
  readonly after: ReadonlyMap<DeviceId, FragmentSet>;
}

/** Work that one look may spend on each margin. */
export const MARGIN_STEPS = 2_000;

/**
 * Which second copies can go. Of those that hold a fragment, the one in the most haste drops it; then an
 * anchor that is not to hold it; then the one that holds most of the file; then a hash decides. A copy stays
 * if the file would survive fewer losses without it than with an even spread, and than any one.
 *
 * Where what repair would rebuild has no home, because each device has as much as it may, one such copy makes
 * room for it nevertheless, if the file survives any one loss meanwhile.
 */
export function spreadOf(input: SpreadInput): Spread {
  const { file, holders, isThere } = input;
  const after = new Map(Array.from(holders, ([device, held]) => [device, new Set(held)] as const));
  const surplus: Surplus[] = [];
  const copied = copiedAmong(after, isThere);
  if (copied.size === 0) return { surplus, after };
  const isStuck = input.lacksHomes && input.anchors.size === 0 && reachOf(holders) <= quorumOf(file);
  const leastMargin = Math.min(isStuck ? 1 : Infinity, leastMarginOf(input, holders));
  const ofAnchors = leadAmong(input, holders)?.fragments;
  const kept = new Set<string>();
  for (;;) {
    const next = nextToDrop(input, after, copied, kept, ofAnchors);
    if (next === undefined) return { surplus: withoutLast(input, surplus, ofAnchors), after };
    const held = after.get(next.device);
    held?.delete(next.fragment);
    if (marginOf(after, file.k, new Steps(MARGIN_STEPS)) >= leastMargin) {
      surplus.push(next);
      if (isStuck) return { surplus, after };
    } else {
      held?.add(next.fragment);
      kept.add(`${next.device}/${next.fragment}`);
    }
  }
}

/** Without the last fragment of each device by which it opens the file beside an anchor. */
function withoutLast(
  { holders, anchors }: SpreadInput,
  surplus: readonly Surplus[],
  ofAnchors: FragmentSet | undefined,
): readonly Surplus[] {
  if (ofAnchors === undefined) return surplus;
  const lefts = new Map(Array.from(holders, ([device, held]) => [device, new Set(held)] as const));
  return surplus.filter(({ device, fragment }) => {
    const left = lefts.get(device);
    if (anchors.has(device) || left === undefined || ofAnchors.has(fragment)) return true;
    const isLast = ![...left].some((each) => each !== fragment && !ofAnchors.has(each));
    if (!isLast) left.delete(fragment);
    return !isLast;
  });
}

function leadAmong({ file, anchors }: SpreadInput, holders: Holders) {
  return anchors.size === 0 ? undefined : leadOf(file.salt, anchors, holders, () => false);
}

/** How many devices may be lost if n fragments lie as evenly as they can on `deviceCount` of them. */
export function evenMargin({ k, n }: Pick<Geometry, 'k' | 'n'>, deviceCount: number): number {
  let leftCount = n;
  let lostCount = 0;
  for (; lostCount < deviceCount; lostCount++) {
    leftCount -= Math.floor(n / deviceCount) + (lostCount < n % deviceCount ? 1 : 0);
    if (leftCount < k) break;
  }
  return lostCount;
}

export interface Move {
  readonly fragment: number;
  readonly to: DeviceId;
  /** How many devices come before this one with a move of their own. */
  readonly turn: number;
}

export interface MoveInput extends SpreadInput {
  readonly self: DeviceId;
  /** Devices that have room for one more fragment. */
  readonly takers: readonly DeviceId[];
}

/**
 * The fragment that `self` gives to a device with at least two fewer, if the file then can survive more
 * losses in the end. Undefined if others hold more of the file: it is their turn.
 */
export function evenMove({ after }: Spread, input: MoveInput): Move | undefined {
  const { file, self, isThere, takers } = input;
  const countOf = (device: DeviceId): number => after.get(device)?.size ?? 0;
  const ownCount = countOf(self);
  const holders = [...after].filter(([, held]) => held.size > 0).map(([device]) => device);
  if (ownCount < 2 || holders.some((device) => isThere(device) && countOf(device) > ownCount))
    return undefined;
  const deviceCount = new Set([...holders, ...takers]).size;
  if (marginOf(after, file.k, new Steps(MARGIN_STEPS)) >= evenMargin(file, deviceCount)) return undefined;
  const move = moveTo(
    input,
    after,
    takers.filter((taker) => countOf(taker) <= ownCount - 2),
  );
  if (move === undefined) return undefined;
  const ownScore = rendezvousScore(file.salt, self);
  const before = holders.filter(
    (device) =>
      isThere(device) &&
      countOf(device) === ownCount &&
      device !== self &&
      rendezvousScore(file.salt, device) > ownScore,
  );
  return { ...move, turn: before.length };
}

/**
 * The fragment that `self` gives away because it has no space left, if the file then survives as many losses
 * as before, or as with an even spread.
 */
export function roomMove({ after }: Spread, input: MoveInput): Move | undefined {
  const { file, self, anchors, takers } = input;
  const move = moveTo(
    input,
    after,
    takers.filter((taker) => !anchors.has(taker)),
  );
  if (move === undefined) return undefined;
  const moved = new Map(after);
  moved.set(self, new Set([...(after.get(self) ?? [])].filter((each) => each !== move.fragment)));
  moved.set(move.to, new Set([...(after.get(move.to) ?? []), move.fragment]));
  const isAsSafe = marginOf(moved, file.k, new Steps(MARGIN_STEPS)) >= leastMarginOf(input, after);
  return isAsSafe ? { ...move, turn: 0 } : undefined;
}

/** To the taker that holds least of the file, and among equals to the best home. */
function moveTo(
  { file, holders, self }: MoveInput,
  after: Holders,
  takers: readonly DeviceId[],
): Omit<Move, 'turn'> | undefined {
  const open = takers
    .filter((device) => device !== self && (holders.get(device)?.size ?? 0) < fragmentCap(file.k))
    .map((device) => ({
      device,
      count: after.get(device)?.size ?? 0,
      score: rendezvousScore(file.salt, device),
    }))
    .toSorted((a, b) => a.count - b.count || b.score - a.score);
  for (const { device } of open) {
    const fragment = [...(after.get(self) ?? [])].find((each) => holders.get(device)?.has(each) !== true);
    if (fragment !== undefined) return { fragment, to: device };
  }
  return undefined;
}

/** What must remain of a file that survives as many losses as it does with `holders`. */
function leastMarginOf({ file, anchors }: SpreadInput, holders: Holders): number {
  const devices = [...holders].filter(([, { size }]) => size > 0).map(([device]) => device);
  const otherCount = devices.filter((device) => !anchors.has(device)).length;
  const nowMargin = marginOf(holders, file.k, new Steps(MARGIN_STEPS));
  const usual =
    otherCount < devices.length ? anchoredMargin(file, otherCount) : evenMargin(file, devices.length);
  return Math.min(nowMargin, Math.max(1, usual));
}

/** Fragments that lie on several devices that are there. */
function copiedAmong(holders: Holders, isThere: (device: DeviceId) => boolean): Set<number> {
  const seen = new Set<number>();
  const copied = new Set<number>();
  for (const [device, held] of holders) {
    if (!isThere(device)) continue;
    for (const fragment of held) (seen.has(fragment) ? copied : seen).add(fragment);
  }
  return copied;
}

function nextToDrop(
  { file, isThere, hasteOf, anchors }: SpreadInput,
  after: ReadonlyMap<DeviceId, Set<number>>,
  copied: ReadonlySet<number>,
  kept: ReadonlySet<string>,
  ofAnchors: FragmentSet | undefined,
): Surplus | undefined {
  const present = [...after].filter(([device]) => isThere(device));
  const droppers = present
    .map(([device, held]) => ({
      device,
      held,
      haste: hasteOf(device),
      score: rendezvousScore(file.salt, device),
    }))
    .toSorted(
      (a, b) =>
        b.haste - a.haste ||
        Number(anchors.has(b.device)) - Number(anchors.has(a.device)) ||
        b.held.size - a.held.size ||
        a.score - b.score,
    );
  for (const { device, held, haste } of droppers) {
    const fragment = [...held].find(
      (each) =>
        copied.has(each) &&
        !kept.has(`${device}/${each}`) &&
        !(haste === HASTE.none && anchors.has(device) && ofAnchors?.has(each) === true) &&
        present.some(([other, others]) => other !== device && others.has(each)),
    );
    if (fragment !== undefined) return { device, fragment };
  }
  return undefined;
}
