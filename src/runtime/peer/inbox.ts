// The control messages of one device's link that wait to be handled, one after another and in order. Bounded
// in number and in bytes: checking signatures takes longer than sending messages does.

import { MAX_QUEUED_MESSAGES } from '../../core/model/limits.ts';
import type { DecodedMessage } from '../../core/wire/messages.ts';

/** Bytes that wait at most: the holdings of a very full device, told at once, are some 10 MiB. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

interface Waiting {
  readonly decoded: DecodedMessage;
  readonly bytes: number;
}

export class Inbox {
  readonly #handle: (decoded: DecodedMessage) => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #draining = false;
  #isOpen = true;

  /** `handle` is called with the next message once it settled for the one before. */
  constructor(handle: (decoded: DecodedMessage) => Promise<void>) {
    this.#handle = handle;
  }

  /**
   * Puts a message of `bytes` at the end. False when there is no room: the sender is faster than this device.
   */
  put(decoded: DecodedMessage, bytes: number): boolean {
    const hasRoom =
      this.#waiting.length < MAX_QUEUED_MESSAGES && this.#waitingBytes + bytes <= MAX_WAITING_BYTES;
    if (!hasRoom) return false;
    this.#waiting.push({ decoded, bytes });
    this.#waitingBytes += bytes;
    return true;
  }

  /**
   * Handles what waits; resolves at once when that is being done already. Rejects with what `handle` rejected
   * with.
   */
  async drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#handle(next);
    } finally {
      this.#draining = false;
    }
  }

  /** The link is gone: what waits is not handled any more. */
  close(): void {
    this.#isOpen = false;
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
  }

  #take(): DecodedMessage | undefined {
    const next = this.#isOpen ? this.#waiting.shift() : undefined;
    this.#waitingBytes -= next?.bytes ?? 0;
    return next?.decoded;
  }
}
