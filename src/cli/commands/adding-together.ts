// The order in which additions run: a large one alone, small ones together, because each mostly waits for
// disks and for answers of other devices.
//
// Invariants: results are told in the order of the additions, each as soon as all before it have ended; once
// one failed, no other begins, those under way end, and what they stored is told before the failure is
// thrown: nothing else has the link of a private file.

import { MAX_SMALL_STORES, SMALL_STORES_BYTES } from '../../core/model/limits.ts';

interface Adding<Addition, Result> {
  /** Infinity where nobody knows. */
  readonly bytesOf: (addition: Addition) => number;
  readonly add: (addition: Addition) => Promise<Result>;
  readonly told: (addition: Addition, result: Result) => void;
}

type Outcome<Result> =
  | { readonly kind: 'added'; readonly result: Result }
  | { readonly kind: 'failed'; readonly error: unknown };

/** @throws the first failure, by the order of the additions. */
export async function addTogether<Addition, Result>(
  additions: readonly Addition[],
  { bytesOf, add, told }: Adding<Addition, Result>,
): Promise<void> {
  const outcomes = new Map<number, Outcome<Result>>();
  const running = new Map<number, Promise<void>>();
  let [next, nextTold, runningBytes, hasFailed] = [0, 0, 0, false];
  const run = async (addition: Addition, at: number): Promise<void> => {
    const bytes = bytesOf(addition);
    runningBytes += bytes;
    try {
      outcomes.set(at, { kind: 'added', result: await add(addition) });
    } catch (error) {
      hasFailed = true;
      outcomes.set(at, { kind: 'failed', error });
    }
    running.delete(at);
    // The sum of what is unknown is unknown: such an addition runs alone.
    runningBytes = running.size === 0 ? 0 : runningBytes - bytes;
  };
  const tell = (at: number): void => {
    const [addition, outcome] = [additions[at], outcomes.get(at)];
    if (addition !== undefined && outcome?.kind === 'added') told(addition, outcome.result);
  };
  for (;;) {
    for (let addition = additions[next]; addition !== undefined && !hasFailed; addition = additions[next]) {
      const isRoom =
        running.size < MAX_SMALL_STORES && runningBytes + bytesOf(addition) <= SMALL_STORES_BYTES;
      if (running.size > 0 && !isRoom) break;
      running.set(next, run(addition, next));
      next += 1;
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
    while (outcomes.get(nextTold)?.kind === 'added') tell(nextTold++);
  }
  for (; nextTold < next; nextTold++) tell(nextTold);
  for (let at = 0; at < next; at++) {
    const outcome = outcomes.get(at);
    if (outcome?.kind === 'failed') throw outcome.error;
  }
}
