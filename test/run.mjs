// `npm test`: everything a newcomer should see pass, starting with `npm ci`. `npm run test:long` is the same
// program with `--long`: it runs the slow tests (test/scale.ts), in full. Each stage is a script of
// package.json, so a failed one can be run again by name. A failed stage does not stop the next. Each check
// counts as one, tests are counted from the runners' own JSON reports, and the last line is the sum:
// `N passed, N failed`. A stage that crashes, runs out of time or reports no test at all counts as a failure:
// silence is not success.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstLine, readPlaywright, readVitest } from './reports.mjs';

/** The oldest Node that package.json's `engines` allows. */
const NODE_MAJOR = 20;
const NODE_MINOR = 19;

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REPORTS = join(ROOT, 'node_modules', '.cache', 'reports');

/** A check that takes longer than this hangs, ms; on two cores the slowest takes some 30 s. */
const CHECK_LIMIT_MS = 4 * 60_000;
/** Unit tests take some five minutes on two busy cores, the simulator some three, ms. */
const TEST_LIMIT_MS = 8 * 60_000;
/** The browser tests take most of the time: the whole run must stay below 25 minutes on two cores. */
const BROWSER_LIMIT_MS = 19 * 60_000;
const LONG_LIMIT_MS = 18 * 60_000;
const CHECKS_AT_ONCE = 2;
/** How many last lines of a failed stage's output are shown. */
const SHOWN_LINES = 150;

/**
 * @typedef {import('./reports.mjs').Tally} Tally
 * @typedef {{ name: string, script: string, limitMs: number, report?: (path: string) => Tally, live?: boolean
 * }} Stage
 */

/**
 * The checks and the build hardly use a second core, and measure nothing: they run two at a time.
 * @type {readonly Stage[]}
 */
const CHECKS = [
  { name: 'lint', script: 'lint', limitMs: CHECK_LIMIT_MS },
  { name: 'format', script: 'format:check', limitMs: CHECK_LIMIT_MS },
  { name: 'types', script: 'types', limitMs: CHECK_LIMIT_MS },
  { name: 'unused code', script: 'unused', limitMs: CHECK_LIMIT_MS },
  { name: 'build', script: 'build', limitMs: CHECK_LIMIT_MS },
];

/**
 * One after the other: each uses all cores, and some watch the clock.
 * @type {readonly Stage[]}
 */
const STAGES = [
  { name: 'unit tests', script: 'test:unit', limitMs: TEST_LIMIT_MS, report: readVitest },
  { name: 'simulator', script: 'test:sim', limitMs: TEST_LIMIT_MS, report: readVitest },
  {
    name: 'browser tests',
    script: 'test:e2e',
    limitMs: BROWSER_LIMIT_MS,
    report: readPlaywright,
    live: true,
  },
];

/** @type {readonly Stage[]} */
const LONG_STAGES = [
  { name: 'build', script: 'build', limitMs: CHECK_LIMIT_MS },
  { name: 'long unit tests', script: 'test:long:node', limitMs: LONG_LIMIT_MS, report: readVitest },
  {
    name: 'long browser tests',
    script: 'test:long:browser',
    limitMs: LONG_LIMIT_MS,
    report: readPlaywright,
    live: true,
  },
];

const isLong = process.argv.includes('--long');

/**
 * How to end each command that runs now.
 * @type {Set<() => void>}
 */
const running = new Set();
process.once('SIGINT', () => {
  for (const end of running) end();
  process.exit(130);
});

await main();

async function main() {
  const problem = installationProblem();
  if (problem !== undefined) {
    console.error(problem);
    return finish({ passed: 0, failures: ['nothing could be run'], skipped: 0, reasons: [] });
  }
  process.chdir(ROOT);
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });

  const env = await environment();
  /** @type {Tally} */
  const total = { passed: 0, failures: [], skipped: 0, reasons: [] };
  const checks = isLong ? [] : [...CHECKS];
  const lane = async () => {
    for (let stage = checks.shift(); stage !== undefined; stage = checks.shift())
      count(total, stage, await runStage(stage, env));
  };
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, lane));
  for (const stage of isLong ? LONG_STAGES : STAGES) count(total, stage, await runStage(stage, env));
  finish(total);
}

/**
 * @param {Tally} total
 * @param {Stage} stage
 * @param {Tally} tally
 */
function count(total, stage, tally) {
  total.passed += tally.passed;
  total.failures.push(...tally.failures.map((failure) => `${stage.name}: ${failure}`));
  total.skipped += tally.skipped;
  total.reasons.push(...tally.reasons);
}

/** @returns {string | undefined} */
function installationProblem() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < NODE_MAJOR || (major === NODE_MAJOR && minor < NODE_MINOR)) {
    return `Palm needs Node ${NODE_MAJOR}.${NODE_MINOR} or newer; this is ${process.versions.node}. Install it from nodejs.org and run \`npm ci\` again.`;
  }
  if (existsSync(join(ROOT, 'node_modules'))) return undefined;
  return 'Palm is not installed yet. Run `npm ci` in its folder once, then `npm test` again.';
}

