// `npm run test:sim`: the simulator's tests. With `--seeds N` it tells N stories of pools that are left
// alone instead (test/sim/alone), from seed `--from S` on (1), and prints each that fails, what happened in
// it, and the command that replays it. `--trace` prints what happens as it happens; `--only crash,rot`
// leaves out all other faults, `--real-days` tells stories of days of 24 hours only. `--years N` tells
// stories of a year each until N device-years have passed, of a population of test/durability
// (`--population club`), or of `--days D` each. `--measure` measures membership instead
// (docs/DURABILITY.md), `--measure class` that of one population.

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildStories } from './build-stories.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const given = process.argv.slice(2);

if (given.includes('--seeds') || given.includes('--years') || given.includes('--measure')) {
  const program = await buildStories(root, join(root, 'node_modules', '.cache', 'sim'));
  run(process.execPath, ['--enable-source-maps', program, ...given]);
} else {
  run(process.execPath, [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--project',
    'sim',
    ...given,
  ]);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
function run(program, args) {
  const { status } = spawnSync(program, args, { stdio: 'inherit', cwd: root });
  process.exitCode = status ?? 1;
}
