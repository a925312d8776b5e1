// The relay as its own process under attack by another: what a well-behaved pair and a page's visitor get meanwhile, and
// what the relay's process holds before and after. Linux only: it reads /proc and comes from several loopback addresses.

import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { Agent as SecureAgent, request as httpsRequest } from 'node:https';
import { constants, getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parsePoolId, type PoolId } from '../../src/core/model/ids.ts';
import { link, RelayClient, temporaryFolder, type Entered } from './relay-fixture.ts';
import { freePort, startProgram } from './relay-program.ts';

/** Who behaves well comes from one of 127.0.1.1 to 127.0.1.250, each time from the next; attackers from others. */
function nextHonestAddress(): string {
  honestCount += 1;
  return `127.0.1.${1 + (honestCount % 250)}`;
}

let honestCount = 0;

const ATTACKER = fileURLToPath(new URL('relay-attacker.mjs', import.meta.url));

/** Has the relay's process collect its garbage at a signal, and print what it still uses: what it holds is what it needs. */
const COLLECT_ON_SIGNAL = `data:text/javascript,process.on('SIGUSR2',()=>{
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  process.stderr.write('used ' + (heapUsed + external) + '\\n');
})`.replaceAll('\n', '');

export interface AttackedRelay {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** What it holds after its garbage was collected. */
  holds(): Promise<Holding>;
  /** Whether the process lives. */
  lives(): boolean;
}

export interface Holding {
  /** Open descriptors. */
  readonly files: number;
  readonly residentBytes: number;
  /** What is reachable from JavaScript: objects, and the buffers that they own. */
  readonly usedBytes: number;
}

/** An app of the size of the real one, in nine files of random bytes, the largest of 400 kB. */
function sizedApp(): string {
  const app = temporaryFolder();
  mkdirSync(join(app, 'assets'));
  writeFileSync(join(app, 'index.html'), '<!doctype html><title>Sized</title>');
  writeFileSync(join(app, 'assets', 'large-1a2b3c.js'), randomBytes(400_000));
  for (let index = 0; index < 7; index += 1) {
    writeFileSync(join(app, 'assets', `small-${index}.js`), randomBytes(50_000));
  }
  return app;
}

const PAGE = [
  '/',
  '/assets/large-1a2b3c.js',
  ...Array.from({ length: 7 }, (_, index) => `/assets/small-${index}.js`),
];

/** Starts the relay that was bundled into `bundle`. */
export async function startAttackedRelay(bundle: string): Promise<AttackedRelay> {
  const httpsPort = await freePort();
  const program = startProgram(
    join(bundle, 'main.js'),
    [
      '--json',
      '--host',
      '127.0.0.1',
      '--port',
      String(httpsPort),
      '--http-port',
      '0',
      '--app',
      sizedApp(),
      '--data',
      temporaryFolder(),
    ],
    ['--expose-gc', '--import', COLLECT_ON_SIGNAL],
  );
  const { app }: { app: string } = JSON.parse(await program.firstLine);
  const { pid = 0 } = program.child;
  return {
    httpPort: Number(new URL(app).port),
    httpsPort,
    async holds() {
      const earlier = program.stderr().length;
      program.child.kill('SIGUSR2');
      const printed = () => /used (\d+)\n/.exec(program.stderr().slice(earlier))?.[1];
      await expect.poll(printed, { timeout: 30_000 }).toBeDefined();
      const [, residentPages = ''] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ');
      return {
        files: readdirSync(`/proc/${pid}/fd`).length,
        residentBytes: Number(residentPages) * 4_096,
        usedBytes: Number(printed()),
      };
    },
    lives: () => program.child.exitCode === null && program.child.signalCode === null,
  };
}

export interface Attack {
  readonly kind: string;
  /** Pieces, as many as the script's comment says. */
  readonly size: number;
  readonly from: readonly string[];
  readonly secure?: boolean;
}

/** Starts the attacker; resolves when it is at full size. The result ends it. */
export async function attack(relay: AttackedRelay, { kind, size, from, secure }: Attack) {
  const port = secure === true ? relay.httpsPort : relay.httpPort;
  const program = startProgram(ATTACKER, [kind, String(port), String(size), ...from]);
  // It would be another machine: here it gets less of the processor than those it attacks.
  setPriority(program.child.pid ?? 0, Math.min(constants.priority.PRIORITY_LOW, getPriority() + 5));
  return {
    atFullSize: program.firstLine,
    async stop(): Promise<void> {
      program.child.kill('SIGKILL');
      await program.ended;
    },
  };
}