/**
 * The stages' environment, with the browser found (or installed) once for all of them.
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
async function environment() {
  const env = { ...process.env, NO_COLOR: '1', CI: '1', ...(isLong ? { PALM_LONG: '1' } : {}) };
  const { findBrowser, findFirefox, installBrowser, installFirefox } = await import('./browser.mjs');
  const browser = findBrowser() ?? installBrowser();
  // Its tests are not among the long ones.
  if (!isLong && findFirefox() === undefined) installFirefox();
  if (browser !== undefined) return { ...env, CHROMIUM_PATH: browser };
  console.error(
    'No Chromium was found, and none could be installed: the browser tests will fail. ' +
      'Install Chromium or Chrome, or set CHROMIUM_PATH to its program, and run `npm test` again.',
  );
  return env;
}

/**
 * @param {Stage} stage
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Tally>}
 */
async function runStage(stage, env) {
  const startedMs = performance.now();
  const reportPath = join(REPORTS, `${stage.script.replaceAll(':', '-')}.json`);
  const command = `npm run --silent ${stage.script}${reporterArguments(stage, reportPath)}`;
  const run = await runCommand(command, { ...env, PLAYWRIGHT_JSON_OUTPUT_FILE: reportPath }, stage);
  const tally = tallyOf(stage, run.problem, reportPath);

  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const verdict = tally.failures.length === 0 ? 'ok    ' : 'FAILED';
  const skipped = tally.skipped === 0 ? '' : `, ${tally.skipped} skipped`;
  const counts = stage.report === undefined ? '' : `: ${tally.passed} passed${skipped}`;
  if (tally.failures.length > 0 && stage.live !== true) console.log(lastLines(run.output));
  console.log(`${verdict} ${stage.name}${counts} (${seconds} s)`);
  return tally;
}

/**
 * @param {Stage} stage
 * @param {string} reportPath
 */
function reporterArguments(stage, reportPath) {
  if (stage.report === readVitest) {
    return ` -- --reporter=dot --reporter=json "--outputFile.json=${reportPath}"`;
  }
  return stage.report === readPlaywright ? ' -- --reporter=list,json' : '';
}

/**
 * The result of a finished stage. The report says which tests ran; `problem` says that the program did not
 * end well, which counts even if the report has no failure.
 * @param {Stage} stage
 * @param {string | undefined} problem
 * @param {string} reportPath
 * @returns {Tally}
 */
function tallyOf(stage, problem, reportPath) {
  if (stage.report === undefined) {
    const failures = problem === undefined ? [] : [`\`npm run ${stage.script}\` ${problem}`];
    return { passed: 1 - failures.length, failures, skipped: 0, reasons: [] };
  }
  const tally = readReport(stage.report, reportPath);
  if (tally.failures.length > 0) return tally;
  if (problem !== undefined) return { ...tally, failures: [`\`npm run ${stage.script}\` ${problem}`] };
  return tally.passed > 0 ? tally : { ...tally, failures: ['no test ran'] };
}

/**
 * @param {(path: string) => Tally} read
 * @param {string} path
 * @returns {Tally}
 */
function readReport(read, path) {
  try {
    return read(path);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return { passed: 0, failures: [`no report was written (${cause})`], skipped: 0, reasons: [] };
  }
}

/**
 * Runs a shell command to its end or its limit.
 * @param {string} command
 * @param {NodeJS.ProcessEnv} env
 * @param {Stage} stage
 * @returns {Promise<{ problem: string | undefined, output: string }>}
 */
function runCommand(command, env, stage) {
  const isWindows = process.platform === 'win32';
  // Its own process group, so that a hanging stage is ended with everything it started.
  const child = spawn(command, { shell: true, env, detached: !isWindows, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => {
    if (isWindows || child.pid === undefined) child.kill();
    else process.kill(-child.pid, 'SIGTERM');
  };
  running.add(end);
  return new Promise((resolve) => {
    let output = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      end();
    }, stage.limitMs);
    /** @type {(problem: string | undefined) => void} */
    const settle = (problem) => {
      clearTimeout(timer);
      running.delete(end);
      resolve({ problem, output });
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        output += text;
        if (stage.live === true) process.stdout.write(text);
      });
    }
    child.once('error', (error) => settle(`could not be started: ${error.message}`));
    child.once('close', (code, signal) => {
      if (isLate) settle(`took longer than ${stage.limitMs / 60_000} minutes`);
      else settle(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** @param {Tally} total */
function finish(total) {
  if (total.reasons.length > 0) console.log('\nSkipped:');
  for (const reason of total.reasons) console.log(`  ${reason}`);
  if (total.failures.length > 0) console.log('\nFailed:');
  for (const failure of total.failures) console.log(`  ${firstLine(failure)}`);
  process.exitCode = total.failures.length === 0 && total.passed > 0 ? 0 : 1;
  console.log(`\n${total.passed} passed, ${total.failures.length} failed`);
}

/** @param {string} text */
function lastLines(text) {
  return text.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');
}
