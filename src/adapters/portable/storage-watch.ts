// Notices that what this page stored was deleted under it: the person cleared the site's data, or the browser
// evicted it. A page may go on for hours otherwise, over an empty database or files that no longer have a
// name, and others would count on what it held.

import { isPalmError } from '../../core/model/errors.ts';
import type { Clock } from '../../core/ports.ts';

/** Between looks, ms: each is a read of a row, and of two folders' names. */
const LOOK_EVERY_MS = 5_000;

export class StorageWatch {
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
  readonly #clock: Clock;
  readonly #checks: readonly (() => Promise<void>)[];
  #tellGone: () => void = () => undefined;
  #isGone = false;

  /** Each of `checks` rejects with 'storage-failed', reason 'gone', when what it looks at is gone. */
  constructor(clock: Clock, checks: readonly (() => Promise<void>)[]) {
    this.#clock = clock;
    this.#checks = checks;
    this.gone = new Promise((resolve) => (this.#tellGone = resolve));
    this.#plan();
  }

  /** Somebody else noticed. */
  found(): void {
    this.#isGone = true;
    this.#tellGone();
  }

  #plan(): void {
    this.#clock.after(LOOK_EVERY_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    if (this.#isGone) return;
    const outcomes = await Promise.allSettled(this.#checks.map((check) => check()));
    // Other failures say nothing of that: whoever meets them reports them.
    const isGone = outcomes.some((outcome) => outcome.status === 'rejected' && saysGone(outcome.reason));
    if (isGone) this.found();
    else this.#plan();
  }
}

function saysGone(error: unknown): boolean {
  return isPalmError(error, 'storage-failed') && 'reason' in error.failure && error.failure.reason === 'gone';
}
