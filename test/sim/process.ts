// The life of one simulated tab. Everything that reaches its code (timers, messages, disk, workers) comes
// through here: a frozen tab gets nothing until it thaws, and then everything in order; a killed one gets
// nothing ever again.

export class SimProcess {
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #backlog: (() => void)[] = [];

  get dead(): boolean {
    return this.#state === 'dead';
  }

  get frozen(): boolean {
    return this.#state === 'frozen';
  }

  /** Lets `action` happen inside the tab: now, when it thaws, or never. */
  run(action: () => void): void {
    if (this.#state === 'running') action();
    else if (this.#state === 'frozen') this.#backlog.push(action);
  }

  /** `work`, whose outcome reaches the tab only while it lives and runs. */
  hears<Result>(work: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      work.then(
        (result) => this.run(() => resolve(result)),
        (error: unknown) => this.run(() => reject(error)),
      );
    });
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const action of backlog) this.run(action);
  }

  kill(): void {
    this.#state = 'dead';
    this.#backlog = [];
  }
}
