// Reports each device that speaks another version of the protocol once: such a device tries to link again and
// again.

import { MAX_DEVICE_COUNT } from '../core/model/limits.ts';
import type { DeviceId } from '../core/model/ids.ts';
import { PROTOCOL_VERSION } from '../core/wire/messages.ts';
import type { Notice, QuotedDevice } from './notice.ts';

export class OtherVersions {
  readonly #told = new Set<DeviceId>();
  readonly #warn: (notice: Notice) => void;

  constructor(warn: (notice: Notice) => void) {
    this.#warn = warn;
  }

  met(device: QuotedDevice, protocol: number): void {
    if (this.#told.has(device.id) || this.#told.size >= MAX_DEVICE_COUNT) return;
    this.#told.add(device.id);
    this.#warn({ kind: 'other-version', device, isOlder: protocol < PROTOCOL_VERSION });
  }
}
