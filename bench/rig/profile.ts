// A browser of its own on a host of a LAN, with an empty profile on the disk: Chromium keeps the IndexedDB of
// other contexts in memory.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from '@playwright/test';
import { browserArguments, findBrowser } from '../../test/browser.mjs';
import type { LanHost } from '../../test/fixtures/lan.ts';
import { prepareRawChannels } from './raw-channels.ts';

export interface Profile {
  readonly context: BrowserContext;
  /** Ends the browser and removes the profile. */
  close(): Promise<void>;
}

/** `more`: variables of the browser's environment, beside this process's own. */
export async function openProfile(
  host: LanHost,
  more: Readonly<Record<string, string>> = {},
): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'palm-bench-'));
  const own = Object.entries(process.env).map(([name, value]) => [name, value ?? '']);
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: host.wrapper(findBrowser() ?? chromium.executablePath()),
    ignoreHTTPSErrors: true,
    env: { ...Object.fromEntries(own), ...more },
    args: [
      ...browserArguments(),
      // Workers make requests, too.
      '--ignore-certificate-errors',
      // Addresses are looked up by nobody here.
      '--disable-features=WebRtcHideLocalIpsWithMdns',
    ],
  });
  await prepareRawChannels(context);
  return {
    context,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
