// Work that nobody waits for. Closed links, cancelled work and a pool that was left are reported by other
// events; every other failure goes to `failed`.

import { isPalmError } from '../../core/model/errors.ts';

export class BackgroundWork {
  readonly #failed: (error: unknown) => void;
  readonly #working = new Set<Promise<unknown>>();

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  add(work: Promise<unknown>): void {
    this.#working.add(work);
    const ended = work.finally(() => this.#working.delete(work));
    ended.catch((error: unknown) => {
      const isExpected =
        isPalmError(error, 'link-closed') ||
        isPalmError(error, 'cancelled') ||
        isPalmError(error, 'not-in-pool');
      if (!isExpected) this.#failed(error);
    });
  }

  /** Resolves when all work begun so far has ended. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#working);
  }
}
