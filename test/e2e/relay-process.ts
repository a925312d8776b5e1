// The real relay as a child process, started as people start it (`npm start`), on free ports and with a data
// folder of its own.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface RelayProcess {
  /** The app's address on this machine, with the final slash. */
  readonly app: string;
  /** Its addresses for the other devices on the network. */
  readonly lan: readonly string[];
  /** Ends it without any notice, like a crash or a pulled plug. */
  kill(): Promise<void>;
  /** Ends it like Ctrl-C, returns its exit code, and removes its data folder. */
  stop(): Promise<number | null>;
}

export interface ToldRelay extends RelayProcess {
  readonly dataFolder: string;
  /** The end of what it wrote to stderr. */
  complaints(): string;
}

const START = fileURLToPath(new URL('../../signaling/start.mjs', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** How many characters of the relay's stderr are kept for the error text. */
const KEPT_CHARACTERS = 4_000;

/** Starts a program. */
type Start = (program: string, parameters: string[], options: SpawnOptions) => ChildProcess;

/**
 * Resolves once the relay has printed its addresses, so it accepts connections. Each has another certificate.
 * `start`: on another host of a LAN. `more`: further flags; by default
 * whatever is installed here makes no difference.
 */
export async function startRelay(
  httpsPort = 0,
  start: Start = spawn,
  more: readonly string[] = ['--no-turn'],
): Promise<ToldRelay> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'palm-relay-'));
  const flags = ['--json', '--port', String(httpsPort), '--http-port', '0', '--data', dataFolder, ...more];
  const child = start(process.execPath, [START, ...flags], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('both are pipes');
  const exited = once(child, 'exit');
  let complaints = '';
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-KEPT_CHARACTERS);
  });

  const firstLine = once(createInterface(stdout), 'line').then(([line]) => String(line));
  const line = await Promise.race([firstLine, exited.then(() => undefined)]);
  if (line === undefined) throw new Error(`The relay ended before it was ready: ${complaints}`);

  return {
    ...parseAddresses(line),
    dataFolder,
    complaints: () => complaints,
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

function parseAddresses(line: string): Pick<RelayProcess, 'app' | 'lan'> {
  const value: unknown = JSON.parse(line);
  if (typeof value === 'object' && value !== null && 'app' in value && 'lan' in value) {
    const { app, lan } = value;
    if (typeof app === 'string' && Array.isArray(lan) && lan.every((url) => typeof url === 'string')) {
      return { app, lan };
    }
  }
  throw new Error(`The relay's first line is not its addresses: ${line}`);
}
