// Finds the Chromium and the Firefox for the browser tests. Plain JavaScript, because test/run.mjs needs it
// before anything is built and Node 20 runs no TypeScript; playwright.config.ts and the benches use it too.
// An installed browser comes first, because Playwright's download is not available on every network.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from '@playwright/test';

/** @typedef {{ linuxNames: string[], macPaths: string[], windowsPath: string[] }} Places */

/** @type {Places} */
const CHROMIUM = {
  linuxNames: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  macPaths: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  windowsPath: ['Google', 'Chrome', 'Application', 'chrome.exe'],
};
/** @type {Places} */
const FIREFOX = {
  linuxNames: ['firefox-esr', 'firefox'],
  macPaths: ['/Applications/Firefox.app/Contents/MacOS/firefox'],
  windowsPath: ['Mozilla Firefox', 'firefox.exe'],
};
/** A script that starts a snap says so in its first lines. */
const SCRIPT_BYTES = 4_096;
const WINDOWS_FOLDERS = ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'];

/**
 * The path of an installed Chromium or Chrome (CHROMIUM_PATH first), otherwise of Playwright's own; undefined
 * when there is none.
 * @returns {string | undefined}
 */
export function findBrowser() {
  return installedPaths().find((path) => existsSync(path));
}

/**
 * Installs Chromium with the system's package manager if that needs no questions, otherwise Playwright's
 * download. The installers print to this terminal.
 * @returns {string | undefined} the path, or undefined when nothing could be installed
 */
export function installBrowser() {
  // A person who chose a program gets that one or none.
  if (chosenPath() !== undefined) return findBrowser();
  installPackage('chromium');
  if (findBrowser() === undefined) {
    const playwright = join('node_modules', '@playwright', 'test', 'cli.js');
    run(process.execPath, [playwright, 'install', 'chromium'], process.env);
  }
  return findBrowser();
}

/**
 * The path of an installed Firefox (FIREFOX_PATH first); undefined when there is none.
 * @returns {string | undefined}
 */
export function findFirefox() {
  const chosen = process.env['FIREFOX_PATH'] ?? '';
  const paths = chosen === '' ? systemPaths(FIREFOX) : [chosen];
  return paths.find((path) => existsSync(path) && !isSnap(path));
}

/**
 * Installs Firefox with the system's package manager if that needs no questions.
 * @returns {string | undefined} the path, or undefined when it could not be installed
 */
export function installFirefox() {
  if ((process.env['FIREFOX_PATH'] ?? '') === '') installPackage('firefox-esr');
  return findFirefox();
}

/**
 * Chromium's arguments for tests: no calls home, and no sandbox for root, where it cannot work.
 * @returns {string[]}
 */
export function browserArguments() {
  const quiet = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  return process.getuid?.() === 0 ? ['--no-sandbox', ...quiet] : quiet;
}

/** @returns {string[]} where a browser may be, preferred first */
function installedPaths() {
  const chosen = chosenPath();
  return chosen === undefined ? [...systemPaths(CHROMIUM), chromium.executablePath()] : [chosen];
}

/** @returns {string | undefined} */
function chosenPath() {
  const chosen = process.env['CHROMIUM_PATH'];
  return chosen === '' ? undefined : chosen;
}

/**
 * @param {Places} places
 * @returns {string[]}
 */
function systemPaths({ linuxNames, macPaths, windowsPath }) {
  if (process.platform === 'darwin') return macPaths;
  if (process.platform === 'win32') {
    const roots = WINDOWS_FOLDERS.map((name) => process.env[name] ?? '');
    return roots.filter((root) => root !== '').map((root) => join(root, ...windowsPath));
  }
  const folders = ['/usr/bin', ...(process.env['PATH'] ?? '').split(delimiter)];
  return linuxNames.flatMap((name) => folders.map((folder) => join(folder, name)));
}

/**
 * Whether a program is a snap, or the script that starts one: a snap sees no profile in the temporary folder.
 * @param {string} path
 */
function isSnap(path) {
  if (process.platform !== 'linux') return false;
  const program = realpathSync(path);
  return program.startsWith('/snap/') || readFileSync(program).subarray(0, SCRIPT_BYTES).includes('/snap/');
}

/**
 * Only where that needs no questions: on Debian and its kin, as root.
 * @param {string} name
 */
function installPackage(name) {
  const isRoot = process.getuid?.() === 0;
  if (process.platform !== 'linux' || !isRoot || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  apt(['update'], env);
  apt(['install', '--no-install-recommends', name], env);
}

/** How long another apt may be at work, as on a machine that was just set up, s: an upgrade takes minutes. */
const LOCK_WAIT_S = 600;
/** How long until `update` is tried again, ms. */
const LOCK_RETRY_MS = 3_000;

/**
 * Runs apt-get once no other apt is at work. `install` waits by itself; `update` (seen in 2.6) fails at once
 * while the lists are locked, whatever it was told.
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} env
 * @param {number} [retryMs]
 */
export function apt(parameters, env, retryMs = LOCK_RETRY_MS) {
  const all = ['-q', '-y', '-o', `DPkg::Lock::Timeout=${LOCK_WAIT_S}`, ...parameters];
  const endMs = performance.now() + LOCK_WAIT_S * 1_000;
  while (run('apt-get', all, env).includes('Could not get lock') && performance.now() < endMs) {
    console.error('Another apt is at work; waiting for it ...');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
  }
}

/**
 * A failed installer is not fatal: the next one is tried, and findBrowser decides in the end. What failed is
 * printed.
 * @param {string} command
 * @param {string[]} parameters
 * @param {NodeJS.ProcessEnv} env
 * @returns {string} its complaints
 */
function run(command, parameters, env) {
  const { error, status, signal, stderr } = spawnSync(command, parameters, {
    env: { ...env, LC_ALL: 'C' },
    stdio: ['ignore', 2, 'pipe'],
    encoding: 'utf8',
  });
  const complaints = stderr ?? '';
  process.stderr.write(complaints);
  if (status !== 0) {
    const ending = signal === null ? `it ended with code ${status}` : `it was ended by ${signal}`;
    console.error(`Failed: ${command} ${parameters.join(' ')} (${error?.message ?? ending}).`);
  }
  return complaints;
}
