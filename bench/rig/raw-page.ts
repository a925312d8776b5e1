// The page's side of the raw ceiling: plain simple-peer channels with a backpressure loop, and nothing else.
// No sealing, no coding, no hashing, no disk. It runs in the same pages as Palm, next to Palm's idle links.
//
// One page asks and measures, on its own clock: from the first ask to the last byte (pull), or to the last
// acknowledgement (push). Text frames are the asks, binary frames the bytes.

export interface RawChannels {
  /** Resolves when channel `id` to the other page is open. */
  open(id: string, initiator: boolean): Promise<void>;
  /**
   * New signals for the other page since the last call, as soon as there are any; empty once the channel is
   * open.
   */
  signals(id: string): Promise<unknown[]>;
  apply(id: string, signals: unknown[]): void;
  /**
   * Sends these bytes on each channel, all at the same time. Returns the ms until every other end has all of
   * them.
   */
  push(bytesById: Readonly<Record<string, number>>): Promise<number>;
  /**
   * Has these bytes sent on each channel, all at the same time. Returns the ms until all have arrived here.
   */
  pull(bytesById: Readonly<Record<string, number>>): Promise<number>;
}

declare global {
  interface Window {
    rawChannels: RawChannels;
    readonly SimplePeer: typeof import('simple-peer');
  }
}

/**
 * Runs in the page, after simple-peer's own script, as source text, so it refers to nothing outside itself.
 */
export function installRawChannels(): void {
  // As in Palm, for the same reasons; other sizes are no faster (64 KiB to 256 KiB were tried).
  const chunk = new Uint8Array(64 * 1024);
  const highBytes = 2 ** 20;
  const lowBytes = highBytes / 4;
  const ends = new Map<string, End>();

  class End {
    readonly peer: import('simple-peer').Instance;
    readonly opened: Promise<void>;
    channel: RTCDataChannel | undefined;
    waiting: unknown[] = [];
    isOpen = false;
    onSignals: () => void = () => undefined;
    /** Bytes still to come, and the callback for the end. */
    awaitedBytes = 0;
    onWhole: () => void = () => undefined;
    onThanks: () => void = () => undefined;

    constructor(initiator: boolean) {
      this.peer = new window.SimplePeer({ initiator, objectMode: true, config: { iceServers: [] } });
      this.peer.on('signal', (signal) => {
        this.waiting.push(signal);
        this.onSignals();
      });
      this.peer.on('data', (data: unknown) => this.take(data));
      this.opened = new Promise((resolve, reject) => {
        this.peer.on('error', reject);
        this.peer.on('connect', () => {
          // simple-peer's own name for its channel; its own send has no backpressure.
          const channel: unknown = Reflect.get(this.peer, '_channel');
          if (!(channel instanceof RTCDataChannel)) throw new Error('simple-peer has no channel');
          channel.bufferedAmountLowThreshold = lowBytes;
          this.channel = channel;
          this.isOpen = true;
          this.onSignals();
          resolve();
        });
      });
    }

    take(data: unknown): void {
      if (data instanceof Uint8Array) {
        this.awaitedBytes -= data.length;
        if (this.awaitedBytes === 0) this.onWhole();
        return;
      }
      const [word, count] = String(data).split(' ');
      if (word === 'pull') void this.send(Number(count));
      else if (word === 'push') this.expect(Number(count), () => this.peer.send('thanks'));
      else this.onThanks();
    }

    expect(byteCount: number, onWhole: () => void): void {
      this.awaitedBytes = byteCount;
      this.onWhole = onWhole;
    }

    async send(byteCount: number): Promise<void> {
      const { channel } = this;
      if (channel === undefined) throw new Error('the channel is not open');
      for (let sentBytes = 0; sentBytes < byteCount; sentBytes += chunk.length) {
        if (channel.bufferedAmount > highBytes) {
          await new Promise((resolve) =>
            channel.addEventListener('bufferedamountlow', resolve, { once: true }),
          );
        }
        channel.send(chunk.subarray(0, Math.min(chunk.length, byteCount - sentBytes)));
      }
    }
  }

  const endOf = (id: string): End => {
    const end = ends.get(id);
    if (end === undefined) throw new Error(`there is no channel ${id}`);
    return end;
  };
  const timed = async (
    bytesById: Readonly<Record<string, number>>,
    work: (end: End, byteCount: number, done: () => void) => void,
  ): Promise<number> => {
    const asked = Object.entries(bytesById).filter(([, byteCount]) => byteCount > 0);
    const startMs = performance.now();
    await Promise.all(asked.map(([id, count]) => new Promise<void>((done) => work(endOf(id), count, done))));
    return performance.now() - startMs;
  };

  window.rawChannels = {
    open(id, initiator) {
      const end = new End(initiator);
      ends.set(id, end);
      return end.opened;
    },
    async signals(id) {
      const end = endOf(id);
      if (end.waiting.length === 0 && !end.isOpen)
        await new Promise<void>((resolve) => (end.onSignals = resolve));
      return end.waiting.splice(0);
    },
    apply(id, signals) {
      for (const signal of signals) Reflect.apply(endOf(id).peer.signal, endOf(id).peer, [signal]);
    },
    push: (bytesById) =>
      timed(bytesById, (end, byteCount, done) => {
        end.onThanks = done;
        end.peer.send(`push ${byteCount}`);
        void end.send(byteCount);
      }),
    pull: (bytesById) =>
      timed(bytesById, (end, byteCount, done) => {
        end.expect(byteCount, done);
        end.peer.send(`pull ${byteCount}`);
      }),
  };
}
