// A store that is cancelled at any moment ends immediately, and leaves a whole file or nothing.

import { expect } from 'vitest';
import { expectOnlyNeeded, fragmentsOn } from './checks.ts';
import { first, scenario } from './scenario.ts';

const FIRST_SEED = 700;
/** Ms after which the store is cancelled; with a sound disk it becomes a file within some 20. */
const MOMENTS_MS = Array.from({ length: 32 }, (_, index) => index);

scenario(
  'a store that is cancelled after any number of ms ends immediately, and leaves the whole file or nothing',
  MOMENTS_MS.map((momentMs) => FIRST_SEED + momentMs),
  async ({ world, pool }) => {
    const devices = await pool(2);
    const [storer, silent] = [first(devices), first(devices, 1)];
    // It is offered fragments, because it told its room, and says nothing from now on: the store would wait.
    await world.pass(1_000);
    silent.freeze();
    const abort = new AbortController();
    const bytes = world.random.bytes(3_000);
    const storing = storer.put(bytes, { name: 'cancelled', n: 10, signal: abort.signal });
    const ended = storing.then(
      () => 'stored',
      (error: unknown) => error,
    );
    await world.pass(world.seed % MOMENTS_MS.length);
    abort.abort();
    const outcome = await world.settled('it ends', ended, 100);
    expect(outcome).toMatchObject({ code: 'cancelled' });
    expect(storer.pool.status().transfers).toEqual([]);
    await world.pass(1_000);
    expectOnlyNeeded(storer);
    const [file] = storer.pool.status().files;
    if (file === undefined) {
      expect(storer.store.usedBytes()).toBe(0);
      expect(storer.store.contents().outbox).toEqual([]);
    } else {
      expect(fragmentsOn([storer], file.fileId).size).toBe(file.n);
      expect(file.inOutbox).toBe(true);
    }
  },
);
