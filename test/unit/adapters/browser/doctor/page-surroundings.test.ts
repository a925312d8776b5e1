// What a page knows of itself: by its user-agent string and its address.

import { expect, test } from 'vitest';
import { platformOf, programOf } from '../../../../../src/adapters/browser/doctor/page-surroundings.ts';
import { addressKindOf } from '../../../../../src/core/doctor/address-kind.ts';

const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15';
const ANDROID = 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0', 0, 'linux', 'Firefox 153'],
  [`${MAC} Version/19.1 Safari/605.1.15`, 0, 'macos', 'Safari 19'],
  [`${MAC} Version/19.1 Safari/605.1.15`, 5, 'ios', 'Safari 19'],
  [`${ANDROID} Chrome/150.0.0.0 Mobile Safari/537.36`, 5, 'android', 'Chrome 150'],
  ['Mozilla/5.0 (Windows NT 10.0) Chrome/150.0.0.0 Safari/537.36 Edg/150.0', 0, 'windows', 'Edge 150'],
  ['https://palm-a.local/#/join/SECRET', 0, 'other', ''],
])('%s', (userAgent, touchPoints, platform, program) => {
  expect([platformOf(userAgent, touchPoints), programOf(userAgent)]).toEqual([platform, program]);
});

test.each([
  ['localhost', 'loopback'],
  ['palm.localhost', 'loopback'],
  ['127.0.0.1', 'loopback'],
  ['[::1]', 'loopback'],
  ['palm-a1b2.local', 'local-name'],
  ['192.168.1.20', 'ip'],
  ['[fd00::2]', 'ip'],
  ['nas', 'name'],
  ['palm.example.org', 'name'],
  ['local.example.org', 'name'],
])('%s is a %s', (hostname, kind) => {
  expect(addressKindOf(hostname)).toBe(kind);
});
