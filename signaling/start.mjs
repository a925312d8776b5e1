// `npm start`: builds everything when the sources are newer than the last build, then runs the relay, and
// with --keep a device next to it. Plain JavaScript, because nothing is built yet. What the build prints goes
// to stderr; stdout is the relay's.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = ['src', 'signaling', 'public', 'index.html', 'package.json', 'vite.config.ts'];
/** What a build writes, in this order: if all are newer than every source, the build succeeded. */
const PRODUCTS = ['dist/app/index.html', 'dist/relay/main.js', 'dist/cli/keep.js'];

const isReady = isBuilt() || build();
// With --keep this machine is a device of the pool, too; without, the relay knows nothing of any pool.
if (isReady && process.argv.includes('--keep')) await import('../dist/cli/keep.js');
else if (isReady) await import('../dist/relay/main.js');
else process.exitCode = 1;

/** @returns {boolean} */
function isBuilt() {
  const newestSourceMs = Math.max(...SOURCES.map((path) => newestMs(join(ROOT, path))));
  return PRODUCTS.every((path) => newestMs(join(ROOT, path)) > newestSourceMs);
}

/**
 * When anything at `path` last changed, ms; 0 if nothing is there. Folders count too, because their time
 * changes when a file is deleted.
 * @param {string} path
 * @returns {number}
 */
function newestMs(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(path).map((name) => newestMs(join(path, name)));
  return Math.max(stats.mtimeMs, ...inside);
}

/** @returns {boolean} whether both builds succeeded */
function build() {
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite)) {
    console.error('Palm is not installed yet. Run `npm ci` in its folder once, then `npm start` again.');
    return false;
  }
  console.error('Building Palm (only when something changed) ...');
  for (const config of ['vite.config.ts', 'signaling/vite.config.ts', 'src/cli/vite.config.ts']) {
    const built = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn', '--config', config], {
      cwd: ROOT,
      stdio: ['ignore', 2, 2],
    });
    if (built.status !== 0) {
      console.error('The build failed; the reason is above. Nothing was started.');
      return false;
    }
  }
  return true;
}
