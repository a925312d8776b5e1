// The guess at what kind of device this is.

import { expect, it } from 'vitest';
import { guessDeviceClass } from '../../../../../src/adapters/browser/page/device-class.ts';

it.each([
  [
    'an Android phone',
    'Mozilla/5.0 (Linux; Android 15; Pixel 8) Chrome/156.0 Mobile Safari/537.36',
    true,
    412,
    'phone',
  ],
  ['an iPhone', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1', true, 390, 'phone'],
  [
    'an iPad, which calls itself a Mac',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605.1',
    true,
    820,
    'phone',
  ],
  ['a laptop', 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36', false, 800, 'laptop'],
  ['a laptop with a touch screen', 'Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/156.0', true, 1080, 'laptop'],
] as const)('%s', (_what, userAgent, isTouch, screenPx, guessed) => {
  expect(guessDeviceClass({ userAgent, isTouch, screenPx })).toBe(guessed);
});

it('takes a browser that calls itself mobile at its word', () => {
  const laptop = { userAgent: 'Mozilla/5.0 (X11; Linux x86_64)', isTouch: false, screenPx: 1_440 };
  expect(guessDeviceClass({ ...laptop, isMobile: true })).toBe('phone');
  expect(guessDeviceClass({ ...laptop, isMobile: false })).toBe('laptop');
});

it('knows a phone that was asked for desktop sites by its screen', () => {
  const userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0 Safari/537.36';
  expect(guessDeviceClass({ userAgent, isMobile: false, isTouch: true, screenPx: 412 })).toBe('phone');
});
