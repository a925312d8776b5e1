// What a formatter and a linter do not see: comments fit the printed width, comments and pages cite only
// files that exist, files keep to one idea, and bounds stand where readers look for them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const IGNORED = [
  '.git',
  ...read('.gitignore')
    .split('\n')
    .map((line) => line.replaceAll('/', '')),
];
const FILES = projectFiles();
const CODE = FILES.filter((file) => /\.(ts|tsx|mjs)$/.test(file));
const PAGES = FILES.filter((file) => file.endsWith('.md'));
const { printWidth } = JSON.parse(read('.oxfmtrc.json'));

const MAX_LINES = 400;
/** Longer files: the most lines that each may have, and why. Lower the number when a file becomes shorter. */
const LONGER: Readonly<Record<string, { readonly lines: number; readonly why: string }>> = {
  'docs/verify-record.mjs': { lines: 490, why: 'one program, which people copy as one file' },
  'src/core/links/link-machine.ts': { lines: 620, why: 'one machine: its phases only make sense together' },
  'test/contract/fragment-store.ts': { lines: 590, why: 'the cases of one subject' },
  'test/fixtures/link-network.ts': { lines: 430, why: 'one network on virtual time' },
  'test/sim/device.ts': { lines: 500, why: 'one simulated device' },
  'test/sim/hostile.test.ts': { lines: 590, why: 'the cases of one subject' },
  'test/sim/memory-store.ts': { lines: 490, why: 'every store of the simulator' },
  'test/sim/network.ts': { lines: 430, why: 'one simulated network' },
  'test/sim/resuming.test.ts': { lines: 630, why: 'the cases of one subject' },
  'test/unit/adapters/browser/store/device-lock.test.ts': { lines: 420, why: 'the cases of one subject' },
  'test/unit/ui/downloads.test.ts': { lines: 405, why: 'the cases of one subject' },
  'test/unit/ui/texts.test.ts': { lines: 620, why: 'an example of each sentence' },
  'test/unit/adapters/browser/downloads/download-opfs.test.ts': {
    lines: 535,
    why: 'the cases of one subject',
  },
  'test/unit/adapters/browser/store/erasing.test.ts': { lines: 445, why: 'the cases of one subject' },
  'test/unit/adapters/browser/store/idb-store.test.ts': { lines: 545, why: 'the cases of one subject' },
  'test/unit/adapters/portable/simd-reed-solomon.test.ts': { lines: 410, why: 'the cases of one subject' },
  'test/unit/core/catalogue/catalogue.test.ts': { lines: 540, why: 'the cases of one subject' },
  'test/unit/core/links/link-machine.test.ts': { lines: 750, why: 'the cases of one subject' },
  'test/unit/core/peer/outbox.test.ts': { lines: 606, why: 'the cases of one subject' },
  'test/unit/core/reading/read-plan.test.ts': { lines: 695, why: 'the cases of one subject' },
  'test/unit/core/wire/messages.test.ts': { lines: 430, why: 'the cases of one subject' },
  'test/unit/relay/certificates.test.ts': { lines: 480, why: 'the cases of one subject' },
  'test/unit/relay/rooms.test.ts': { lines: 465, why: 'the cases of one subject' },
  'test/unit/relay/sockets.test.ts': { lines: 445, why: 'the cases of one subject' },
  'test/unit/relay/web.test.ts': { lines: 550, why: 'the cases of one subject' },
  'test/unit/ui/work.test.ts': { lines: 460, why: 'the cases of one subject' },
};

/** Names of files in pages and comments that are none of the project's. */
const FOREIGN = [
  '/a/b/c.txt',
  'a/b/c.txt',
  'doc/log_format.md',
  'doc/table_format.md',
  'format_description.txt',
];

test('the walk sees the project', () => {
  expect(CODE.length).toBeGreaterThan(300);
  expect(PAGES.length).toBeGreaterThan(20);
});

test('comments fit the printed width', () => {
  expect(CODE.flatMap((file) => tooWide(file, read(file)))).toEqual([]);
});

test('pages and comments cite files that are there', () => {
  const cited = [
    ...PAGES.flatMap((file) => citations(file, read(file))),
    ...CODE.flatMap((file) => commentsOf(file, read(file)).flatMap((text) => citations(file, text))),
  ];
  expect(cited.length).toBeGreaterThan(100);
  expect(cited.filter(({ file, name }) => !isThere(file, name))).toEqual([]);
});

test('the tests that the README names are there', () => {
  const named = Array.from(
    read('README.md').matchAll(/`((?:unit|sim|e2e)\/[\w/.-]+)`/g),
    ([, name = '']) => name,
  );
  expect(named.length).toBeGreaterThan(10);
  const isTest = (name: string): boolean =>
    ['test', 'spec'].some((kind) => FILES.includes(`test/${name}.${kind}.ts`));
  expect(named.filter((name) => !isTest(name))).toEqual([]);
});

