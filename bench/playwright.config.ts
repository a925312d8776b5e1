// Benchmarks in real Chromium against the real relay (`npm run bench`). They print ratios measured in one run
// and assert no times.

import { defineConfig } from '@playwright/test';
import { browserArguments, findBrowser } from '../test/browser.mjs';

const executablePath = findBrowser();

export default defineConfig({
  testDir: '.',
  testMatch: '**/*.bench.ts',
  outputDir: '../test-results/bench',
  workers: 1,
  retries: 0,
  timeout: 20 * 60_000,
  reporter: 'line',
  use: {
    launchOptions: {
      args: browserArguments(),
      ...(executablePath === undefined ? {} : { executablePath }),
    },
  },
});
