// Gives space back that removed contents take: once nobody can bring them back (grace.ts), and earlier where
// fragments of others need the room.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { PeerEffect } from './peer-events.ts';
import type { PeerState } from './peer-state.ts';
import type { Prefetching } from './prefetching.ts';

export class GivingBack {
  readonly #state: PeerState;

  constructor(state: PeerState) {
    this.#state = state;
  }

  /** What to drop now; `promisedBytes`: of fragments that are being taken. */
  advance(nowMs: MonotonicMs, promisedBytes: number): PeerEffect[] {
    const { grace, catalogue, self, own } = this.#state;
    if (grace.size === 0) return [];
    const others = (): DeviceId[] => catalogue.members().filter((device) => device !== self);
    const over = grace
      .over(this.#state.wallAt(nowMs), others, (file) => catalogue.isHidden(file))
      .flatMap((file) => this.#drop(file));
    return [...over, ...this.giveUp(promisedBytes - own.roomBytes)];
  }

  /** The device offers `freeBytes`, less than nothing if removed contents must go for it. */
  measured(freeBytes: number, prefetching: Prefetching): PeerEffect[] {
    const { own, moving, self } = this.#state;
    if (own.isGone) return [];
    // What hints brought, and what is in its grace, gives way to what fragments need: it counts as free.
    // What is on the disk beyond the offered space is not forgotten: what goes pays for it first.
    own.measured(Math.floor(freeBytes) + prefetching.hereBytes + own.spareBytes);
    const effects = this.giveUp(-Math.floor(freeBytes));
    prefetching.measured();
    moving.spaceTold(self);
    return effects;
  }

  /** Drops the longest removed contents until `bytes` are free, or none is left. */
  giveUp(bytes: number): PeerEffect[] {
    const { grace, own } = this.#state;
    if (bytes <= 0 || grace.size === 0) return [];
    return grace.giveUp(bytes, (file) => own.bytesOf(file)).flatMap((file) => this.#drop(file));
  }

  #drop(file: FileId): PeerEffect[] {
    const { own } = this.#state;
    own.gaveUp(file);
    return [{ kind: 'outbox-done', file, surplus: [...own.of(file)] }];
  }
}
