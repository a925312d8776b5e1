// For which device there is a place among all links and attempts of this one, who gives way to it, and who
// gets a place that becomes free.
//
// Invariant: of the devices that wait, the next is one whose letters come by a way that has the fewest
// places; of several, the one that waits longest. So one client that makes up devices does not get all.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { AttemptBudget } from './attempt-budget.ts';
import type { Way } from './link-events.ts';
import { MAX_ATTEMPT_COUNT } from './link-timing.ts';
import { isActive, isNewer, type ActiveNeighbour, type Neighbour } from './neighbour.ts';

export class LinkRoom {
  readonly #neighbours: ReadonlyMap<DeviceId, Neighbour>;
  readonly #budget: AttemptBudget;
  readonly #maxLinkCount: number;
  /** Devices that found no place, the one that waits longest first. Some may be gone since. */
  readonly #waiting = new Set<DeviceId>();

  /** `neighbours` and `budget` are those of the machine, which changes them. */
  constructor(neighbours: ReadonlyMap<DeviceId, Neighbour>, budget: AttemptBudget, maxLinkCount: number) {
    this.#neighbours = neighbours;
    this.#budget = budget;
    this.#maxLinkCount = maxLinkCount;
  }

  /** Whether all links are in use. */
  get isFull(): boolean {
    return this.#actives().length >= this.#maxLinkCount;
  }

  hasRoomFor(neighbour: Neighbour): boolean {
    return neighbour.phase.kind !== 'idle' || !this.isFull || this.whoGivesWay(neighbour) !== undefined;
  }

  /** Devices that were met are always tried, up to the limit of links; strangers, a few at a time. */
  attemptRoom(neighbour: Neighbour): number {
    if (neighbour.phase.kind !== 'idle' || this.#budget.hasMet(neighbour.device))
      return Number.POSITIVE_INFINITY;
    const attempts = this.#actives().filter(
      ({ phase, device }) => phase.kind === 'linking' && !this.#budget.hasMet(device),
    );
    return MAX_ATTEMPT_COUNT - attempts.length;
  }

  /**
   * When all links are in use: a stranger, the newest one first; else the device met last, if `neighbour` was
   * met before it. So strangers displace nobody, and made-up devices never displace those that were there
   * before.
   */
  whoGivesWay({ device }: Neighbour): Neighbour | undefined {
    const least = this.#actives().reduce((found, other) => (this.#isBelow(other, found) ? other : found));
    return this.#budget.rankOf(device) < this.#budget.rankOf(least.device) ? least : undefined;
  }

  /** There was no place for the device. */
  wait({ device }: Neighbour): void {
    if (this.#waiting.size >= MAX_DEVICE_COUNT) this.#waitingNow();
    if (this.#waiting.size < MAX_DEVICE_COUNT) this.#waiting.add(device);
  }

  /** Who gets a place now: it waits no longer. Undefined while there is none, or nobody waits. */
  nextWaiting(): Neighbour | undefined {
    if (this.#waiting.size === 0 || this.isFull) return undefined;
    const placeCounts = new Map<Way, number>();
    for (const { way } of this.#actives()) placeCounts.set(way, (placeCounts.get(way) ?? 0) + 1);
    const countOf = ({ way }: Neighbour): number => placeCounts.get(way) ?? 0;
    const [next] = this.#waitingNow().toSorted((a, b) => countOf(a) - countOf(b));
    if (next !== undefined) this.#waiting.delete(next.device);
    return next;
  }

  /** Forgets those that are gone, or have a place. */
  #waitingNow(): Neighbour[] {
    const waiting: Neighbour[] = [];
    for (const device of this.#waiting) {
      const neighbour = this.#neighbours.get(device);
      if (neighbour?.phase.kind === 'idle') waiting.push(neighbour);
      else this.#waiting.delete(device);
    }
    return waiting;
  }

  #isBelow(first: ActiveNeighbour, second: ActiveNeighbour): boolean {
    const [rank, otherRank] = [this.#budget.rankOf(first.device), this.#budget.rankOf(second.device)];
    return rank === otherRank ? isNewer(first.phase, second.phase) : rank > otherRank;
  }

  #actives(): ActiveNeighbour[] {
    return [...this.#neighbours.values()].filter(isActive);
  }
}
