// Tells when something has not been used for a while. A use costs next to nothing, also when there are
// thousands a second: the timer is not set anew for each.

export class IdleTimer {
  readonly #idleMs: number;
  readonly #idle: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wasUsed = false;

  /**
   * `idle` is called once after the last use: `idleMs` after it at the earliest, twice that at the latest.
   */
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
