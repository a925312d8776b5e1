// The stores and reads under way, with their progress and speed, and the signal that cancels each.

import { PalmError } from '../core/model/errors.ts';
import type { Clock } from '../core/ports.ts';
import type { TransferStatus } from './api.ts';

/** Window over which speed is measured, ms: long enough to be steady, short enough to be current. */
const RATE_WINDOW_MS = 4_000;
/** How often the status is looked at while a transfer has a speed: one that stalls tells nobody itself. */
const LOOK_EVERY_MS = 1_000;

export interface TransferStart {
  readonly kind: TransferStatus['kind'];
  readonly name: string;
  readonly phase: TransferStatus['phase'];
  readonly totalBytes: number;
  /** The caller's own signal, if it gave one. */
  readonly signal?: AbortSignal | undefined;
}

export class Transfers {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #transfers = new Map<string, Transfer>();
  #nextId = 1;
  #isLooking = false;

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = () => {
      changed();
      this.#lookLater();
    };
  }

  begin(start: TransferStart): Transfer {
    const id = `transfer-${this.#nextId++}`;
    const transfer = new Transfer(id, start, this.#clock, this.#changed, () => this.#transfers.delete(id));
    this.#transfers.set(id, transfer);
    this.#changed();
    return transfer;
  }

  cancel(id: string): void {
    this.#transfers.get(id)?.abort(cancelled());
  }

  abortAll(reason: PalmError): void {
    for (const transfer of this.#transfers.values()) transfer.abort(reason);
  }

  list(): TransferStatus[] {
    return [...this.#transfers.values()].map((transfer) => transfer.status());
  }

  /** Reports a change until no transfer has a speed: without news a speed goes down to 0. */
  #lookLater(): void {
    if (this.#isLooking || !this.list().some(({ bytesPerSecond }) => bytesPerSecond > 0)) return;
    this.#isLooking = true;
    this.#clock.after(LOOK_EVERY_MS, () => {
      this.#isLooking = false;
      this.#changed();
    });
  }
}

export class Transfer {
  readonly #id: string;
  readonly #start: TransferStart;
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #ended: () => void;
  readonly #controller = new AbortController();
  readonly #samples: { readonly atMs: number; readonly doneBytes: number }[] = [];
  readonly #onCallerAbort: () => void;
  #phase: TransferStatus['phase'];
  #doneBytes = 0;
  #totalBytes: number;
  #fileId = '';

  constructor(id: string, start: TransferStart, clock: Clock, changed: () => void, ended: () => void) {
    this.#id = id;
    this.#start = start;
    this.#clock = clock;
    this.#changed = changed;
    this.#ended = ended;
    this.#phase = start.phase;
    this.#totalBytes = start.totalBytes;
    this.#onCallerAbort = () => this.abort(cancelled());
    if (start.signal?.aborted === true) this.#onCallerAbort();
    start.signal?.addEventListener('abort', this.#onCallerAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: PalmError): void {
    this.#controller.abort(reason);
  }

  enter(phase: TransferStatus['phase'], totalBytes: number, fileId = this.#fileId): void {
    this.#phase = phase;
    this.#totalBytes = totalBytes;
    this.#fileId = fileId;
    this.#doneBytes = 0;
    this.#samples.length = 0;
    this.#changed();
  }

  /** Sets the phase's progress to `doneBytes` of its total. */
  reached(doneBytes: number): void {
    const atMs = this.#clock.monotonicMs();
    this.#doneBytes = doneBytes;
    this.#samples.push({ atMs, doneBytes });
    this.#dropOld(atMs);
    this.#changed();
  }

  advance(bytes: number): void {
    this.reached(this.#doneBytes + bytes);
  }

  end(): void {
    this.#start.signal?.removeEventListener('abort', this.#onCallerAbort);
    this.#ended();
    this.#changed();
  }

  status(): TransferStatus {
    return {
      id: this.#id,
      kind: this.#start.kind,
      name: this.#start.name,
      fileId: this.#fileId,
      phase: this.#phase,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      bytesPerSecond: this.#rate(),
    };
  }

  /** Over the window that ends now, not with the last news: a stalled transfer gets slower. */
  #rate(): number {
    const nowMs = this.#clock.monotonicMs();
    this.#dropOld(nowMs);
    const [first] = this.#samples;
    if (first === undefined || nowMs <= first.atMs) return 0;
    const passedMs = Math.min(nowMs - first.atMs, RATE_WINDOW_MS);
    return ((this.#doneBytes - first.doneBytes) * 1_000) / passedMs;
  }

  /** Keeps the samples of the window, and the last one before it: the progress when the window began. */
  #dropOld(nowMs: number): void {
    while ((this.#samples[1]?.atMs ?? Infinity) <= nowMs - RATE_WINDOW_MS) this.#samples.shift();
  }
}

function cancelled(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'transfer' });
}
