// Removal with time to undo: a removed file disappears from the list immediately, and the pool is told only
// when the time for undoing is over, or earlier when the page is hidden. A tab that is closed may not get
// that far: the file then stays in the pool, which is the safe way to fail. Removals in quick succession form
// one group with one undo. While a person is at the undo button, the time does not run.

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Palm } from '../../runtime/api.ts';

export interface Removal {
  readonly fileId: string;
  readonly name: string;
}

/** Long enough to notice and to reach the button, short enough not to be forgotten. */
export const UNDO_MS = 6_000;

/** Calls `callback` after `delayMs`; returns a function that cancels it. Tests pass their own. */
export type Delay = (delayMs: number, callback: () => void) => () => void;

export class Removals {
  readonly #palm: Pick<Palm, 'remove'>;
  readonly #delay: Delay;
  readonly #onFailed: (removal: Removal, error: unknown) => void;
  readonly #undoable = signal<readonly Removal[]>([]);
  readonly #sent = signal<ReadonlySet<string>>(new Set());
  #cancelTimer: () => void = () => undefined;
  #isHeld = false;

  constructor(
    palm: Pick<Palm, 'remove'>,
    delay: Delay,
    onFailed: (removal: Removal, error: unknown) => void,
  ) {
    this.#palm = palm;
    this.#delay = delay;
    this.#onFailed = onFailed;
  }

  /** Removals that can still be undone. */
  get undoable(): ReadonlySignal<readonly Removal[]> {
    return this.#undoable;
  }

  /**
   * Whether the file is off the list: waiting to be removed, or removed from the pool but still in its
   * status.
   */
  isHidden(fileId: string): boolean {
    return this.#sent.value.has(fileId) || this.#undoable.value.some((removal) => removal.fileId === fileId);
  }

  remove(removal: Removal): void {
    this.#undoable.value = [...this.#undoable.value, removal];
    this.#startTimer();
  }

  /** The pointer or the focus is at the undo button, or has left it: then all the time is there again. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (this.#undoable.value.length > 0) this.#startTimer();
  }

  #startTimer(): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#isHeld ? () => undefined : this.#delay(UNDO_MS, () => this.commit());
  }

  undo(): void {
    this.#end();
  }

  /** Tells the pool now. */
  commit(): void {
    const removals = this.#undoable.value;
    if (removals.length === 0) return;
    this.#sent.value = new Set([...this.#sent.value, ...removals.map((removal) => removal.fileId)]);
    this.#end();
    for (const removal of removals) void this.#send(removal);
  }

  /** The button goes, and nothing is at it any more. */
  #end(): void {
    this.#cancelTimer();
    this.#isHeld = false;
    this.#undoable.value = [];
  }

  /** Never rejects: the file returns to the list, and the failure is reported. */
  async #send(removal: Removal): Promise<void> {
    try {
      await this.#palm.remove(removal.fileId);
    } catch (error) {
      this.#onFailed(removal, error);
    }
    // From here on the pool's own status tells whether the file is there.
    const rest = new Set(this.#sent.value);
    rest.delete(removal.fileId);
    this.#sent.value = rest;
  }
}
