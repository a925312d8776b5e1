// A screen as people see it: on a phone, light and dark, it is audited by axe. Pictures of it, at phone and
// laptop size, go into screenshots/, where they are wanted: they take longer than the tests have.

import type { Page } from '@playwright/test';
import { expectAccessible } from './accessibility.ts';

export const SIZES = { phone: { width: 390, height: 844 }, laptop: { width: 1280, height: 800 } } as const;

/** `npm run screenshot` and `npm run test:long` make pictures. */
const WANTS_PICTURES = process.env['PALM_PICTURES'] === '1' || process.env['PALM_LONG'] === '1';

/** At each size, light and dark. A picture is of the top of the page, and axe looks at all of it. */
export async function shoot(page: Page, name: string): Promise<void> {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const isAudited = size === 'phone';
    if (!isAudited && !WANTS_PICTURES) continue;
    await page.setViewportSize(viewport);
    await page.evaluate(() => window.scrollTo(0, 0));
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const path = `screenshots/${size}-${colorScheme}/${name}.png`;
      if (WANTS_PICTURES) await page.screenshot({ path, animations: 'disabled' });
      // In the dark only colours differ.
      const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
      if (isAudited) await expectAccessible(page, `${name}, ${colorScheme}`, rules);
    }
  }
}
