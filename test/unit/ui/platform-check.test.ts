// Whether a browser can run Palm: each function that it lacks is named.

import { expect, test } from 'vitest';
import { checkPlatform, NEEDED_FUNCTIONS } from '../../../src/ui/platform-check.ts';

const PARTS = ['RTCPeerConnection', 'Worker', 'HTMLDialogElement', 'indexedDB'];

/** What the check reads of a browser that has everything, but for `changes`. */
function browser(changes: Record<string, unknown> = {}): typeof globalThis {
  const parts = Object.fromEntries(PARTS.map((name) => [name, {}]));
  const own = { isSecureContext: true, crypto: { subtle: {} }, ...parts, ...changes };
  return Object.create(globalThis, Object.getOwnPropertyDescriptors(own));
}

test('a browser that has everything is fit', () => {
  expect(checkPlatform(browser())).toEqual({ kind: 'fit' });
});

test.each(NEEDED_FUNCTIONS)('one without %s is told so', (path) => {
  const [owner = '', ...rest] = path.split('.');
  const holder = rest.length > 1 ? { prototype: {} } : {};
  const verdict = checkPlatform(browser({ [owner]: holder }));
  expect(verdict).toMatchObject({ kind: 'unfit', missing: [], functions: expect.arrayContaining([path]) });
});

test('a page without a secure context is told that first', () => {
  expect(checkPlatform(browser({ isSecureContext: false }))).toEqual({ kind: 'insecure' });
});
