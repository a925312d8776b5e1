// What the program prints: JSON for programs; for people tables, and progress as a bar on a terminal and as
// lines elsewhere.

import { SingleBar } from 'cli-progress';
import { formatBytes } from '../ui/text/en/units.ts';

export interface Progress {
  at(phase: string, doneBytes: number, totalBytes: number): void;
  end(): void;
}

/** Between two lines where no bar can be drawn: of what is to be done. */
const LINE_EVERY = 0.25;

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function warn(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Columns as wide as their widest cell; written at once, because each write is a call to the system. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Progress on standard error; silent with `isQuiet`. */
export function progressOf(name: string, isQuiet: boolean): Progress {
  if (isQuiet) return { at: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? barOf(name) : linesOf(name);
}

function barOf(name: string): Progress {
  const format = `${name}  {phase}  [{bar}] {percentage}%  {done} of {total}`;
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true, stream: process.stderr });
  let isStarted = false;
  return {
    at(phase, doneBytes, totalBytes) {
      const payload = { phase, done: formatBytes(doneBytes), total: formatBytes(totalBytes) };
      if (!isStarted) bar.start(Math.max(1, totalBytes), doneBytes, payload);
      isStarted = true;
      bar.setTotal(Math.max(1, totalBytes));
      bar.update(doneBytes, payload);
    },
    end: () => bar.stop(),
  };
}

function linesOf(name: string): Progress {
  let told = '';
  return {
    at(phase, doneBytes, totalBytes) {
      const part = Math.floor(doneBytes / Math.max(1, totalBytes) / LINE_EVERY);
      const key = `${phase} ${part}`;
      if (key === told || part === 0) return;
      told = key;
      warn(`${name}  ${phase}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
    },
    end: () => undefined,
  };
}
