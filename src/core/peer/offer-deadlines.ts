// What the outbox and a handover do alike with fragments that they offer to others: how long an offer stands,
// when a device that declined is asked again, and how offers travel.

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { type Message } from '../wire/messages.ts';
import { MAX_PLACES_PER_MESSAGE, type Place } from '../wire/places.ts';

export interface Offer {
  readonly device: DeviceId;
  readonly madeAtMs: MonotonicMs;
}

/** A device that was only busy, or behind, is asked again after the first; a full one after the second. */
export const RETRY_SOON_MS = 2_000;
export const RETRY_LATER_MS = 60_000;
/** After this long without a sign of progress an offer goes to another device, ms. */
const OFFER_DEADLINE_MS = 30_000;

export class OfferDeadlines {
  /** When each device last asked for bytes. */
  readonly #progressMs = new Map<DeviceId, MonotonicMs>();

  /** The device asked for bytes: it is at work. */
  progressed(nowMs: MonotonicMs, device: DeviceId): void {
    this.#progressMs.set(device, nowMs);
  }

  progressOf(device: DeviceId): MonotonicMs | undefined {
    return this.#progressMs.get(device);
  }

  /** When the offer expires, unless its device makes progress. */
  dueMs({ device, madeAtMs }: Offer): MonotonicMs {
    return Math.max(madeAtMs, this.#progressMs.get(device) ?? madeAtMs) + OFFER_DEADLINE_MS;
  }
}

/** The messages that offer `places`, by device. */
export function placeMessages(
  places: ReadonlyMap<DeviceId, readonly Place[]>,
): { readonly kind: 'send'; readonly to: DeviceId; readonly message: Message }[] {
  return [...places].flatMap(([to, wanted]) =>
    Array.from({ length: Math.ceil(wanted.length / MAX_PLACES_PER_MESSAGE) }, (_, at) => {
      const from = at * MAX_PLACES_PER_MESSAGE;
      const message = { kind: 'place', places: wanted.slice(from, from + MAX_PLACES_PER_MESSAGE) } as const;
      return { kind: 'send', to, message } as const;
    }),
  );
}
