// What an address asks for.

import { describe, expect, test } from 'vitest';
import { foreignOrigin, inviteIn, isLoopback, MAX_LINK_CHARS, parseRoute } from '../../../src/ui/route.ts';

const ORIGIN = 'https://palm-1234.local:8443';

describe('routes', () => {
  test('an invite and a file link are taken whole', () => {
    const invite = `${ORIGIN}/#/join/AbC-_9`;
    expect(parseRoute(invite)).toEqual({ kind: 'join', invite });
    const link = `${ORIGIN}/#/file/bafk/AbC`;
    expect(parseRoute(link)).toEqual({ kind: 'file', link });
  });

  test('a truncated one still counts, so that its error can be shown', () => {
    expect(parseRoute(`${ORIGIN}/#/join/`).kind).toBe('join');
    expect(parseRoute(`${ORIGIN}/#/join`).kind).toBe('join');
  });

  test.each([
    `${ORIGIN}/`,
    `${ORIGIN}/#`,
    `${ORIGIN}/#/joining`,
    `${ORIGIN}/join/AbC`,
    'no address',
    `${ORIGIN}/#/join/${'A'.repeat(MAX_LINK_CHARS)}`,
  ])('%s is home', (href) => {
    expect(parseRoute(href)).toEqual({ kind: 'home' });
  });
});

describe('scanned text', () => {
  test('is an invite only if it is an address with one', () => {
    expect(inviteIn(` ${ORIGIN}/#/join/AbC\n`)).toBe(`${ORIGIN}/#/join/AbC`);
    expect(inviteIn('WIFI:S:Home;T:WPA;P:secret;;')).toBeUndefined();
    expect(inviteIn(`${ORIGIN}/#/file/bafk/AbC`)).toBeUndefined();
  });
});

test('an invite from another address is noticed, a script never becomes a link', () => {
  expect(foreignOrigin(`${ORIGIN}/#/join/A`, ORIGIN)).toBeUndefined();
  expect(foreignOrigin('https://elsewhere.local/#/join/A', ORIGIN)).toBe('https://elsewhere.local');
  expect(foreignOrigin('javascript:alert(1)#/join/A', ORIGIN)).toBeUndefined();
  expect(foreignOrigin('AbC', ORIGIN)).toBeUndefined();
});

test('only this machine can reach a loopback address', () => {
  for (const name of ['localhost', 'palm.localhost', '127.0.0.1', '[::1]'])
    expect(isLoopback(name)).toBe(true);
  for (const name of ['192.168.1.7', 'palm-1234.local', 'localhost.example']) {
    expect(isLoopback(name)).toBe(false);
  }
});
