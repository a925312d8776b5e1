// What waits for requests of the lane: few requests at a time, each with what has gathered meanwhile.
//
// Invariant: each item settles once: with what its request gave for it, or undefined.

import { LANE_REQUESTS } from '../../core/model/limits.ts';

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Makes one request; gives each item what it gets, as it comes. */
type Run<Item, Result> = (
  items: readonly Item[],
  give: (at: number, result: Result) => void,
) => Promise<void>;

export class RunQueue<Item, Result> {
  readonly #maxCount: number;
  readonly #run: Run<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  readonly #running = new Set<Waiting<Item, Result>>();
  #runCount = 0;
  #isStarting = false;

  /** `run` makes one request, for at most `maxCount` items. */
  constructor(maxCount: number, run: Run<Item, Result>) {
    this.#maxCount = maxCount;
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
      void this.#request(this.#waiting.splice(0, this.#maxCount));
    }
  }

  async #request(waiting: readonly Waiting<Item, Result>[]): Promise<void> {
    for (const each of waiting) this.#running.add(each);
    try {
      await this.#run(
        waiting.map(({ item }) => item),
        (at, result) => waiting[at]?.resolve(result),
      );
      for (const { resolve } of waiting) resolve(undefined); // those that got nothing
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    } finally {
      for (const each of waiting) this.#running.delete(each);
      this.#runCount -= 1;
      this.#start();
    }
  }
}
