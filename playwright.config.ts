// The browser tests: real Chromium, the real relay, the built app (test/e2e). One worker, because one test
// runs up to six devices on what may be two cores. No retries: a test that needs one hides a bug.

import { defineConfig } from '@playwright/test';
import { browserArguments, findBrowser } from './test/browser.mjs';

const executablePath = findBrowser();

/** Slow tests, by the names of their files or their tag: `npm run test:long` runs them. */
const isLong = process.env['PALM_LONG'] === '1';
const long = isLong ? [] : [/\.long\.spec\.ts$/];

export default defineConfig({
  testDir: 'test/e2e',
  outputDir: 'test-results',
  workers: 1,
  retries: 0,
  ...(isLong ? {} : { grepInvert: /@long/ }),
  forbidOnly: process.env['CI'] !== undefined,
  timeout: 90_000,
  globalTimeout: 18 * 60_000,
  expect: { timeout: 20_000 },
  reporter: 'list',
  use: {
    screenshot: 'only-on-failure',
    launchOptions: {
      args: browserArguments(),
      ...(executablePath === undefined ? {} : { executablePath }),
    },
  },
  projects: [{ name: 'desktop', testIgnore: long, use: { viewport: { width: 1280, height: 800 } } }],
});
