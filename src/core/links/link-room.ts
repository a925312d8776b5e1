// For which device there is a place among all links and attempts of this one, and who gives way to it.

import type { DeviceId } from '../model/ids.ts';
import type { AttemptBudget } from './attempt-budget.ts';
import { MAX_ATTEMPT_COUNT } from './link-timing.ts';
import { isActive, isNewer, type ActiveNeighbour, type Neighbour } from './neighbour.ts';

export class LinkRoom {
  readonly #neighbours: ReadonlyMap<DeviceId, Neighbour>;
  readonly #budget: AttemptBudget;
  readonly #maxLinkCount: number;

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

  #isBelow(first: ActiveNeighbour, second: ActiveNeighbour): boolean {
    const [rank, otherRank] = [this.#budget.rankOf(first.device), this.#budget.rankOf(second.device)];
    return rank === otherRank ? isNewer(first.phase, second.phase) : rank > otherRank;
  }

  #actives(): ActiveNeighbour[] {
    return [...this.#neighbours.values()].filter(isActive);
  }
}
