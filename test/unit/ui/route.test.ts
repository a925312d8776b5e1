// What an address asks for.

import { describe, expect, test } from 'vitest';
import { MAX_PASTED_CHARS } from '../../../src/core/model/limits.ts';
import { foreignInvite, inviteIn, isLoopback, parseRoute } from '../../../src/ui/route.ts';

const ORIGIN = 'https://palm-1234.local:8443';

describe('routes', () => {
  test('an invite and a file link are taken whole', () => {
    const invite = `${ORIGIN}/#/join/AbC-_9`;
    expect(parseRoute(invite)).toEqual({ kind: 'join', invite });
    const link = `${ORIGIN}/#/file/bafk/AbC`;
    expect(parseRoute(link)).toEqual({ kind: 'file', link });
    expect(parseRoute('https://relay.local:8443/#/invite')).toEqual({ kind: 'invite' });
    expect(parseRoute('https://relay.local:8443/#/doctor')).toEqual({ kind: 'doctor' });
    expect(parseRoute('https://relay.local:8443/#/doctor/x')).toEqual({ kind: 'home' });
    expect(parseRoute('https://relay.local:8443/elsewhere#/invite').kind).toBe('unknown');
  });

  test('a truncated one still counts, so that its error can be shown', () => {
    expect(parseRoute(`${ORIGIN}/#/join/`).kind).toBe('join');
    expect(parseRoute(`${ORIGIN}/#/join`).kind).toBe('join');
  });

  test.each([
    `${ORIGIN}/`,
    `${ORIGIN}/#`,
    `${ORIGIN}/#/joining`,
    `${ORIGIN}/?x=1`,
    `${ORIGIN}/index.html`,
    'no address',
    `${ORIGIN}/#/join/${'A'.repeat(MAX_PASTED_CHARS)}`,
  ])('%s is home', (href) => {
    expect(parseRoute(href)).toEqual({ kind: 'home' });
  });

  test.each([
    '/%23/join/AbC',
    '/%2523/join/AbC',
    '/join/AbC',
    '/%23%2Fjoin%2FAbC',
    '/?q=%23/join/AbC',
    '/join',
  ])('an invite whose # became part of the path or is gone is one: %s', (path) => {
    expect(parseRoute(ORIGIN + path)).toEqual({ kind: 'join', invite: ORIGIN + path });
  });

  test('a file link in the path is one, and any other path is none', () => {
    expect(parseRoute(`${ORIGIN}/%23/file/bafk/AbC`).kind).toBe('file');
    for (const path of ['/anything', '/joining', '/a/b.html', '/%'])
      expect(parseRoute(ORIGIN + path)).toEqual({ kind: 'unknown', path });
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
  expect(foreignInvite(`${ORIGIN}/#/join/A`, ORIGIN)).toBeUndefined();
  expect(foreignInvite(`HTTPS://${ORIGIN.slice(8).toUpperCase()}/#/join/A`, ORIGIN)).toBeUndefined();
  const elsewhere = { origin: 'https://elsewhere.local', url: 'https://elsewhere.local/#/join/AB' };
  for (const text of [
    'https://elsewhere.local/#/join/AB',
    'Join at <https://elsewhere.local/%23/join/A=\nB>, please',
    '(https://elsewhere.lo\n> cal/#/join/AB)',
  ])
    expect(foreignInvite(text, ORIGIN)).toEqual(elsewhere);
  expect(foreignInvite('see https://elsewhere.local/#/join/AB/at/uC-D too', ORIGIN)?.url).toBe(
    'https://elsewhere.local/#/join/AB/at/uC-Dtoo',
  );
  for (const text of ['javascript:alert(1)#/join/A', 'javascript:alert("https:")#/join/A', 'AbC'])
    expect(foreignInvite(text, ORIGIN)).toBeUndefined();
});

test('only this machine can reach a loopback address', () => {
  for (const name of ['localhost', 'palm.localhost', '127.0.0.1', '[::1]'])
    expect(isLoopback(name)).toBe(true);
  for (const name of ['192.168.1.7', 'palm-1234.local', 'localhost.example']) {
    expect(isLoopback(name)).toBe(false);
  }
});
