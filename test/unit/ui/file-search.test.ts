// Files are found by what people type, however it and the name were composed.

import { expect, test } from 'vitest';
import type { FileStatus } from '../../../src/runtime/api.ts';
import { filesFound } from '../../../src/ui/state/file-search.ts';

const CAFE = { composed: 'caf\u00E9', decomposed: 'cafe\u0301' };

test.each([
  [CAFE.composed, `${CAFE.decomposed}.jpg`],
  [CAFE.decomposed, `${CAFE.composed}.jpg`],
  ['CAFE', `${CAFE.composed}.jpg`],
  [CAFE.composed, 'cafe.jpg'],
  ['ÉCOLE', 'l’école.txt'],
  ["l'ecole", 'L’École.txt'],
  ['strasse', 'Hauptstraße.png'],
  ['STRASSE', 'Hauptstraße.png'],
  ['Straße', 'STRASSE.png'],
  ['office', 'o\uFB03ce.doc'],
  ['\uFF46\uFF49\uFF4C\uFF45', 'file.txt'],
  ['ABC 1', '\uFF21\uFF22\uFF23\u3000\uFF11.txt'],
  ['istanbul', 'İSTANBUL.mp4'],
  ['ISTANBUL', 'ıstanbul.mp4'],
  ['İstanbul', 'istanbul.mp4'],
  ['smorrebrod', 'Smørrebrød.pdf'],
  ['oeuvre', 'Œuvre complète.pdf'],
  ['ガラス', 'カ\u3099ラス.jpg'],
  ['がらす', 'ガラス.jpg'],
  ['ｶﾞﾗｽ', 'ガラス.jpg'],
  ['한글', '\u1112\u1161\u11AB\u1100\u1173\u11AF.txt'],
  ['οδοσ', 'Οδός.txt'],
  ['שלום', 'שָׁלוֹם.txt'],
  ['coop', 'co\u00ADop.txt'],
  ['  two   words ', 'two words.txt'],
  ['Ferien / b', 'Beach.jpg'],
])('%j finds %j', (search, name) => {
  const file = fileAt(name, 'Ferien');
  expect(filesFound([file], search)).toEqual([file]);
});

test.each([
  ['cafes', 'café.jpg'],
  ['के', 'का.txt'],
  ['하', '한글.txt'],
  ['x', ''],
])('%j does not find %j', (search, name) => {
  expect(filesFound([fileAt(name)], search)).toEqual([]);
});

test('hidden characters are found as they are written out, and nothing typed finds all', () => {
  const files = [fileAt('a\u202Egpj.exe'), fileAt('b')];
  expect(filesFound(files, 'U+202E')).toEqual([files[0]]);
  expect(filesFound(files, ' ')).toEqual(files);
});

function fileAt(name: string, path = ''): FileStatus {
  return {
    fileId: name,
    contentId: name,
    name,
    path,
    mime: '',
    size: 1,
    modifiedMs: 0,
    storedAtMs: 0,
    by: '',
    private: false,
    openable: true,
    k: 4,
    n: 8,
    reach: 8,
    margin: 1,
    durable: 8,
    durableMargin: 1,
    safe: true,
    inOutbox: false,
    holders: [],
  };
}
