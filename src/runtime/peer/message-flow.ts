// Messages to and from linked devices. Messages with a payload are handled as they come. A device's control
// messages are handled one at a time, and only while the device takes the answers.

import type { DeviceId } from '../../core/model/ids.ts';
import type { Lane, Transport } from '../../core/transport-port.ts';
import {
  decodeMessage,
  encodeMessage,
  hasPayload,
  type DecodedMessage,
  type Message,
} from '../../core/wire/messages.ts';
import { Inbox } from './inbox.ts';

/** Messages queued for a device, beyond which none of its own are handled. */
const MAX_UNSENT = 16;

export interface MessageFlowOptions {
  readonly transport: Transport;
  /**
   * Handles a message of a linked device. Its promise is awaited before the device's next control message.
   */
  readonly handle: (from: DeviceId, decoded: DecodedMessage) => Promise<void> | undefined;
  /** A device sent something unreadable. Its link is closed afterwards. */
  readonly unreadable: () => void;
  readonly inBackground: (work: Promise<unknown>) => void;
}

export class MessageFlow {
  readonly #options: MessageFlowOptions;
  readonly #inboxes = new Map<DeviceId, Inbox>();
  /** Messages not yet handed to their link, by device. */
  readonly #sending = new Map<DeviceId, Set<Promise<void>>>();

  constructor(options: MessageFlowOptions) {
    this.#options = options;
  }

  async send(to: DeviceId, message: Message, lane: Lane): Promise<void> {
    const sending = this.#options.transport.send(
      to,
      encodeMessage(message),
      lane,
      undefined,
      message.kind === 'vouch',
    );
    const ofDevice = this.#sending.get(to) ?? new Set();
    this.#sending.set(to, ofDevice.add(sending));
    try {
      await sending;
    } finally {
      ofDevice.delete(sending);
      if (ofDevice.size === 0) this.#sending.delete(to);
    }
  }

  receive(from: DeviceId, bytes: Uint8Array<ArrayBuffer>): void {
    const { transport, handle, inBackground } = this.#options;
    let decoded: DecodedMessage;
    try {
      decoded = decodeMessage(bytes);
    } catch (error) {
      this.#options.unreadable();
      transport.closeLink(from, error instanceof Error ? error.message : 'unreadable message');
      return;
    }
    if (hasPayload(decoded.message.kind)) {
      void handle(from, decoded);
      return;
    }
    const inbox = this.#inboxes.get(from) ?? new Inbox((next) => this.#handleControl(from, next));
    this.#inboxes.set(from, inbox);
    if (inbox.put(decoded, bytes.length)) inBackground(inbox.drain());
    else transport.closeLink(from, 'sends faster than this device can check');
  }

  /** The link is gone: its waiting messages are dropped. */
  linkDown(device: DeviceId): void {
    this.#inboxes.get(device)?.close();
    this.#inboxes.delete(device);
  }

  /** Resolves when every message queued so far was handed to its link, or its link closed. */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.#sending.values()].flatMap((ofDevice) => [...ofDevice]));
  }

  async #handleControl(from: DeviceId, decoded: DecodedMessage): Promise<void> {
    await this.#options.handle(from, decoded);
    // A device that asks faster than it takes the answers must wait.
    const unsent = this.#sending.get(from);
    if (unsent !== undefined && unsent.size > MAX_UNSENT) await Promise.allSettled(unsent);
  }
}
