// The relay as a process of its own, with what it prints and how it ends.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

export interface Program {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout holds a whole line; fails when the program ends without. */
  readonly firstLine: Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string | null>;
}

/** Runs a JavaScript file under this Node; ended after the test at the latest. */
export function startProgram(file: string, flags: readonly string[]): Program {
  const child = spawn(process.execPath, [file, ...flags]);
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
