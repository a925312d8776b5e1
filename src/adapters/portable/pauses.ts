// Turns of the thread, as core's Pauses.

import type { Pauses } from '../../core/pauses.ts';

/**
 * By messages to itself: hidden pages get timers once a second, and a chain of timers waits 4 ms for each. A
 * task of its own lets taps and drawings pass, which the continuation of `scheduler.yield` may overtake.
 */
export class MessagePauses implements Pauses {
  readonly #channel = new MessageChannel();
  readonly #waiting: (() => void)[] = [];

  constructor() {
    const { port1 } = this.#channel;
    port1.addEventListener('message', () => this.#waiting.shift()?.());
    port1.start();
  }

  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#channel.port2.postMessage(undefined);
    });
  }
}