/** How long two well-behaved clients take to link in a room, ms. */
async function linkMs(relay: AttackedRelay, room = newRoom()): Promise<number> {
  const startedMs = performance.now();
  const [one, other] = await Promise.all([
    enterFrom(relay, nextHonestAddress(), room),
    enterFrom(relay, nextHonestAddress(), room),
  ]);
  await link(one, other);
  for (const { socket } of [one, other]) socket.close();
  return performance.now() - startedMs;
}

export async function enterFrom(
  relay: AttackedRelay,
  localAddress: string,
  room: PoolId,
): Promise<RelayClient & Entered> {
  return RelayClient.enter(relay, room, { localAddress });
}

function newRoom(): PoolId {
  return parsePoolId(randomBytes(16).toString('hex'));
}

/** How long all files of the page take, over six new connections as browsers open, ms. */
export async function pageMs(
  relay: AttackedRelay,
  secure: boolean,
  localAddress = nextHonestAddress(),
): Promise<number> {
  const startedMs = performance.now();
  const options = { keepAlive: true, maxSockets: 6 };
  const agent = secure ? new SecureAgent({ ...options, rejectUnauthorized: false }) : new Agent(options);
  const statuses = await Promise.all(PAGE.map((path) => statusOf(relay, agent, path, localAddress)));
  agent.destroy();
  expect(statuses).toEqual(PAGE.map(() => 200));
  return performance.now() - startedMs;
}

function statusOf(relay: AttackedRelay, agent: Agent, path: string, localAddress: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const isSecure = agent instanceof SecureAgent;
    const port = isSecure ? relay.httpsPort : relay.httpPort;
    const request = isSecure ? httpsRequest : httpRequest;
    const headers = { Host: `localhost:${port}` };
    const sent = request({ host: '127.0.0.1', port, path, agent, localAddress, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end();
  });
}

/** The longest that a link and a page load took, ms. */
export interface Times {
  readonly link: number;
  readonly page: number;
}

/** Links and loads the page again and again until `end` resolves, and `leastCount` times at least. */
export async function serveHonest(
  relay: AttackedRelay,
  end: Promise<unknown>,
  room?: PoolId,
): Promise<Times> {
  const worst = { link: 0, page: 0 };
  let isOver = false;
  end.then(
    () => (isOver = true),
    () => (isOver = true),
  );
  for (let count = 0; count < 2 || !isOver; count += 1) {
    worst.link = Math.max(worst.link, await linkMs(relay, room));
    worst.page = Math.max(worst.page, await pageMs(relay, count % 2 === 0));
  }
  return worst;
}

/** Waits until the relay has at most a few descriptors more than `fresh`, when it had just started. */
export async function idle(relay: AttackedRelay, fresh: Holding): Promise<void> {
  await expect
    .poll(async () => (await relay.holds()).files, { timeout: 30_000, interval: 200 })
    .toBeLessThanOrEqual(fresh.files + 8); // kept alive for the next request
}

/** Waits until the relay holds at most a tenth more than `before`; the last that it held. */
export async function settled(relay: AttackedRelay, before: Holding): Promise<Holding> {
  const limit = {
    files: Math.ceil(before.files * 1.1),
    residentBytes: before.residentBytes * 1.1,
    usedBytes: before.usedBytes * 1.1,
  };
  let last = await relay.holds();
  await expect
    .poll(
      async () => {
        last = await relay.holds();
        const isWithin =
          last.files <= limit.files &&
          last.residentBytes <= limit.residentBytes &&
          last.usedBytes <= limit.usedBytes;
        return isWithin ? 'settled' : describe(last, before);
      },
      { timeout: 30_000, interval: 200 },
    )
    .toBe('settled');
  return last;
}

export function describe(holding: Holding, before: Holding): string {
  const inMebibytes = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
  return (
    `${before.files} -> ${holding.files} descriptors, ` +
    `${inMebibytes(before.residentBytes)} -> ${inMebibytes(holding.residentBytes)} MiB ` +
    `of which JavaScript uses ${inMebibytes(before.usedBytes)} -> ${inMebibytes(holding.usedBytes)}`
  );
}
