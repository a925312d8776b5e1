// The tests that run in Node: `unit` (one part at a time) and `sim` (whole pools on virtual time). Contract suites in
// test/contract are libraries that unit tests run; browser tests are Playwright's (playwright.config.ts).

import { defineConfig } from 'vitest/config';
import { timeLimitMs } from './test/scale.ts';

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: timeLimitMs(30_000, 300_000),
          // The erasure kernel is built from source; where it is up to date this takes no time.
          globalSetup: ['src/wasm/build.mjs'],
        },
      },
      {
        extends: true,
        test: { name: 'sim', include: ['test/sim/**/*.test.ts'], testTimeout: timeLimitMs(120_000, 300_000) },
      },
    ],
    // A test that needs a second try hides a fault.
    retry: 0,
  },
});
