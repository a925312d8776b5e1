// Which browsers delete what nobody uses.

import { expect, it } from 'vitest';
import { deletesUnused } from '../../../../../src/adapters/browser/page/eviction.ts';

it.each([
  ['a tab of Safari', 'Apple Computer, Inc.', false, true],
  ['an app on the Home Screen', 'Apple Computer, Inc.', true, false],
  ['Chrome', 'Google Inc.', false, false],
  ['Firefox', '', false, false],
])('%s', (_browser, vendor, isInstalled, expected) => {
  expect(deletesUnused({ vendor, isInstalled })).toBe(expected);
});
