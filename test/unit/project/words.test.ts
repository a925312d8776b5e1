// Words for people belong to the screens: the layers below have codes, kinds and parameters. Short technical
// reasons, which begin with a small letter, may be anywhere.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../src', import.meta.url));
const BELOW_THE_SCREENS = ['core', 'runtime', 'adapters', 'workers'];

/** A capital letter, several words, a full stop at an end. */
const SENTENCE = /^\p{Lu}[\p{L}\d]* .*[.!?:…](?: |$)/su;

test('no sentence for people is written below the screens', () => {
  const files = BELOW_THE_SCREENS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => posix.join(folder, name.replaceAll('\\', '/'))),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) =>
    sentencesIn(file, readFileSync(join(ROOT, file), 'utf8')).map((text) => `${file}: ${text}`),
  );
  expect(found).toEqual([]);
});

test.each([
  [`throw new Error('The link to the other device is closed.');`],
  ['notice(`Refused ${what} from the network: ${reason}.`);'],
  [`const text = 'Palm is closing. ' + more;`],
])('a sentence is caught: %s', (source) => {
  expect(sentencesIn('runtime/new.ts', source)).toHaveLength(1);
});

test('a technical reason is not a sentence', () => {
  const source = `
    throw bad('a message with bytes behind it');
    throw new Error('no page');
    const name = 'Content-Type';`;
  expect(sentencesIn('core/new.ts', source)).toEqual([]);
});

function sentencesIn(file: string, source: string): string[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message ?? ''}`);
  const texts: string[] = [];
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === 'string') texts.push(value);
    },
    TemplateLiteral: ({ quasis }) => {
      texts.push(quasis.map(({ value }) => value.cooked ?? '').join('…'));
    },
  }).visit(program);
  return texts.filter((text) => SENTENCE.test(text));
}
