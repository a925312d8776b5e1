// When this device asks its neighbours about members that it cannot hear itself, and whom it asks.

import type { DeviceId } from '../model/ids.ts';
import { MAX_BELIEFS_PER_MESSAGE } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';

/** Neighbours asked at a time: SWIM's k, as memberlist has it. */
const ASKED_COUNT = 3;
/** The first round follows a change after this, ms; each wait is twice as long as the one before. */
const FIRST_GAP_MS = 1_000;
/** The longest wait, ms: while nothing changes, news of a member is at most some minutes old. */
const MAX_GAP_MS = 60_000;

export interface Round {
  readonly asked: readonly DeviceId[];
  readonly about: readonly DeviceId[];
}

export class Inquiry {
  #gapMs = FIRST_GAP_MS;
  #nextMs: MonotonicMs = Infinity;
  #turn = 0;

  /** Somebody came or went: ask soon. */
  hurry(nowMs: MonotonicMs): void {
    this.#gapMs = FIRST_GAP_MS;
    this.#nextMs = Math.min(this.#nextMs, nowMs + FIRST_GAP_MS);
  }

  /**
   * Whom to ask about whom now; each neighbour and each member has its turn. `leastGraceMs`: the shortest
   * grace of a member, of which an answer may take no more than a part.
   */
  round(
    nowMs: MonotonicMs,
    neighbours: readonly DeviceId[],
    absent: readonly DeviceId[],
    leastGraceMs: number,
  ): Round | undefined {
    if (nowMs < this.#nextMs) return undefined;
    if (neighbours.length === 0 || absent.length === 0) {
      this.#nextMs = Infinity;
      return undefined;
    }
    this.#nextMs = nowMs + this.#gapMs;
    this.#gapMs = Math.min(2 * this.#gapMs, MAX_GAP_MS, Math.max(FIRST_GAP_MS, leastGraceMs / 8));
    const turn = this.#turn++;
    // The same neighbours until they were asked about all.
    const lap = Math.floor(turn / Math.ceil(absent.length / MAX_BELIEFS_PER_MESSAGE));
    return {
      asked: inTurn(neighbours, lap * ASKED_COUNT, ASKED_COUNT),
      about: inTurn(absent, turn * MAX_BELIEFS_PER_MESSAGE, MAX_BELIEFS_PER_MESSAGE),
    };
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#nextMs;
  }
}

/** Up to `count` of `all`, from the one at `from` on, around the end. */
function inTurn(all: readonly DeviceId[], from: number, count: number): DeviceId[] {
  if (all.length <= count) return [...all];
  const start = from % all.length;
  return [...all.slice(start), ...all.slice(0, start)].slice(0, count);
}
