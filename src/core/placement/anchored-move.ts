// Moves of a file that has anchors: toward k - 1 fragments on its lead, copies of these on further anchors,
// and on each other device at least one fragment that the anchors lack.

import type { DeviceId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import { anchoredMargin, leadOf, reachOfAnchors, type Lead } from './anchors.ts';
import type { FragmentSet } from './fragment-set.ts';
import { marginOf, Steps } from './health.ts';
import { rendezvousScore } from './rendezvous.ts';
import { MARGIN_STEPS, type Move, type MoveInput, type Spread } from './spread.ts';

/**
 * The fragment that `self` gives: to the lead while that has fewer than k - 1, then to a device that could
 * not open the file beside an anchor, then for a more even spread over the devices that are no anchors. Given
 * by who has most that the anchors lack; undefined if that is another device. The lead gives further anchors
 * copies of what it has.
 */
export function anchoredMove({ after }: Spread, input: MoveInput): Move | undefined {
  const { file, self, anchors, isThere, takers, holders } = input;
  const cap = fragmentCap(file.k);
  const open = takers.filter((device) => device !== self && (holders.get(device)?.size ?? 0) < cap);
  const lead = leadOf(file.salt, anchors, after, (device) => device === self || open.includes(device));
  if (lead === undefined) return undefined;
  if (lead.device === self) return copyOf(lead, open, input);
  const own = lackedBy(lead, after.get(self));
  const ownRank = rankOf(self, own.length, input);
  const others = [...after.keys()].filter(
    (device) => device !== self && device !== lead.device && isThere(device),
  );
  const ranks = new Map(
    others.map((device) => [device, rankOf(device, lackedBy(lead, after.get(device)).length, input)]),
  );
  if (own.length === 0 || [...ranks.values()].some((rank) => rank > ownRank)) return undefined;
  const to = takerOf(lead, own.length, open, after, input);
  const [fragment] = own
    .filter((each) => to !== undefined && holders.get(to)?.has(each) !== true)
    .map((each) => ({ each, count: [...holders.values()].filter((held) => held.has(each)).length }))
    .toSorted((a, b) => a.count - b.count || a.each - b.each);
  if (to === undefined || fragment === undefined) return undefined;
  const ownScore = rendezvousScore(file.salt, self);
  const before = [...ranks].filter(
    ([device, rank]) => rank === ownRank && rendezvousScore(file.salt, device) > ownScore,
  );
  return { fragment: fragment.each, to, turn: before.length };
}

/** Further anchors give away what the lead lacks before any other device does. */
function rankOf(device: DeviceId, lackedCount: number, { anchors, file }: MoveInput): number {
  return anchors.has(device) && lackedCount > 0 ? file.n + lackedCount : lackedCount;
}

function lackedBy({ fragments }: Lead, held: FragmentSet | undefined): number[] {
  return [...(held ?? [])].filter((each) => !fragments.has(each));
}

function copyOf(
  { fragments }: Lead,
  open: readonly DeviceId[],
  { anchors, holders }: MoveInput,
): Move | undefined {
  for (const to of open) {
    if (!anchors.has(to)) continue;
    const fragment = [...fragments].find((each) => holders.get(to)?.has(each) !== true);
    if (fragment !== undefined) return { fragment, to, turn: 0 };
  }
  return undefined;
}

function takerOf(
  lead: Lead,
  ownCount: number,
  open: readonly DeviceId[],
  after: Spread['after'],
  { file, self, anchors, takers, holders }: MoveInput,
): DeviceId | undefined {
  // Anchors that held different fragments before never get k together.
  const isAllowed = anchors.has(self) || reachOfAnchors(anchors, holders) < fragmentCap(file.k);
  if (open.includes(lead.device) && isAllowed) return lead.device;
  const [least] = open
    .filter((device) => !anchors.has(device))
    .map((device) => ({
      device,
      count: lackedBy(lead, after.get(device)).length,
      score: rendezvousScore(file.salt, device),
    }))
    .toSorted((a, b) => a.count - b.count || b.score - a.score);
  if (least === undefined) return undefined;
  if (anchors.has(self)) return least.device;
  if (ownCount - least.count < 2) return undefined;
  if (least.count === 0) return least.device;
  const holding = [...after].filter(([, held]) => held.size > 0).map(([device]) => device);
  const otherCount = [...new Set([...holding, ...takers])].filter((device) => !anchors.has(device)).length;
  const isEven = marginOf(after, file.k, new Steps(MARGIN_STEPS)) >= anchoredMargin(file, otherCount);
  return isEven ? undefined : least.device;
}
