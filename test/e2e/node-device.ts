// A device without a browser, run as people run it: `npm start -- --keep`, and the `palm` program for the
// shell.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { RelayProcess } from './relay-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = join(ROOT, 'dist/cli/main.js');

export interface Ran {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface NodeDevice {
  /** Runs `palm` for the device, with `input` on standard input. */
  palm(flags: readonly string[], input?: Uint8Array): Promise<Ran>;
}

/** One that runs by itself: `palm up`. */
export interface LoneDevice extends NodeDevice {
  /** Ends it like Ctrl-C, and removes its folder. */
  stop(): Promise<number | null>;
}

export interface Household extends RelayProcess, NodeDevice {
  /** Everything that it has printed so far. */
  printed(): string;
}

/** Starts a program. */
type Start = (program: string, parameters: string[], options: SpawnOptions) => ChildProcess;

/** The relay and a device in one process; the device has a new pool. `start`: on another host of a LAN. */
export async function startHousehold(start: Start = spawn): Promise<Household> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'palm-keep-'));
  const flags = ['--keep', '--json', '--port', '0', '--http-port', '0', '--data', dataFolder];
  const child = start(process.execPath, [join(ROOT, 'signaling/start.mjs'), ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout: told, stderr: complained } = child;
  if (told === null || complained === null) throw new Error('both are pipes');
  let printed = '';
  for (const stream of [told, complained]) {
    stream.setEncoding('utf8').on('data', (part: string) => (printed += part));
  }
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(createInterface(told), 'line').then(([first]) => String(first)),
    exited.then(() => undefined),
  ]);
  if (line === undefined) throw new Error(`the household ended before it was ready: ${printed}`);
  const { app, lan }: { app: string; lan: string[] } = JSON.parse(line);
  return {
    app,
    lan,
    printed: () => printed,
    palm: (given, input) => runPalm(dataFolder, given, input),
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    async stop() {
      child.kill('SIGINT');
      await exited;
      await rm(dataFolder, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}

/** A device with a pool of its own, named Node, on `relay`, an address at which nothing need be. */
export async function startLoneDevice(relay: string, start: Start = spawn): Promise<LoneDevice> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'palm-lone-'));
  const child = start(process.execPath, [PROGRAM, 'up', '--data', dataFolder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { stdout } = child;
  if (stdout === null) throw new Error('stdout is a pipe');
  const exited = once(child, 'exit');
  const isUp = await Promise.race([
    once(createInterface(stdout), 'line').then(() => true),
    exited.then(() => false),
  ]);
  if (!isUp) throw new Error('the device ended before it was ready');
  const palm: NodeDevice['palm'] = (given, input) => runPalm(dataFolder, given, input);
  const created = await palm(['create', 'Home', '--relay', relay, '--device-name', 'Node']);
  if (created.code !== 0) throw new Error(created.stderr);
  return {
    palm,
    async stop() {
      child.kill('SIGINT');
      await exited;
      await rm(dataFolder, { recursive: true, force: true });
      return child.exitCode;
    },
  };
}

async function runPalm(dataFolder: string, given: readonly string[], input?: Uint8Array): Promise<Ran> {
  const program = spawn(process.execPath, [PROGRAM, ...given, '--data', dataFolder]);
  program.stdin.on('error', () => undefined); // it may end before it read everything
  program.stdin.end(input);
  const [stdout, stderr] = await Promise.all([buffer(program.stdout), text(program.stderr)]);
  if (program.exitCode === null) await once(program, 'exit');
  return { code: program.exitCode, stdout, stderr };
}
