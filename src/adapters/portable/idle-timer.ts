// Tells when something has been unused for a while. A use costs almost nothing, even thousands a second: it
// does not reset the timer.

export class IdleTimer {
  readonly #idleMs: number;
  readonly #idle: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasUsed = false;

  /** Calls `idle` once after the last use: `idleMs` later at the earliest, twice that at the latest. */
  constructor(idleMs: number, idle: () => void) {
    this.#idleMs = idleMs;
    this.#idle = idle;
  }

  used(): void {
    if (this.#timer === undefined) this.#start();
    else this.#wasUsed = true;
  }

  /** As if it had not been used. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wasUsed = false;
  }

  #start(): void {
    this.#timer = setTimeout(() => {
      if (this.#wasUsed) {
        this.#wasUsed = false;
        this.#start();
        return;
      }
      this.#timer = undefined;
      this.#idle();
    }, this.#idleMs);
  }
}
