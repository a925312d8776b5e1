// The control messages of one link that wait to be handled, one at a time and in order. Bounded in number and
// bytes: checking signatures takes longer than sending messages.

import { MAX_QUEUED_MESSAGES } from '../../core/model/limits.ts';
import type { DecodedMessage } from '../../core/wire/messages.ts';

/** Bytes that may wait: the full holdings of a very full device are some 10 MiB. */
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

  /** `handle` gets the next message once it settled for the previous one. */
  constructor(handle: (decoded: DecodedMessage) => Promise<void>) {
    this.#handle = handle;
  }

  /** Appends a message of `bytes`. False when there is no room: the sender is faster than this device. */
  put(decoded: DecodedMessage, bytes: number): boolean {
    const hasRoom =
      this.#waiting.length < MAX_QUEUED_MESSAGES && this.#waitingBytes + bytes <= MAX_WAITING_BYTES;
    if (!hasRoom) return false;
    this.#waiting.push({ decoded, bytes });
    this.#waitingBytes += bytes;
    return true;
  }

  /** Handles what waits; resolves immediately when that is under way already. Rejects as `handle` does. */
  async drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#handle(next);
    } finally {
      this.#draining = false;
    }
  }

  /** The link is gone: waiting messages are dropped. */
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
