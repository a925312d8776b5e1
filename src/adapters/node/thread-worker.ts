// A thread of Node with the face of a page's Worker, which the bridges to workers know.

import { Worker as Thread, type TransferListItem } from 'node:worker_threads';

/**
 * A thread's garbage is short-lived: messages, and what a call to the disk leaves. Node would let 48 MB of
 * it gather in each thread before it looks.
 */
const LIMITS = { maxYoungGenerationSizeMb: 6 };

export class ThreadWorker extends EventTarget implements Worker {
  onmessage = null;
  onmessageerror = null;
  onerror = null;
  readonly #thread: Thread;

  /** Runs the module at `path`; `data` is its `workerData`. */
  constructor(path: string, data?: unknown) {
    super();
    this.#thread = new Thread(path, { workerData: data, resourceLimits: LIMITS });
    this.#thread.on('message', (message: unknown) => {
      this.dispatchEvent(new MessageEvent('message', { data: message }));
    });
    this.#thread.on('messageerror', () => this.dispatchEvent(new Event('messageerror')));
    this.#thread.on('error', (error) => this.#failed(error));
    this.#thread.on('exit', (code) => {
      if (code !== 0) this.#failed(new Error(`the thread ended with ${code}`));
    });
  }

  postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
    const list = Array.isArray(transfer) ? transfer : (transfer?.transfer ?? []);
    this.#thread.postMessage(message, list.filter(isOfNode));
  }

  terminate(): void {
    void this.#thread.terminate();
  }

  #failed(cause: unknown): void {
    this.dispatchEvent(Object.assign(new Event('error'), { cause }));
  }
}

/** What pages may transfer and Node may not is never sent to a thread. */
function isOfNode(item: Transferable): item is Transferable & TransferListItem {
  return item instanceof ArrayBuffer || item instanceof MessagePort;
}
