// `npm start`: builds when something changed, and only then; runs the relay; says so when it cannot.
// Run on a small project that has the relay's real sources, a tiny app and a tiny device.

import { cpSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../../fixtures/relay-fixture.ts';
import { type Program, startProgram } from '../../fixtures/relay-program.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** A project whose app is one page. */
function smallProject(): string {
  const project = temporaryFolder();
  const copied = { recursive: true, preserveTimestamps: true };
  for (const path of ['signaling', 'src/core', 'src/adapters/node', 'package.json', 'tsconfig.base.json']) {
    cpSync(join(ROOT, path), join(project, path), copied);
  }
  // Those that the relay's refers to.
  const isProject = (path: string): boolean => statSync(path).isDirectory() || path.endsWith('tsconfig.json');
  cpSync(join(ROOT, 'src'), join(project, 'src'), { ...copied, filter: isProject });
  symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'), 'dir');
  mkdirSync(join(project, 'public'));
  writeFileSync(join(project, 'index.html'), '<!doctype html><title>Tiny</title>');
  writeFileSync(join(project, 'vite.config.ts'), `export default { build: { outDir: 'dist/app' } };`);
  writeFileSync(join(project, 'src/cli/keep.ts'), 'export {};');
  const tinyDevice = `export default { publicDir: false, build: { ssr: 'src/cli/keep.ts', outDir: 'dist/cli' } };`;
  writeFileSync(join(project, 'src/cli/vite.config.ts'), tinyDevice);
  return project;
}

function startIn(project: string): Program {
  const flags = ['--json', '--port', '0', '--http-port', '0', '--data', join(project, 'data')];
  return startProgram(join(project, 'signaling', 'start.mjs'), flags);
}

/** Starts it, waits for the app, stops it; returns the output on stderr. */
async function seenRunning(project: string): Promise<string> {
  const program = startIn(project);
  const { app }: { app: string } = JSON.parse(await program.firstLine);
  expect(await (await fetch(app)).text()).toContain('Tiny');
  program.child.kill('SIGINT');
  expect(await program.ended).toBe(0);
  expect(program.stdout().split('\n')).toHaveLength(2);
  return program.stderr();
}

/** Four builds of three bundles, on a machine that may be busy. */
const BUILDS_MS = 120_000;

test(
  'builds once, again after a change or a deletion, and runs the relay each time',
  { timeout: BUILDS_MS },
  async () => {
    const project = smallProject();
    expect(await seenRunning(project)).toContain('Building Palm');
    expect(await seenRunning(project)).toBe('');

    writeFileSync(join(project, 'index.html'), '<!doctype html><title>Tiny and changed</title>');
    expect(await seenRunning(project)).toContain('Building Palm');

    rmSync(join(project, 'src', 'core', 'globals.d.ts'));
    expect(await seenRunning(project)).toContain('Building Palm');
    rmSync(join(project, 'dist', 'relay'), { recursive: true });
    expect(await seenRunning(project)).toContain('Building Palm');

    // Ended as soon as it says that it runs.
    const program = startIn(project);
    await program.firstLine;
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
  },
);

test('a failed build starts nothing, and shows the reason', async () => {
  const project = smallProject();
  writeFileSync(join(project, 'index.html'), '<script type="module" src="/src/missing.ts"></script>');
  const program = startIn(project);
  expect(await program.ended).toBe(1);
  expect(program.stdout()).toBe('');
  expect(program.stderr()).toContain('missing.ts');
  expect(program.stderr()).toContain('Nothing was started');
});

test('before `npm ci` it says what is missing', async () => {
  const project = smallProject();
  rmSync(join(project, 'node_modules'));
  const program = startIn(project);
  expect(await program.ended).toBe(1);
  expect(program.stderr()).toContain('npm ci');
  expect(program.stderr()).not.toContain('    at ');
});
