// `npm run test:mutations`: breaks Palm on purpose, one rule at a time, in a copy of its sources, and tells
// stories (story.ts) until a checker catches it. Prints the table of docs/DURABILITY.md. `--only NAME` breaks
// one rule, `--seeds N` gives up after N stories.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStories } from '../build-stories.mjs';

const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));
const WORK = join(ROOT, 'node_modules', '.cache', 'mutations');

/**
 * @typedef {{ file: string, from: string, to: string }} Change
 * `only`: the one kind of fault that stories are told with, where others would hide it
 * @typedef {{ name: string, rule: string, changes: Change[], only?: string }} Mutation
 */

/** @type {readonly Mutation[]} */
const MUTATIONS = [
  {
    name: 'repair',
    rule: 'lost fragments are rebuilt',
    changes: [
      {
        file: 'core/repair/repair-plan.ts',
        from: 'else if (this.#running.size < MAX_REPAIRS) effects.push(...this.#start(ready));',
        to: '',
      },
    ],
  },
  {
    name: 'cap',
    rule: 'no device holds k fragments of a file',
    changes: [{ file: 'core/model/limits.ts', from: 'return k === 1 ? 1 : k - 1;', to: 'return k;' }],
  },
  {
    name: 'tombstone',
    rule: 'a removal counts whenever it comes',
    changes: [
      {
        file: 'core/catalogue/file-index.ts',
        from: "    increase(kind === 'remove' ? this.#removals : this.#unnamed, fileId, change);",
        to: "    if (this.isKnown(fileId) || this.#names.has(fileId)) increase(kind === 'remove' ? this.#removals : this.#unnamed, fileId, change);",
      },
    ],
  },
  {
    name: 'incarnation',
    rule: 'only a later word of a device is news of it',
    changes: [
      {
        file: 'core/membership/news.ts',
        from: '    return isLater(record, known);',
        to: '    return known !== undefined;',
      },
      {
        file: 'core/membership/news.ts',
        from: 'if (refutes && isLater(known, belief)) return member.record;',
        to: 'if (refutes) return member.record;',
      },
    ],
  },
  {
    name: 'sleep',
    rule: 'who slept accuses nobody',
    changes: [
      {
        file: 'core/membership/membership.ts',
        from: '    if (lateMs > (this.#links.size > 0 ? LATE_MS : LATE_ALONE_MS)) this.#slept(lateMs);',
        to: '',
      },
    ],
  },
  {
    name: 'confirmation',
    rule: 'nothing is let go without a proof',
    changes: [
      {
        file: 'core/peer/outbox.ts',
        from: 'const proved = this.#challenges.provedOf(file, claims);\n    const homes',
        to: 'const proved = claims;\n    const homes',
      },
      {
        file: 'core/peer/outbox.ts',
        from: 'if (!this.#challenges.wereProvedTogether(file, claims)) return undefined;',
        to: '',
      },
    ],
  },
  {
    name: 'margin',
    rule: 'the margin shown counts every loss',
    changes: [
      {
        file: 'core/placement/health.ts',
        from: 'if (search.mayBeFatal(lostCount)) return lostCount - 1;',
        to: 'if (search.mayBeFatal(lostCount)) return lostCount;',
      },
    ],
  },
  {
    name: 'offered-space',
    rule: 'a fifth of the space stays for its own device',
    only: 'full',
    changes: [
      { file: 'runtime/offered-space.ts', from: 'const OFFERED_PART = 0.8;', to: 'const OFFERED_PART = 1;' },
    ],
  },
  {
    name: 'learned-grace',
    rule: 'who came back after a long silence is given it again',
    changes: [
      {
        file: 'core/membership/learned-grace.ts',
        from: 'return Math.max(ofClassMs, Math.min(FACTOR * longestMs, MAX_LEARNED_GRACE_MS));',
        to: 'return ofClassMs;',
      },
    ],
  },
];

const given = process.argv.slice(2);
const only = valueOf('only');
const most = Number(valueOf('seeds') ?? 60);

/** @type {string[]} */
const missed = [];
console.log('| broken | rule | caught by | after |');
console.log('|---|---|---|---|');
for (const mutation of MUTATIONS.filter(({ name }) => only === undefined || only.split(',').includes(name))) {
  const { caughtBy, stories } = await tell(mutation);
  if (caughtBy === undefined) missed.push(mutation.name);
  console.log(`| ${mutation.name} | ${mutation.rule} | ${caughtBy ?? '**nothing**'} | ${stories} stories |`);
}
process.exitCode = missed.length > 0 ? 1 : 0;

/**
 * @param {Mutation} mutation
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
  const faults = mutation.only === undefined ? [] : ['--only', mutation.only];
  const { stdout } = spawnSync(
    process.execPath,
    [program, '--seeds', String(most), '--until-failure', ...faults],
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