test('every decision is in their index', () => {
  const pages = PAGES.filter((file) => /^docs\/decisions\/\d/.test(file));
  const index = read('docs/decisions/README.md');
  expect(pages.filter((file) => !index.includes(`(${basename(file)})`))).toEqual([]);
});

test('no file is longer than one idea, save those that are listed', () => {
  const lengths = CODE.map((file) => [file, read(file).split('\n').length - 1] as const);
  const long = lengths.filter(([file, lines]) => lines > (LONGER[file]?.lines ?? MAX_LINES));
  expect(long).toEqual([]);
});

test('the list of long files names only long files', () => {
  const short = Object.keys(LONGER).filter(
    (file) => !FILES.includes(file) || read(file).split('\n').length - 1 <= MAX_LINES,
  );
  expect(short).toEqual([]);
});

test('a bound outside of limits.ts says why it is what it is', () => {
  const sources = CODE.filter((file) => /^(src|signaling)\//.test(file) && !file.endsWith('/limits.ts'));
  expect(sources.flatMap((file) => unexplainedBounds(file, read(file)))).toEqual([]);
});

describe('what is untidy is caught', () => {
  const long = 'word '.repeat(30).trim();

  test('a wide comment, but no text that cannot be broken', () => {
    expect(tooWide('a.ts', `const one = 1;\n\n// ${long}`)).toEqual(['a.ts:3']);
    expect(tooWide('a.ts', `/**\n * ${long}\n */`)).toEqual(['a.ts:2']);
    expect(tooWide('a.ts', `call('${long}');`)).toEqual([]);
    expect(tooWide('a.ts', `// https://example.org/${'a'.repeat(120)}`)).toEqual([]);
  });

  test('a file that is not there', () => {
    const [cited] = citations('src/core/ports.ts', 'As in model/no-such-file.ts.');
    expect(cited?.name).toBe('model/no-such-file.ts');
    expect(isThere('src/core/ports.ts', 'model/no-such-file.ts')).toBe(false);
    expect(isThere('src/core/ports.ts', 'model/limits.ts')).toBe(true);
    expect(isThere('docs/API.md', '../src/runtime/api.ts')).toBe(true);
  });

  test('a bound without a reason', () => {
    expect(unexplainedBounds('a.ts', 'const MAX_APPLES = 3;')).toHaveLength(1);
    expect(unexplainedBounds('a.ts', '/** One for each day. */\nconst MAX_APPLES = 3;')).toEqual([]);
  });
});

/** Code is the formatter's; what it cannot break is text. Comments it leaves as they are. */
function tooWide(file: string, source: string): string[] {
  const lines = source.split('\n');
  const wide = lines.flatMap((line, at) =>
    line.length > printWidth && !/https?:\/\//.test(line) ? [at] : [],
  );
  if (wide.length === 0) return [];
  const starts = lines.reduce<number[]>((all, line) => [...all, (all.at(-1) ?? 0) + line.length + 1], [0]);
  const comments = parseSync(basename(file), source).comments;
  const isComment = (at: number): boolean =>
    comments.some(({ start, end }) => start < (starts[at + 1] ?? Infinity) - 1 && end > (starts[at] ?? 0));
  return wide.filter(isComment).map((at) => `${file}:${at + 1}`);
}

/** Names of files, with a folder or not, as they stand in a text. */
function citations(file: string, text: string): { readonly file: string; readonly name: string }[] {
  const names = text.matchAll(
    /(?<![\w/.$@{*-])((?:\.{0,2}\/)?(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|tsx|mjs|md|txt|yml))(?![\w/*-])/g,
  );
  return Array.from(names, ([, name = '']) => ({ file, name })).filter(({ name }) => !FOREIGN.includes(name));
}

/** Whether `name` is a file seen from the root, from the citing file, or the end of a file's path. */
function isThere(file: string, name: string): boolean {
  const isPath = existsSync(join(ROOT, name)) || existsSync(join(ROOT, dirname(file), name));
  const end = name.replace(/^(\.{1,2}\/)+/, '');
  return isPath || FILES.some((path) => path === end || path.endsWith(`/${end}`));
}

function commentsOf(file: string, source: string): string[] {
  return parseSync(basename(file), source).comments.map(({ value }) => value);
}

function unexplainedBounds(file: string, source: string): string[] {
  const lines = source.split('\n');
  return lines.flatMap((line, at) => {
    const [, name] = /^(?:export )?const (MAX_\w+)/.exec(line) ?? [];
    const before = lines[at - 1] ?? '';
    const isExplained =
      /\*\/$|^\/\//.test(before.trim()) || /\/\/ \w/.test(line) || /^(export )?const MAX_/.test(before);
    return name === undefined || isExplained ? [] : [`${file}: ${name}`];
  });
}

/** All but those that `.gitignore` names, by their name or path. */
function projectFiles(folder = ''): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (IGNORED.includes(entry.name) || IGNORED.includes(path)) return [];
    return entry.isDirectory() ? projectFiles(path) : [path];
  });
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}
