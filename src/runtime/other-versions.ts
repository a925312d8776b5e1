// Devices that speak another version of the protocol, told to people once each: such a device tries to link again and again.

import { MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import type { DeviceId } from '../core/model/ids.ts';
import { PROTOCOL_VERSION } from '../core/wire/messages.ts';

export class OtherVersions {
  readonly #told = new Set<DeviceId>();
  readonly #warn: (text: string) => void;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** `name`: as `quotedDevice` gives it. */
  met(device: DeviceId, name: string, protocol: number): void {
    if (this.#told.has(device) || this.#told.size >= MAX_DEVICE_COUNT) return;
    this.#told.add(device);
    this.#warn(
      protocol < PROTOCOL_VERSION
        ? `${name} runs an older version of Palm. Reload the page there to update; until then it cannot be reached.`
        : `${name} runs a newer version of Palm. Reload this page to update; what is stored here stays.`,
    );
  }
}
