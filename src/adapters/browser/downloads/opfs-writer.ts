// The OPFS worker, seen from the page. It starts with the first file that is opened and ends with the last.
//
// Invariants: each call settles exactly once, by its worker or by its worker's death; after a death the next
// `open` starts another worker, and files that were open in the dead one must be opened again.

import { type Remote, transfer, wrap } from 'comlink';
import { PalmError } from '../../../core/model/errors.ts';
import type { OpfsService } from './opfs-contract.ts';
import type { Outcome } from '../../portable/threads/outcome.ts';
import { callWorker, type CalledWorker } from '../../portable/threads/worker-call.ts';

interface RunningWorker extends CalledWorker<OpfsService> {
  readonly worker: Worker;
  readonly openNames: Set<string>;
}

/** Errors are those of `OpfsService`, and 'worker-failed' when the worker dies. */
export class OpfsWriter {
  readonly #createWorker: () => Worker;
  #running: RunningWorker | undefined;

  /** `createWorker` starts an OPFS worker (workers/opfs.worker.ts). */
  constructor(createWorker: () => Worker) {
    this.#createWorker = createWorker;
  }

  /** Opens the file and cuts it to `keepBytes`; returns its length. */
  async open(name: string, keepBytes: number): Promise<number> {
    const running = (this.#running ??= this.#start());
    running.openNames.add(name);
    try {
      return await callWorker(running, (service) => service.open(name, keepBytes));
    } catch (error) {
      this.#forget(running, name);
      throw error;
    }
  }

  /** Takes ownership of `bytes`: the buffer is transferred. */
  write(name: string, atByte: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    return this.#call(name, (service) => service.write(name, atByte, transfer(bytes, [bytes.buffer])));
  }

  flush(name: string): Promise<void> {
    return this.#call(name, (service) => service.flush(name));
  }

  /** A file that is not open, or was open in a worker that died, counts as closed. */
  async close(name: string): Promise<void> {
    const running = this.#running;
    if (running?.openNames.has(name) !== true) return;
    try {
      await callWorker(running, (service) => service.close(name));
    } finally {
      this.#forget(running, name);
    }
  }

  /** As `OpfsService.erase`. Not while the file is open. */
  async erase(name: string): Promise<void> {
    const running = (this.#running ??= this.#start());
    running.openNames.add(name);
    try {
      await callWorker(running, (service) => service.erase(name));
    } finally {
      this.#forget(running, name);
    }
  }

  async #call(name: string, send: (service: Remote<OpfsService>) => Promise<Outcome<void>>): Promise<void> {
    if (this.#running?.openNames.has(name) !== true) throw workerFailed(undefined);
    await callWorker(this.#running, send);
  }

  #start(): RunningWorker {
    let worker: Worker;
    try {
      worker = this.#createWorker();
    } catch (cause) {
      throw workerFailed(cause);
    }
    const running = {
      worker,
      service: wrap<OpfsService>(worker),
      openNames: new Set<string>(),
      pending: new Set<(error: PalmError) => void>(),
    };
    const fail = (event: Event): void => this.#end(running, workerFailed(event));
    worker.addEventListener('error', fail);
    worker.addEventListener('messageerror', fail);
    return running;
  }

  #forget(running: RunningWorker, name: string): void {
    running.openNames.delete(name);
    if (running.openNames.size === 0) this.#end(running, workerFailed(undefined));
  }

  /** `reason` is for calls that would never be answered. */
  #end(running: RunningWorker, reason: PalmError): void {
    if (this.#running === running) this.#running = undefined;
    running.openNames.clear();
    running.worker.terminate();
    for (const reject of running.pending) reject(reason);
  }
}

function workerFailed(cause: unknown): PalmError {
  return new PalmError({ code: 'worker-failed', reason: 'downloads' }, { cause });
}
