// A screen as people see it, at phone and laptop size, light and dark, into screenshots/. That of the phone
// is audited by axe.

import type { Page } from '@playwright/test';
import { expectAccessible } from './accessibility.ts';

export const SIZES = { phone: { width: 390, height: 844 }, laptop: { width: 1280, height: 800 } } as const;

/** Captures the top of the page, at each size, light and dark. On a phone axe looks at the whole page. */
export async function shoot(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    await page.setViewportSize(viewport);
    await page.evaluate(() => window.scrollTo(0, 0));
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const path = `screenshots/${size}-${colorScheme}/${name}.png`;
      await page.screenshot({ path, animations: 'disabled' });
      if (size === 'phone') await expectAccessible(page, `${name}, ${colorScheme}`);
    }
  }
}
