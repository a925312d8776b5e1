// The links of one door: messages in and out, over a transport of their own. Whoever sends what no door knows
// is cut off.

import { decodeDoorMessage, encodeDoorMessage, type DoorMessage } from '../../core/admission/door-message.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { RelayState, Transport } from '../../core/transport-port.ts';

export interface DoorEvents {
  linkUp(device: DeviceId): void;
  linkDown(device: DeviceId): void;
  message(device: DeviceId, message: DoorMessage): void;
  relayState?(state: RelayState): void;
}

export class DoorLinks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  open(events: DoorEvents): void {
    this.#transport.open({
      linkUp: (device) => events.linkUp(device),
      linkDown: (device) => events.linkDown(device),
      message: (device, bytes) => {
        const message = this.#decoded(device, bytes);
        if (message !== undefined) events.message(device, message);
      },
      relayState: (state) => events.relayState?.(state),
      // What strangers do at a door is no news: whoever holds the invite may knock.
      rejected: () => undefined,
    });
  }

  /** Does nothing if the link has ended: its end was told. */
  async send(device: DeviceId, message: DoorMessage): Promise<void> {
    try {
      await this.#transport.send(device, [encodeDoorMessage(message)], 'control');
    } catch (error) {
      if (!isPalmError(error, 'link-closed')) throw error;
    }
  }

  closeLink(device: DeviceId, reason: string): void {
    this.#transport.closeLink(device, reason);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  #decoded(device: DeviceId, bytes: Uint8Array): DoorMessage | undefined {
    try {
      return decodeDoorMessage(bytes);
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#transport.closeLink(device, 'unreadable message');
      return undefined;
    }
  }
}
