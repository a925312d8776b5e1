// The tests that run in Node: `unit` (one part at a time) and `sim` (whole pools on virtual time). Contract
// suites in test/contract are libraries that unit tests run; browser tests are Playwright's
// (playwright.config.ts).

import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { timeLimitMs } from './test/scale.ts';

const ATTACKS = 'test/unit/relay/attacks.long.test.ts';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          exclude: [ATTACKS],
          testTimeout: timeLimitMs(30_000, 300_000),
          // The erasure kernel is built from source; this takes no time if it is up to date.
          globalSetup: ['src/wasm/build.mjs'],
        },
      },
      {
        extends: true,
        test: { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: timeLimitMs(120_000, 300_000) },
      },
      {
        extends: true,
        test: {
          name: 'attacks',
          include: [ATTACKS],
          // This ends a test that hangs. Unlike the relay's limits it counts the load of the machine.
          testTimeout: timeLimitMs(120_000, 300_000),
          // They measure the waits of well-behaved clients, so they run after all others, whose load would
          // count.
          sequence: { groupOrder: 1 },
        },
      },
    ],
    // Vitest leaves one core unused by itself, which is half of a small machine.
    maxWorkers: availableParallelism(),
    // A test that needs a second try hides a bug.
    retry: 0,
  },
});
