// What waits for requests of the lane: few requests at a time, each with what has gathered meanwhile.
//
// Invariant: each item settles once: with what its request gave for it, or undefined.

import { LANE_REQUESTS, LANE_RUN_BLOCKS } from '../../core/model/limits.ts';

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: unknown) => void;
}

export class RunQueue<Item, Result> {
  readonly #run: (items: readonly Item[]) => Promise<readonly (Result | undefined)[]>;
  #waiting: Waiting<Item, Result>[] = [];
  readonly #running = new Set<Waiting<Item, Result>>();
  #runCount = 0;
  #isStarting = false;

  /** `run` makes one request; its results are in the order of the items. */
  constructor(run: (items: readonly Item[]) => Promise<readonly (Result | undefined)[]>) {
    this.#run = run;
  }

  add(item: Item): Promise<Result | undefined> {
    const result = new Promise<Result | undefined>((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
    });
    // What is added in the same turn goes together.
    if (!this.#isStarting) queueMicrotask(() => this.#start());
    this.#isStarting = true;
    return result;
  }

  /** What waits gets nothing; what is under way goes on. */
  dropWaiting(): void {
    for (const { resolve } of this.#waiting) resolve(undefined);
    this.#waiting = [];
  }

  /** Everything gets nothing, now. */
  end(): void {
    this.dropWaiting();
    for (const { resolve } of this.#running) resolve(undefined);
  }

  #start(): void {
    this.#isStarting = false;
    while (this.#runCount < LANE_REQUESTS && this.#waiting.length > 0) {
      this.#runCount += 1;
      void this.#request(this.#waiting.splice(0, LANE_RUN_BLOCKS));
    }
  }

  async #request(waiting: readonly Waiting<Item, Result>[]): Promise<void> {
    for (const each of waiting) this.#running.add(each);
    try {
      const results = await this.#run(waiting.map(({ item }) => item));
      for (const [at, { resolve }] of waiting.entries()) resolve(results[at]);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      for (const each of waiting) this.#running.delete(each);
      this.#runCount -= 1;
      this.#start();
    }
  }
}
