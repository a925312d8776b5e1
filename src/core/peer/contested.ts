// Claims to look into (core/repair/audit-plan.ts): somebody offers this device what another one claims,
// perhaps because it knows better; or a file needs repair because they are doubted.
//
// Invariant: at most one of each device is remembered, the last, of MAX_DEVICE_COUNT devices.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT } from '../model/limits.ts';
import type { Place } from '../wire/places.ts';

export class Contested {
  #places = new Map<DeviceId, Place>();

  add(device: DeviceId, place: Place): void {
    if (this.#places.has(device) || this.#places.size < MAX_DEVICE_COUNT) this.#places.set(device, place);
  }

  /** Those since the last call. */
  take(): ReadonlyMap<DeviceId, Place> {
    const places = this.#places;
    this.#places = new Map();
    return places;
  }
}
