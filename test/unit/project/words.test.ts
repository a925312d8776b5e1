// Words for people are in src/ui/text: the layers below the screens have codes, kinds and parameters, and
// the screens take each word from there. Short technical reasons, which begin with a small letter, may be
// anywhere below the screens; messages of bugs may be anywhere on the screens' side.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor, type Program } from 'oxc-parser';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../src', import.meta.url));
const LETTER = /\p{L}/u;
const BELOW_THE_SCREENS = ['core', 'runtime', 'adapters', 'workers'];

/** A capital letter, several words, a full stop at an end. */
const SENTENCE = /^\p{Lu}[\p{L}\d]* .*[.!?:…](?: |$)/su;
/** Questions to a database begin with one of these. */
const SQL = /^(?:DELETE|INSERT|PRAGMA|SELECT|WHERE) /u;
/** Credentials of HTTP begin with one of these (RFC 6750, RFC 7617). */
const HTTP_SCHEME = /^(?:Basic|Bearer) \S+$/u;

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
    const question = "SELECT key FROM files WHERE key = ?";
    const name = 'Content-Type';
    const headers = { Authorization: \`Bearer \${token}\` };`;
  expect(sentencesIn('core/new.ts', source)).toEqual([]);
});

test('the screens have no words of their own', () => {
  const files = readdirSync(join(ROOT, 'ui'), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join('ui', name.replaceAll('\\', '/')))
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('ui/text/'));
  expect(files.length).toBeGreaterThan(50);
  const found = files.flatMap((file) =>
    wordsIn(file, readFileSync(join(ROOT, file), 'utf8')).map((text) => `${file}: ${text}`),
  );
  expect(found).toEqual([]);
});

test.each([
  ['a text', '<p>It lacks:</p>'],
  ['a text between values', '<p>{count} of {total}</p>'],
  ['a part of a text', "<p>{count === 1 ? 'it' : words.them}</p>"],
  ['a template', '<p>{`${count} left`}</p>'],
  ['a list item in a callback', '<ul>{rows.map((row) => <li>{row.name} more</li>)}</ul>'],
  ['an attribute', '<button aria-label="Close" onClick={close} />'],
  ['an attribute with a small letter', '<input placeholder="part of a name" />'],
  ['one of two labels', "<Field label={busy ? 'joining' : words.join} />"],
  ['a title with a value', '<button title={`Cancel ${name}`} />'],
  ['a word in a handler', "<button onClick={() => alert('Sent')} />"],
  ['a name', "file.name === '' ? 'Private file' : file.name"],
  ['a table', "({ starting: 'Starting' })"],
  ['a sentence with small letters', 'show(`more than ${days} days left`)'],
])('%s on a screen is caught', (_, expression) => {
  expect(wordsIn('ui/new.tsx', `const now = ${expression};`)).toHaveLength(1);
});

test('what people do not read is no word of a screen', () => {
  const source = `
    const row = <li class={\`device \${state}\`} role="alert" aria-hidden="true" onClick={() => go('join')}>
      {phase === 'stopped' ? <path d="M 1 2" /> : null} · {figures.join(' · ')}
    </li>;
    if (error.name === 'AbortError' || 'Worker' in scope) throw new Error('The page has no root.');
    document.querySelector('h1');`;
  expect(wordsIn('ui/new.tsx', source)).toEqual([]);
});

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Place extends Span {
  readonly kind: 'read' | 'code' | 'unread';
}

/** Attributes whose values people read or hear. */
const READ_ATTRIBUTES = /^(?:aria-label|aria-description|alt|hint|label|placeholder|text|title)$/u;
/** In code: a word with a capital letter, which is no name of a class, or several words in a row. */
const WORDING = /^\p{Lu}(?:\p{Ll}+(?!\p{L})| \p{Ll})|\p{Ll} \p{Ll}{2,}/u;

/**
 * The words of a screen that stand in its own file: texts of elements, and literals that people would see.
 * Literals that are only compared, messages of bugs and other attributes are not.
 */
function wordsIn(file: string, source: string): string[] {
  const texts: string[] = [];
  const literals: (Span & { readonly text: string })[] = [];
  const places: Place[] = [];
  const unread = (...spans: readonly Span[]): void => {
    places.push(...spans.map(({ start, end }) => ({ kind: 'unread', start, end }) as const));
  };
  const children = (element: { readonly children: readonly (Span & { readonly type: string })[] }): void => {
    const values = element.children.filter(({ type }) => type === 'JSXExpressionContainer');
    places.push(...values.map(({ start, end }) => ({ kind: 'read', start, end }) as const));
  };
  new Visitor({
    JSXElement: children,
    JSXFragment: children,
    JSXText: ({ value }) => {
      if (LETTER.test(value)) texts.push(value.trim());
    },
    JSXAttribute: ({ name, start, end }) => {
      places.push({ kind: kindOf(source.slice(name.start, name.end)), start, end });
    },
    BinaryExpression: ({ operator, left, right }) => {
      if (operator !== '+') unread(left, right);
    },
    NewExpression: (made) => {
      if (/(?:Error|Exception)$/u.test(source.slice(made.callee.start, made.callee.end))) unread(made);
    },
    CallExpression: ({ callee, arguments: given }) => {
      if (source.slice(callee.start, callee.end).endsWith('.includes')) unread(...given);
    },
    Literal: ({ value, start, end }) => {
      if (typeof value === 'string') literals.push({ text: value, start, end });
    },
    TemplateLiteral: ({ quasis, start, end }) => {
      literals.push({ text: quasis.map(({ value }) => value.cooked ?? '').join('…'), start, end });
    },
  }).visit(parsed(file, source));
  for (const literal of literals) {
    const kind = innermost(places, literal)?.kind ?? 'code';
    if (kind !== 'unread' && (kind === 'read' ? LETTER : WORDING).test(literal.text))
      texts.push(literal.text);
  }
  return texts;
}

function kindOf(attribute: string): Place['kind'] {
  if (READ_ATTRIBUTES.test(attribute)) return 'read';
  return /^on[A-Z]/u.test(attribute) ? 'code' : 'unread';
}

function innermost(places: readonly Place[], { start, end }: Span): Place | undefined {
  const around = places.filter((place) => place.start <= start && end <= place.end);
  return around.toSorted((a, b) => a.end - a.start - (b.end - b.start))[0];
}

function sentencesIn(file: string, source: string): string[] {
  const texts: string[] = [];
  new Visitor({
    Literal: ({ value }) => {
      if (typeof value === 'string') texts.push(value);
    },
    TemplateLiteral: ({ quasis }) => {
      texts.push(quasis.map(({ value }) => value.cooked ?? '').join('…'));
    },
  }).visit(parsed(file, source));
  return texts.filter((text) => SENTENCE.test(text) && !SQL.test(text) && !HTTP_SCHEME.test(text));
}

function parsed(file: string, source: string): Program {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message ?? ''}`);
  return program;
}
