// Audits that a device did not answer while its link was up and it vouched for its disk. One is no sign of
// anything: it may be busy, or its disk slow. But who gave nothing three times in a row over a minute, or not
// this fragment in three times, is not counted on for what it was asked for, until it gives it.
//
// Invariant: at most MAX_PLACES of a device are remembered, and MAX_DEVICE_COUNT devices.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Place } from '../wire/places.ts';

const ENOUGH_TIMES = 3;
/** From the first of them to the last, ms. */
const ENOUGH_MS = 60_000;
/** More than are audited of a device in a row. */
const MAX_PLACES = 32;

interface Missed {
  readonly sinceMs: MonotonicMs;
  readonly count: number;
}

interface Device {
  /** Since it last gave something. */
  row: Missed | undefined;
  readonly places: Map<string, Missed & { readonly place: Place }>;
}

export class Unanswered {
  readonly #devices = new Map<DeviceId, Device>();

  /** The device gave what it was asked for. */
  given(device: DeviceId, place: Place): void {
    const known = this.#devices.get(device);
    if (known === undefined) return;
    known.row = undefined;
    known.places.delete(keyOf(place));
    if (known.places.size === 0) this.#devices.delete(device);
  }

  /** It did not answer. Returns those of the places that it was asked for in vain to count no longer on. */
  missed(nowMs: MonotonicMs, device: DeviceId, place: Place): readonly Place[] {
    const known = this.#devices.get(device) ?? { row: undefined, places: new Map() };
    if (!this.#devices.has(device) && this.#devices.size >= MAX_DEVICE_COUNT) return [];
    this.#devices.set(device, known);
    known.row = oneMore(nowMs, known.row);
    const missed = oneMore(nowMs, known.places.get(keyOf(place)));
    if (known.places.size < MAX_PLACES || known.places.has(keyOf(place)))
      known.places.set(keyOf(place), { ...missed, place });
    if (isEnough(nowMs, known.row)) return Array.from(known.places.values(), (each) => each.place);
    return isEnough(nowMs, missed) ? [place] : [];
  }

  /** The device is no member any more. */
  forget(device: DeviceId): void {
    this.#devices.delete(device);
  }
}

function oneMore(nowMs: MonotonicMs, missed: Missed | undefined): Missed {
  return { sinceMs: missed?.sinceMs ?? nowMs, count: (missed?.count ?? 0) + 1 };
}

function isEnough(nowMs: MonotonicMs, { sinceMs, count }: Missed): boolean {
  return count >= ENOUGH_TIMES && nowMs - sinceMs >= ENOUGH_MS;
}

function keyOf({ file, fragment }: Place): string {
  return `${file}/${fragment}`;
}
