// What axe finds on a screen that people with a screen reader, a keyboard or weak eyes would stumble over.

import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect } from './palm-fixture.ts';

/**
 * Asserts that axe finds nothing wrong with the screen as it is, in words that name each element. `rules`:
 * only these, by axe's names.
 */
export async function expectAccessible(page: Page, screen: string, rules?: readonly string[]): Promise<void> {
  // The other mode opens pages of its own, and there is no frame of another origin.
  const axe = new AxeBuilder({ page }).setLegacyMode(true);
  const { violations } = await (rules === undefined ? axe : axe.withRules([...rules])).analyze();
  const found = violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${help}, ${target.join(' ')}: ${failureSummary ?? ''}`),
  );
  expect(found, `what axe finds on ${screen}`).toEqual([]);
}
