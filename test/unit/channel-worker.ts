// What Palm uses of a Worker, with a service on the other end of a real channel.

export class ChannelWorker extends EventTarget implements Worker {
  readonly #near: MessagePort;
  readonly #far: MessagePort;
  requestCount = 0;
  terminated = false;
  onmessage = null;
  onmessageerror = null;
  onerror = null;

  /** `serve` has the far end of the channel. */
  constructor(serve: (port: MessagePort) => void) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.#near = port1;
    this.#far = port2;
    serve(port2);
    port1.addEventListener('message', (event: MessageEvent<unknown>) => {
      this.dispatchEvent(new MessageEvent('message', { data: event.data }));
    });
    port1.start();
  }

  postMessage(message: unknown, transfer?: Transferable[] | StructuredSerializeOptions): void {
    this.requestCount++;
    this.#near.postMessage(message, Array.isArray(transfer) ? transfer : []);
  }

  terminate(): void {
    this.terminated = true;
    this.#near.close();
    this.#far.close();
  }
}
