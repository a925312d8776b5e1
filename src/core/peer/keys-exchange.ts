// How a device that lacks the keys of an epoch gets them: from any linked device that has them. Both ends of
// a greeted link are in the pool, as each of them sees it, so whoever asks on one may have all keys.

import type { DeviceId } from '../model/ids.ts';
import { CONTROL_DEADLINE_MS } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Greeting } from '../wire/greetings.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import type { PeerLink } from './peer-links.ts';
import type { PeerState } from './peer-state.ts';

/** How often a device may ask on one link: once for each of many epochs that became known one by one. */
const MAX_GIVEN = 64;
/** A link is asked again after twice the time, up to this often. */
const MAX_DOUBLINGS = 8;

export class KeysExchange {
  readonly #state: PeerState;
  #isMissing = false;
  /** The device that was asked last, and until when an answer is awaited. */
  #asked: { readonly device: DeviceId; readonly untilMs: MonotonicMs } | undefined;

  constructor(state: PeerState) {
    this.#state = state;
  }

  /** Whether keys of an epoch that counts are not here. Returns whether they were not, and are. */
  looked(isMissing: boolean): boolean {
    const wasMissing = this.#isMissing;
    this.#isMissing = isMissing;
    if (!wasMissing || !isMissing) this.#asked = undefined;
    return wasMissing && !isMissing;
  }

  heard(from: DeviceId, link: PeerLink, message: Greeting & { kind: 'keys-wanted' | 'keys' }): PeerEffect[] {
    if (message.kind === 'keys') {
      // Unasked, anybody could fill this device with keys of epochs that never counted.
      return this.#asked?.device === from ? [{ kind: 'take-keys', from, sealed: message.sealed }] : [];
    }
    link.givenKeysCount += 1;
    // It may lack keys that nobody has. It asks less and less often, and is no worse a member for it.
    if (link.givenKeysCount > MAX_GIVEN) return [];
    return [{ kind: 'give-keys', to: from }];
  }

  /** Asks one device after another, those asked least often first. */
  advance(nowMs: MonotonicMs): PeerEffect[] {
    if (!this.#isMissing || this.#isAwaited(nowMs)) return [];
    const [next] = this.#state.links
      .greeted()
      .toSorted(([, a], [, b]) => a.wantedKeysCount - b.wantedKeysCount);
    if (next === undefined) return [];
    const [device, link] = next;
    const waitMs = CONTROL_DEADLINE_MS * 2 ** Math.min(link.wantedKeysCount, MAX_DOUBLINGS);
    link.wantedKeysCount += 1;
    this.#asked = { device, untilMs: nowMs + waitMs };
    return [send(device, { kind: 'keys-wanted' })];
  }

  #isAwaited(nowMs: MonotonicMs): boolean {
    const asked = this.#asked;
    return asked !== undefined && nowMs < asked.untilMs && this.#state.links.isGreeted(asked.device);
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#isMissing ? (this.#asked?.untilMs ?? Infinity) : Infinity;
  }
}
