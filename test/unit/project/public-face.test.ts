// The part of the public face that needs no browser: the error codes, the closed sets of words in options and
// `status()`, and the relay's flags and line of JSON. How to record it again: test/fixtures/public-face.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor, type TSLiteralType, type TSType } from 'oxc-parser';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { committedFace, linesOf, shapeOf } from '../../fixtures/public-face.ts';
import { temporaryFolder, tinyApp } from '../../fixtures/relay-fixture.ts';
import { bundleRelay, startProgram } from '../../fixtures/relay-program.ts';

/** The files that declare the codes, and the types of `window.palm`. */
const ERRORS = new URL('../../../src/core/model/errors.ts', import.meta.url);
const API = new URL('../../../src/runtime/api.ts', import.meta.url);

let bundle = { folder: '', remove: (): void => undefined };

beforeAll(async () => {
  bundle = await bundleRelay();
}, 60_000);

afterAll(() => bundle.remove());

function start(...flags: string[]) {
  return startProgram(join(bundle.folder, 'main.js'), flags);
}

test('the error codes match the committed ones', () => {
  const codes = linesOf(stringUnions(ERRORS).get('PalmErrorCode') ?? []);
  expect(codes).toBe(committedFace('error-codes', codes));
});

test('the words that options and status() may have are the committed ones', () => {
  const unions = [...stringUnions(API)].map(([name, words]) => `${name}: ${words.join(' | ')}`);
  const words = linesOf(unions.toSorted());
  expect(words).toBe(committedFace('words', words));
});

test('the relay’s flags are the committed ones, and it takes each', async () => {
  const help = start('--help');
  expect(await help.ended).toBe(0);
  const found = [...help.stdout().matchAll(/^ +(?<flag>--[a-z-]+)(?: (?<value>[A-Z]+))?/gm)];
  const flags = found.map(({ groups = {} }) => ({
    flag: groups['flag'] ?? '',
    value: groups['value'] ?? '',
  }));
  const lines = linesOf(flags.map(({ flag, value }) => `${flag} ${value}`.trimEnd()).toSorted());
  expect(lines).toBe(committedFace('relay-flags', lines));

  // Next to --help the others need only be known, and take a value or none as --help says.
  const all = start(...flags.flatMap(({ flag, value }) => (value === '' ? [flag] : [flag, '0'])));
  expect(await all.ended, all.stderr()).toBe(0);
  const short = start('-h');
  await short.ended;
  expect(short.stdout()).toBe(help.stdout());
});

test('the relay’s line of JSON has the committed keys and types', async () => {
  const program = start(
    '--json',
    '--port',
    '0',
    '--http-port',
    '0',
    '--app',
    tinyApp(),
    '--data',
    temporaryFolder(),
  );
  const line: { readonly lan: readonly unknown[] } = JSON.parse(await program.firstLine);
  // A machine without a network has no addresses to print.
  const lan = line.lan.length === 0 ? [''] : line.lan;
  const shape = linesOf(shapeOf([{ ...line, lan }]));
  expect(shape).toBe(committedFace('relay-json', shape));
});

/** The unions of strings that `file` declares, sorted, by the name of their type or property. */
function stringUnions(file: URL): Map<string, readonly string[]> {
  const { program } = parseSync(fileURLToPath(file), readFileSync(file, 'utf8'));
  const found = new Map<string, readonly string[]>();
  const note = (name: string, type: TSType | undefined): void => {
    if (type?.type !== 'TSUnionType') return;
    const words = type.types.map((part) =>
      part.type === 'TSLiteralType' ? literalOf(part.literal) : undefined,
    );
    if (words.some((word) => word === undefined)) return;
    if (found.has(name)) throw new Error(`Two unions are called ${name}.`);
    found.set(name, words.map(String).toSorted());
  };
  new Visitor({
    TSTypeAliasDeclaration: ({ id, typeAnnotation }) => note(id.name, typeAnnotation),
    TSPropertySignature: ({ key, typeAnnotation }) => {
      if (key.type === 'Identifier') note(key.name, typeAnnotation?.typeAnnotation);
    },
  }).visit(program);
  return found;
}

function literalOf(literal: TSLiteralType['literal']): string | undefined {
  return literal.type === 'Literal' && typeof literal.value === 'string' ? literal.value : undefined;
}
