// How the bytes of each open link go: from device to device, or through the relay.

import type { DeviceId } from '../../core/model/ids.ts';
import type { LinkPath, TransportEvents } from '../../core/transport-port.ts';

export class LinkPaths {
  readonly #paths = new Map<DeviceId, LinkPath>();

  /** Undefined without a link, and while it is not known. */
  of(device: DeviceId): LinkPath | undefined {
    return this.#paths.get(device);
  }

  /** Returns `events`, which this watches from now on. `changed` is called after each change. */
  watching(events: TransportEvents, changed: () => void): TransportEvents {
    return {
      ...events,
      linkPath: (device, path) => {
        this.#paths.set(device, path);
        changed();
      },
      linkDown: (device, ...rest) => {
        this.#paths.delete(device);
        events.linkDown(device, ...rest);
      },
    };
  }
}
