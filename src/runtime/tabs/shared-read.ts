// One read that outlives the tab which performs it: it goes on elsewhere, from the byte that it had reached.

import type { ReadOptions } from '../api.ts';
import { unlessAborted } from '../unless-aborted.ts';
import type { PieceSource } from '../read/piece-stream.ts';
import { OVER, type Seat } from './seat.ts';

interface OpenRead {
  readonly seat: Seat;
  readonly pieces: PieceSource;
}

export class SharedRead implements PieceSource {
  readonly #seats: { next(): Promise<Seat> };
  readonly #fileId: string;
  readonly #options: ReadOptions;
  readonly #opened: () => void;
  #fail: (error: unknown) => void = () => undefined;
  /** The read by the seat that there is, which may not have begun yet. */
  #open: OpenRead | undefined;
  #deliveredBytes = 0;
  #isCancelled = false;

  /** `opened` is called once the read has begun. */
  constructor(seats: { next(): Promise<Seat> }, fileId: string, options: ReadOptions, opened: () => void) {
    this.#seats = seats;
    this.#fileId = fileId;
    this.#options = options;
    this.#opened = opened;
  }

  async start(fail: (error: unknown) => void): Promise<void> {
    this.#fail = fail;
    if ((await this.#begin()) !== undefined) this.#opened();
  }

  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const open = this.#open ?? (await this.#begin());
      if (open === undefined) return undefined;
      const { seat, pieces } = open;
      const piece = await seat.during(pieces.next());
      if (piece !== OVER) {
        this.#deliveredBytes += piece?.length ?? 0;
        return piece;
      }
      this.#open = undefined;
    }
  }

  async cancel(): Promise<void> {
    this.#isCancelled = true;
    const { seat, pieces } = this.#open ?? {};
    if (seat !== undefined && pieces !== undefined) await seat.during(pieces.cancel());
  }

  /** What is still to be read. The device judges what was asked for, so it gets that unchanged. */
  #rest(): ReadOptions {
    if (this.#deliveredBytes === 0) return this.#options;
    return { ...this.#options, start: (this.#options.start ?? 0) + this.#deliveredBytes };
  }

  /** By the seat that there is, or the next one. Undefined once the reader lost interest. */
  async #begin(): Promise<OpenRead | undefined> {
    for (;;) {
      const seat = await unlessAborted(this.#seats.next(), this.#options.signal);
      if (this.#isCancelled) return undefined;
      const pieces = seat.device.pieces(this.#fileId, this.#rest());
      const open = { seat, pieces };
      this.#open = open;
      const started = await seat.during(
        pieces.start((error) => {
          if (!seat.isOver) this.#fail(error);
        }),
      );
      if (started !== OVER) return open;
      this.#open = undefined;
    }
  }
}
