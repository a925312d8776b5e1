// SegmentCodec over a pool of codec workers: sealing and coding neither block the page nor wait for one core.
//
// Invariants: a worker has at most CALLS_PER_WORKER calls; calls beyond that wait in order, at most
// MAX_WAITING_CALLS of them; each call settles exactly once: by its worker, its abort, its worker's death, or
// close().

import { type Remote, transfer, wrap } from 'comlink';
import { AbortWatch } from '../../../core/abort-watch.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import { sealedBlockBytes } from '../../../core/model/geometry.ts';
import { BLOCK_BYTES, MAX_FRAGMENT_COUNT } from '../../../core/model/limits.ts';
import type { ArrivedBlock, Memory, SegmentCodec, SegmentParameters } from '../../../core/ports.ts';
import { BufferPool } from '../buffer-pool.ts';
import { buffersOf } from '../threads/buffers.ts';
import type { CodecService } from './codec-service.ts';
import { valueOf, type Outcome } from '../threads/outcome.ts';

/** One call is worked on while the next one travels. */
const CALLS_PER_WORKER = 2;
/** Waiting calls hold a segment each, about 1 MiB with the usual k = 4: 64 MiB at most. */
const MAX_WAITING_CALLS = 64;
/** WebCrypto works on the calling thread (Chromium 156), so a worker uses one core. */
const MIN_WORKERS = 2;
/** This many are faster than any link, and each costs some MiB of memory. */
const MAX_WORKERS = 4;

export interface CodecPoolOptions {
  /** Default: one for each core but one, at least 2, at most 4. */
  readonly workerCount?: number;
  /** Starts a codec worker (workers/codec.worker.ts). */
  readonly createWorker: () => Worker;
  /**
   * Sealed blocks use these buffers; memory of sealed plaintexts and opened blocks returns to them. Default:
   * its own.
   */
  readonly memory?: Memory;
}

/**
 * Workers start with the first call that needs them. In addition to the errors in `SegmentCodec`: 'cancelled'
 * as soon as a call's signal aborts or the pool is closed, 'worker-failed' when its worker dies (the next
 * call gets a new one), 'refused' when too many calls wait.
 */
export function openCodecPool(options: CodecPoolOptions): SegmentCodec {
  const pool = new WorkerPool(options.workerCount ?? defaultWorkerCount(), options.createWorker);
  const memory = options.memory ?? new BufferPool();
  return {
    hash: (plain, signal) =>
      pool.call(async (service) => {
        const { outcome, spent } = await service.hash(transfer(plain, [plain.buffer]));
        memory.give(spent);
        return outcome;
      }, signal),
    seal: (parameters, plain, plainHash, signal) =>
      pool.call(async (service) => {
        const into = blockMemory(memory, parameters, plain.length);
        const { outcome, spent } = await service.seal(
          parameters,
          transfer(plain, [plain.buffer]),
          plainHash,
          transfer(into, buffersOf(into)),
        );
        memory.give(spent);
        return outcome;
      }, signal),
    open: (parameters, blocks, plainBytes, signal) =>
      pool.call(async (service) => {
        const { outcome, spent } = await service.open(parameters, withBuffers(blocks), plainBytes);
        for (const bytes of spent) memory.give(bytes);
        return outcome;
      }, signal),
    rebuild: (blocks, wanted, signal) =>
      pool.call(async (service) => {
        const { outcome, spent } = await service.rebuild(withBuffers(blocks), wanted);
        for (const bytes of spent) memory.give(bytes);
        return outcome;
      }, signal),
    close: () => pool.close(),
  };
}

/** To be sent without copying. */
function withBuffers(blocks: readonly ArrivedBlock[]): readonly ArrivedBlock[] {
  return transfer(blocks, buffersOf(blocks.map(({ bytes }) => bytes)));
}

/** The size of a segment's blocks; nothing for parameters that the codec refuses. */
function blockMemory(
  memory: Memory,
  { k, n }: SegmentParameters,
  plainBytes: number,
): Uint8Array<ArrayBuffer>[] {
  const blockBytes = sealedBlockBytes(plainBytes, k);
  if (blockBytes > BLOCK_BYTES || n > MAX_FRAGMENT_COUNT) return [];
  return Array.from({ length: n }, () => memory.take(blockBytes));
}

interface CodecWorker {
  readonly worker: Worker;
  readonly service: Remote<CodecService>;
  /** Its calls, including aborted ones: it still works on them. */
  readonly calls: Set<Call>;
}

