// What others offer to this device: fragments to hold, and hints of fragments that they will place here.

import type { BlockHash, DeviceId, JobId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Refusal } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import type { HoldingsTelling } from './holdings-telling.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import { closing, type PeerLink } from './peer-links.ts';
import type { PeerState } from './peer-state.ts';
import type { Prefetching } from './prefetching.ts';
import type { Taking } from './taking.ts';

interface OfferParts {
  readonly telling: HoldingsTelling;
  readonly taking: Taking;
  readonly prefetching: Prefetching;
}

export class Offers {
  readonly #state: PeerState;
  readonly #parts: OfferParts;

  constructor(state: PeerState, parts: OfferParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /** A device asks this one to hold fragments. If it missed that some are here, it is told again. */
  place(from: DeviceId, link: PeerLink, places: readonly Place[]): PeerEffect[] {
    const { taking, telling } = this.#parts;
    const outcomes = places.map((place) => ({
      place,
      outcome: taking.offered(from, place, this.#state.catalogue.files().get(place.file)),
    }));
    const refusals = outcomes.flatMap(({ place, outcome }) =>
      outcome === 'queued' || outcome === 'held'
        ? []
        : [send(from, { kind: 'refuse', place, reason: outcome })],
    );
    const missedSome = outcomes.some(({ outcome }) => outcome === 'held');
    return [...refusals, ...(missedSome ? telling.snapshotFor(from, link) : [])];
  }

  /** A fragment that was offered was fetched, or could not be. */
  pulled(place: Place, from: DeviceId, outcome: 'held' | Refusal): PeerEffect[] {
    this.#parts.taking.ended(place, outcome === 'held');
    if (outcome === 'held' || !this.#state.links.has(from)) return [];
    return [send(from, { kind: 'refuse', place, reason: outcome })];
  }

  /** Foretold blocks are fetched if there is room; nobody is told which are not. */
  soon(nowMs: MonotonicMs, from: DeviceId, job: JobId, blocks: readonly BlockHash[]): PeerEffect[] {
    if (this.#state.catalogue.hasLeft(from)) return [closing(from, 'stores a file although it left')];
    // What it stores would not count.
    if (this.#state.acts.roleOf(from) === 'reader') return [];
    this.#parts.prefetching.foretold(nowMs, from, job, blocks, this.roomBytes());
    return [];
  }

  /** What this device offers beyond the fragments that it is taking and those in their grace. */
  roomBytes(): number {
    const { own, lettingGo } = this.#state;
    if (lettingGo.isLeaving) return 0;
    return own.roomBytes - this.#parts.taking.promisedBytes;
  }
}
