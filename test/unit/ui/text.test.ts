// Names, sizes and times as people see them, and the names that downloads get.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { guessDeviceName, shownDeviceName } from '../../../src/ui/text/device-name.ts';
import { savedName, shownName, shownPath } from '../../../src/ui/text/file-name.ts';
import { secondsLeft } from '../../../src/ui/state/time-left.ts';
import { countOf, formatBytes, formatSpeed, formatTimeLeft } from '../../../src/ui/text/en/units.ts';

describe('shown names', () => {
  test('write out characters that would reorder or hide text, and change nothing else', () => {
    expect(shownName('invoice\u202Efdp.exe')).toBe('invoice⟦U+202E⟧fdp.exe');
    expect(shownName('a\u0000b\nc\u2066d')).toBe('a⟦U+0000⟧b⟦U+000A⟧c⟦U+2066⟧d');
    expect(shownName('half \uD83D emoji')).toBe('half ⟦U+D83D⟧ emoji');
    expect(shownName('soft\u00ADhyphen')).toBe('soft⟦U+00AD⟧hyphen');
    expect(shownName('⟦U+00AD⟧')).toBe('⟦U+27E6⟧U+00AD⟦U+27E7⟧');
    expect(shownName(' two  spaces ')).toBe('␣two ␣spaces␣');
    expect(shownName('\u0301accent')).toBe('◌\u0301accent');
  });

  test.each([
    'מסמך חשוב.pdf',
    'family 👨‍👩‍👧.jpg',
    'a heart ❤️ and 👩🏽‍⚕️',
    'keys 1️⃣2️⃣',
    'flags 🇨🇭 🏴󠁧󠁢󠁷󠁬󠁳󠁿',
    'می‌خواهم.txt',
    'क्‍ष.png',
    'Screenshot at 3.45.00\u202FPM.png',
    'rapport\u00A0: été.odt',
    '東京　写真.jpg',
    'e\u0301te\u0301.txt',
    '\u06DD12',
    '한국어 파일.hwp',
  ])('leave %j as it is', (name) => {
    expect(shownName(name)).toBe(name);
  });

  test('are never empty, and say so if nothing is visible', () => {
    expect(shownName('')).toBe('Unnamed file');
    expect(shownDeviceName('')).toBe('Unnamed device');
    expect(shownName(' \u200F ')).toBe('(name without visible characters: U+0020 U+200F U+0020)');
    expect(shownName('\u3164')).toBe('(name without visible characters: U+3164)');
    expect(shownName('\u0301\u0302')).toBe('(name without visible characters: U+0301 U+0302)');
    expect(shownDeviceName('\u2800'.repeat(11))).toBe(
      `(name without visible characters: ${'U+2800 '.repeat(8)}and 3 more)`,
    );
  });

  test('folders are shown part by part', () => {
    expect(shownPath('Photos//2026/Jura')).toBe('Photos / 2026 / Jura');
    expect(shownPath('a/\u200B/b')).toBe('a / (name without visible characters: U+200B) / b');
    expect(shownPath('')).toBe('');
  });
});

describe('of all invisible characters', () => {
  /** Unicode's properties of them, and the blanks that it counts among letters, symbols and marks. */
  const NOTHING =
    /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Cc}\p{Cs}\p{Zs}\p{Zl}\p{Zp}\u2800\u{1D159}\u{16FE4}]/u;
  const SIGNS = /[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2\u{110BD}\u{110CD}]/u;
  const all = Array.from({ length: 0x11_0000 }, (_, code) => String.fromCodePoint(code)).filter(
    (character) => NOTHING.test(character) && !SIGNS.test(character),
  );
  const isSpace = (character: string): boolean => /\p{Zs}/u.test(character);

  test('there are thousands', () => {
    expect(all.length).toBeGreaterThan(4_000);
    for (const known of '\u3164\u115F\u1160\uFFA0\u2800\u00AD\uFE0F\u200D\u200B\u202E\u2066\u{E0041}\u{E0100}\u180E\u034F\uFEFF')
      expect(all).toContain(known);
  });

  test('a name of nothing else is shown as such, and each is a different name', () => {
    const shown = new Set<string>();
    for (const character of all) {
      for (const name of [character, character.repeat(3)]) {
        const text = shownName(name);
        expect(text).toMatch(/^\(name without visible characters: U\+[0-9A-F]{4,6}( U\+[0-9A-F]{4,6})*\)$/u);
        shown.add(text);
      }
    }
    expect(shown.size).toBe(2 * all.length);
  });

  test('none can hide in, before or after a name: with it, the name is a different one', () => {
    for (const place of [
      (character: string) => `${character}a.txt`,
      (character: string) => `a${character}b.txt`,
      (character: string) => `a.txt${character}`,
    ]) {
      const shown = new Set([shownName(place(''))]);
      for (const character of all) {
        const text = shownName(place(character));
        // Spaces at the ends look alike; within a name only those that people type stay as they are.
        if (!isSpace(character)) expect(shown.has(text)).toBe(false);
        expect(text).not.toBe(shownName(place('')));
        const left = Array.from(text).filter((each) => NOTHING.test(each) && !isSpace(each));
        expect(left).toEqual([]);
        shown.add(text);
      }
    }
  });

  test('none is left in the name of a download, or makes it a hidden file', () => {
    for (const character of all) {
      expect(savedName(character)).toBe('Unnamed file');
      expect(savedName(`${character}.jpg`)).toBe('Unnamed file.jpg');
      if (!isSpace(character)) expect(savedName(`a${character}b.jpg`)).toBe('ab.jpg');
    }
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
    ['\u200B\u3164', 'Unnamed file'],
    ['family 👨‍👩‍👧.jpg', 'family 👨‍👩‍👧.jpg'],
    ['naïve 🌴.png', 'naïve 🌴.png'],
  ])('%j is saved as %j', (given, saved) => {
    expect(savedName(given)).toBe(saved);
  });

  test('keep their extension and whole characters when they are too long', () => {
    const saved = savedName(`${'🌴'.repeat(100)}.jpeg`);
    expect(saved.endsWith('🌴.jpeg')).toBe(true);
    expect(new TextEncoder().encode(saved).length).toBeLessThanOrEqual(255);
  });

  test('are cut only where the system counts bytes, and never within what people see as one character', () => {
    const japanese = `${'語'.repeat(99)}.jpg`;
    expect(savedName(japanese, false)).toBe(japanese);
    expect(savedName(japanese, true)).toBe(`${'語'.repeat(83)}.jpg`);
    const family = '👨‍👩‍👧‍👦';
    expect(savedName(`${family.repeat(12)}.jpg`, true)).toBe(`${family.repeat(10)}.jpg`);
    expect(savedName(`${'e\u0301'.repeat(100)}x`, true)).toBe('e\u0301'.repeat(85));
  });

  test('are always one component of at most 255 bytes', () => {
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

  test('the singular is used for one', () => {
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