interface Call {
  /** Runs the call on a worker; never rejects. */
  readonly run: (service: Remote<CodecService>) => Promise<Ending>;
  /** Settles the call now, unless it is settled. */
  readonly fail: (error: PalmError) => void;
}

/** How a call returned from its worker, to be settled once the pool has drawn its conclusions. */
interface Ending {
  readonly workerIsWell: boolean;
  readonly settle: () => void;
}

class WorkerPool {
  readonly #workerCount: number;
  readonly #createWorker: () => Worker;
  readonly #workers = new Set<CodecWorker>();
  readonly #waiting: Call[] = [];
  readonly #aborts = new AbortWatch();
  #closed = false;

  constructor(workerCount: number, createWorker: () => Worker) {
    this.#workerCount = workerCount;
    this.#createWorker = createWorker;
  }

  call<Value>(
    send: (service: Remote<CodecService>) => Promise<Outcome<Value>>,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) throw cancelled(signal);
      if (this.#closed) throw closed();
      if (this.#waiting.length >= MAX_WAITING_CALLS) throw tooManyCalls();
      let unwatch: (() => void) | undefined;
      const call: Call = {
        run: (service) =>
          send(service)
            .then(valueOf)
            .then(
              (value): Ending => ({ workerIsWell: true, settle: () => resolve(value) }),
              (error: unknown): Ending => ({
                workerIsWell: !isPalmError(error, 'worker-failed'),
                settle: () => reject(error),
              }),
            )
            .finally(() => unwatch?.()),
        fail: (error) => {
          unwatch?.();
          reject(error);
        },
      };
      const abort = (): void => {
        const at = this.#waiting.indexOf(call);
        if (at >= 0) this.#waiting.splice(at, 1);
        call.fail(cancelled(signal));
      };
      if (signal !== undefined) unwatch = this.#aborts.watch(signal, abort);
      this.#waiting.push(call);
      this.#dispatch();
    });
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#waiting.splice(0)) call.fail(closed());
    for (const worker of this.#workers) this.#end(worker, closed());
  }

  #dispatch(): void {
    for (let call = this.#waiting[0]; call !== undefined; call = this.#waiting[0]) {
      try {
        const worker = this.#leastBusy();
        if (worker === undefined) return;
        this.#waiting.shift();
        void this.#give(call, worker);
      } catch (cause) {
        this.#waiting.shift();
        call.fail(workerFailed(cause));
      }
    }
  }

  async #give(call: Call, worker: CodecWorker): Promise<void> {
    worker.calls.add(call);
    const { workerIsWell, settle } = await call.run(worker.service);
    worker.calls.delete(call);
    // A worker that failed to load its parts, or ran out of memory, gets no more calls, but finishes those it
    // has.
    if (!workerIsWell) this.#workers.delete(worker);
    if (!this.#workers.has(worker) && worker.calls.size === 0) worker.worker.terminate();
    settle();
    this.#dispatch();
  }

  /**
   * An idle worker; otherwise a new one, if there may be more; otherwise the one with the fewest calls that
   * has room.
   */
  #leastBusy(): CodecWorker | undefined {
    let best: CodecWorker | undefined;
    for (const worker of this.#workers) {
      if (best === undefined || worker.calls.size < best.calls.size) best = worker;
    }
    if (best?.calls.size === 0) return best;
    if (this.#workers.size < this.#workerCount) return this.#start();
    return best !== undefined && best.calls.size < CALLS_PER_WORKER ? best : undefined;
  }

  #start(): CodecWorker {
    const worker = this.#createWorker();
    const started: CodecWorker = { worker, service: wrap<CodecService>(worker), calls: new Set() };
    const fail = (event: Event): void => this.#end(started, workerFailed(event));
    worker.addEventListener('error', fail);
    worker.addEventListener('messageerror', fail);
    this.#workers.add(started);
    return started;
  }

  #end(worker: CodecWorker, reason: PalmError): void {
    this.#workers.delete(worker);
    worker.worker.terminate();
    // The calls will never be answered now, so `run` does not return for them.
    for (const call of worker.calls) call.fail(reason);
    this.#dispatch();
  }
}

function defaultWorkerCount(): number {
  return Math.min(Math.max(navigator.hardwareConcurrency - 1, MIN_WORKERS), MAX_WORKERS);
}

function cancelled(signal: AbortSignal | undefined): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' }, { cause: signal?.reason });
}

function closed(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'closing' });
}

function tooManyCalls(): PalmError {
  return new PalmError({ code: 'refused', reason: 'sealing-too-much' });
}

function workerFailed(cause: unknown): PalmError {
  return new PalmError({ code: 'worker-failed', reason: 'codec' }, { cause });
}
