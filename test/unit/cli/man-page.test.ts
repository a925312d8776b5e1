// The manual page in docs is the one that the help makes. `npm run man` makes it again.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Context } from '../../../src/cli/commands/context.ts';
import { manPage } from '../../../src/cli/man-page.ts';
import { commands } from '../../../src/cli/program.ts';

const PATH = new URL('../../../docs/palm.1', import.meta.url);
const program = commands(() => ({}) as Context, '0.0.0'); // no command is run

it('is fresh', () => {
  expect(readFileSync(PATH, 'utf8')).toBe(manPage(program));
});

it('has every command and flag', () => {
  const page = readFileSync(PATH, 'utf8').replaceAll('\\-', '-');
  for (const { name, options } of program.commands) {
    expect(page).toContain(`\npalm ${name}`);
    for (const { rawName } of options) expect(page).toContain(`.B ${rawName}\n`);
  }
});

it.each(['a\\b', '.so /etc/passwd', "'so /etc/passwd", '-', '’'])('takes %j as text', (description) => {
  const odd = commands(() => ({}) as Context, '0.0.0');
  odd.command('odd', description);
  const wild = manPage(odd)
    .split('\n')
    .filter((line) => /^[.']/u.test(line) && !/^\.(?:\\"|TH|SH|SS|TP|PP|RS|RE|EX|EE|B|I)(?: |$)/u.test(line));
  expect(wild).toEqual([]);
  // Backslashes begin escapes: only those that are meant.
  expect(manPage(odd)).not.toMatch(/\\(?![-&e"(])/u);
});
