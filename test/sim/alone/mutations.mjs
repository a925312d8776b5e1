// `npm run test:mutations`: breaks Palm on purpose, one rule at a time, in a copy of its sources, and tells
// stories (story.ts) until a checker catches it. Prints the table of docs/decisions/0058. `--only NAME,NAME`
// breaks these rules, `--seeds N` gives up after N stories.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStories } from '../build-stories.mjs';
import { BROKEN_RULES } from './broken-rules.mjs';

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const WORK = join(ROOT, 'node_modules', '.cache', 'mutations');

const given = process.argv.slice(2);
const only = valueOf('only');
const most = Number(valueOf('seeds') ?? 60);

/** @type {string[]} */
const missed = [];
console.log('| broken | rule | caught by | after |');
console.log('|---|---|---|---|');
for (const mutation of BROKEN_RULES.filter(
  ({ name }) => only === undefined || only.split(',').includes(name),
)) {
  const { caughtBy, stories } = await tell(mutation);
  if (caughtBy === undefined) missed.push(mutation.name);
  console.log(`| ${mutation.name} | ${mutation.rule} | ${caughtBy ?? '**nothing**'} | ${stories} stories |`);
}
process.exitCode = missed.length > 0 ? 1 : 0;

/**
 * @param {import('./broken-rules.mjs').Mutation} mutation
 * @returns {Promise<{ caughtBy: string | undefined, stories: number }>}
 */
async function tell(mutation) {
  const root = join(WORK, mutation.name);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  for (const part of ['src', 'test', 'signaling', 'package.json'])
    cpSync(join(ROOT, part), join(root, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'junction');
  for (const { file, from, to } of mutation.changes) {
    const path = join(root, 'src', file);
    const source = readFileSync(path, 'utf8');
    if (source.split(from).length !== 2) throw new Error(`${mutation.name}: ${file} has not once: ${from}`);
    writeFileSync(path, source.replace(from, to));
  }
  const program = await buildStories(root, join(WORK, `${mutation.name}-program`));
  const { stdout } = spawnSync(
    process.execPath,
    [program, '--seeds', String(most), '--until-failure', ...(mutation.options ?? [])],
    {
      encoding: 'utf8',
      cwd: root,
      maxBuffer: 2 ** 28,
    },
  );
  rmSync(root, { recursive: true, force: true });
  const failed = /^seed (\d+) failed: (.*)$/m.exec(stdout);
  const told = /^(\d+) stories/m.exec(stdout);
  if (told === null) throw new Error(`${mutation.name}: the stories ended early:\n${stdout.slice(-2_000)}`);
  return { caughtBy: failed?.[2], stories: Number(told[1]) };
}

/**
 * @param {string} name
 * @returns {string | undefined}
 */
function valueOf(name) {
  const at = given.indexOf(`--${name}`);
  return at < 0 ? undefined : given[at + 1];
}
