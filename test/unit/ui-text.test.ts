// Names, sizes and times as people see them, and the names that downloads get.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guessDeviceName } from '../../src/ui/text/device-name.ts';
import { savedName, shownName, shownPath } from '../../src/ui/text/file-name.ts';
import { countOf, formatBytes, formatSpeed, formatTimeLeft, secondsLeft } from '../../src/ui/text/units.ts';

describe('shown names', () => {
  test('lose what would reorder or hide text, and nothing else', () => {
    expect(shownName('invoice\u202Efdp.exe')).toBe('invoicefdp.exe');
    expect(shownName('a\u0000b\nc\u2066d')).toBe('abcd');
    expect(shownName('מסמך חשוב.pdf')).toBe('מסמך חשוב.pdf');
    expect(shownName('family 👨‍👩‍👧.jpg')).toBe('family 👨‍👩‍👧.jpg');
    expect(shownName('half \uD83D emoji')).toBe('half  emoji');
  });

  test('are never empty', () => {
    expect(shownName('')).toBe('Unnamed file');
    expect(shownName(' \u200F ')).toBe('Unnamed file');
  });

  test('folders are shown part by part', () => {
    expect(shownPath('Photos//2026/Jura')).toBe('Photos / 2026 / Jura');
    expect(shownPath('')).toBe('');
  });
});

describe('saved names', () => {
  test.each([
    ['holiday.jpg', 'holiday.jpg'],
    ['../../etc/passwd', '.._.._etc_passwd'],
    ['C:\\Windows\\x.txt', 'C__Windows_x.txt'],
    ['what?.txt', 'what_.txt'],
    ['nul', '_nul'],
    ['COM1.txt', '_COM1.txt'],
    ['console.log', 'console.log'],
    ['trailing. . ', 'trailing'],
    ['..', 'Unnamed file'],
    ['', 'Unnamed file'],
    ['a\u0000b\u202Ec', 'abc'],
    ['.gitignore', '.gitignore'],
    ['naïve 🌴.png', 'naïve 🌴.png'],
  ])('%j is saved as %j', (given, saved) => {
    expect(savedName(given)).toBe(saved);
  });

  test('keep their extension and whole characters when they are too long', () => {
    const saved = savedName(`${'🌴'.repeat(100)}.jpeg`);
    expect(saved.endsWith('🌴.jpeg')).toBe(true);
    expect(new TextEncoder().encode(saved).length).toBeLessThanOrEqual(255);
  });

  test('of anything are one component of at most 255 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (name) => {
        const saved = savedName(name);
        expect(saved).not.toMatch(/[/\\\p{Cc}\u202A-\u202E]/u);
        expect(['', '.', '..']).not.toContain(saved);
        expect(new TextEncoder().encode(saved).length).toBeLessThanOrEqual(255);
      }),
    );
  });
});

describe('sizes and times', () => {
  test.each([
    [0, '0 B'],
    [1, '1 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1500, '1.5 kB'],
    [9_949, '9.9 kB'],
    [9_960, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [12_340_000, '12 MB'],
    [20_000_000, '20 MB'],
    [1_240_000_000, '1.2 GB'],
    [5e18, '5000 PB'],
  ])('%d bytes are %j', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('an unknown speed says nothing', () => {
    expect(formatSpeed(0)).toBe('');
    expect(formatSpeed(2_300_000)).toBe('2.3 MB/s');
    expect(secondsLeft(0, 100, 0)).toBeUndefined();
    expect(secondsLeft(40, 100, 20)).toBe(3);
  });

  test.each([
    [0, '1 s left'],
    [59, '59 s left'],
    [60, '1 min left'],
    [61, '2 min left'],
    [3_600, '1 h left'],
    [3_900, '1 h 5 min left'],
    [90_000, 'more than a day left'],
  ])('%d seconds are %j', (seconds, text) => {
    expect(formatTimeLeft(seconds)).toBe(text);
  });

  test('one is not many', () => {
    expect([countOf(1, 'device'), countOf(2, 'device'), countOf(0, 'device')]).toEqual([
      '1 device',
      '2 devices',
      '0 devices',
    ]);
  });
});

describe('the first device name', () => {
  const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0';
  test.each([
    [`Mozilla/5.0 (Linux; Android 15; Pixel 9) ${CHROME} Mobile Safari/537.36`, 'Android phone (Chrome)'],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Safari/537.36 Edg/141.0`, 'Windows laptop (Edge)'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1',
      'iPhone (Safari)',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Linux laptop (Firefox)'],
    ['something else', 'This device'],
  ])('of %j is %j', (userAgent, name) => {
    expect(guessDeviceName(userAgent)).toBe(name);
  });
});
