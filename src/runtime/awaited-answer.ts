// A join waits for a first answer, but not forever: the others may all be away.

import type { Clock } from '../core/ports.ts';
import type { OpenPool } from './open-pool.ts';

/** How long a join waits for a device to answer, ms. */
const ANSWER_WITHIN_MS = 8_000;

/** Resolves when another device answers, or after a while; with whether one did. */
export function awaitAnswer(session: Pick<OpenPool, 'answered' | 'driver'>, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stopWatching();
      stopTimer();
      resolve(session.answered);
    };
    const stopWatching = session.driver.watch(() => {
      if (session.answered) finish();
    });
    const stopTimer = clock.after(session.answered ? 0 : ANSWER_WITHIN_MS, finish);
  });
}
