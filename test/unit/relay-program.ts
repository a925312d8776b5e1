// The relay as a process of its own, with what it prints and how it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Program {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout holds a whole line; fails when the program ends without. */
  readonly firstLine: Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Builds the relay's program into a folder of its own, so that it disturbs no build; the file to run is main.js in it. */
export async function bundleRelay(): Promise<{ readonly folder: string; readonly remove: () => void }> {
  // Inside the project, so that the bundle finds its packages.
  const folder = join(ROOT, 'node_modules', '.cache', `relay-test-${process.pid}`);
  await build({
    configFile: join(ROOT, 'signaling', 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: folder, emptyOutDir: true },
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** A port that nobody had a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return address.port;
}

/** Runs a JavaScript file under this Node, with `nodeFlags`; ended after the test at the latest. */
export function startProgram(
  file: string,
  flags: readonly string[],
  nodeFlags: readonly string[] = [],
): Program {
  const child = spawn(process.execPath, [...nodeFlags, file, ...flags]);
  const text = { stdout: '', stderr: '' };
  const ended = once(child, 'close').then(() => child.exitCode ?? child.signalCode);
  const firstLine = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text.stdout += chunk;
      const [line, rest] = text.stdout.split('\n', 2);
      if (line !== undefined && rest !== undefined) resolve(line);
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk));
    ended.then(
      () => reject(new Error(`The relay ended without a line. ${text.stderr}`)),
      (error: unknown) => reject(error instanceof Error ? error : new Error(String(error))),
    );
  });
  firstLine.catch(() => undefined); // who wants it awaits it
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, stdout: () => text.stdout, stderr: () => text.stderr, firstLine, ended };
}
