// Chromium over its DevTools protocol alone. Playwright keeps each of its pages shown and focused, so
// Chromium never freezes them; here a page is hidden and frozen as in a person's browser.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from '@playwright/test';
import { WebSocket } from 'ws';
import { browserArguments, findBrowser } from '../browser.mjs';
import { DeviceCalls, expressionOf, LOOK_MS } from './device-calls.ts';
import { installPageSide } from './page-side.ts';
import { seededBytes } from './seeded-bytes.ts';

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const PAGE_SIDE = `(${String(installPageSide)})(${String(seededBytes)});`;

/** A device with a browser of its own, and the app open in its only tab. */
export class PlainChromiumDevice extends DeviceCalls {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, (answer: Answer) => void>();
  readonly #errors: unknown[] = [];
  readonly #tabs: string[] = [];
  /** The session of the tab that everything is asked of. */
  #session: string | undefined;
  #nextId = 1;

  private constructor(name: string, process: ChildProcess, profile: string, socket: WebSocket) {
    super(name);
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString('utf8'))));
  }

  static async open(name: string, appUrl: string): Promise<PlainChromiumDevice> {
    const profile = await mkdtemp(join(tmpdir(), 'palm-chromium-'));
    const flags = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
    const program = findBrowser() ?? chromium.executablePath();
    const child = spawn(program, [...browserArguments(), ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
    const socket = new WebSocket(await addressOf(child));
    await once(socket, 'open');
    const device = new PlainChromiumDevice(name, child, profile, socket);
    await device.openTab(appUrl);
    return device;
  }

  /** Exceptions that nothing in the page caught. */
  get errors(): readonly unknown[] {
    return this.#errors;
  }

  /** The tab is hidden and frozen, as Chromium does to save battery. Until `thaw` it answers nothing. */
  async freeze(): Promise<void> {
    await this.#command('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** The tab goes on, and is shown. */
  async thaw(): Promise<void> {
    await this.#command('Page.setWebLifecycleState', { state: 'active' });
    await this.#command('Page.bringToFront', {});
  }

  /** Everything is asked of this tab from now on, counted from 0 in the order in which they were opened. */
  turnTo(tab: number): void {
    this.#session = this.#tabs[tab];
  }

  async close(): Promise<void> {
    const exited = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#socket.close();
    this.#process.kill('SIGKILL');
    await exited;
    // A process of the browser may still write while the folder is removed.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** What `work` returns in the page. */
  evaluate<Argument, Value>(
    work: (argument: Argument) => Value | Promise<Value>,
    argument: Argument,
  ): Promise<Value> {
    return this.run(work, argument);
  }

  protected async run<Argument, Value>(
    work: (argument: Argument) => Value | Promise<Value>,
    argument: Argument,
  ): Promise<Value> {
    const expression = `(async () => JSON.stringify([await ${expressionOf(work, argument)}]))()`;
    const answer = await this.#command('Runtime.evaluate', { expression, awaitPromise: true });
    const json = fieldIn(fieldIn(answer, 'result'), 'value');
    if (typeof json !== 'string') throw new Error(`${this.name}: ${JSON.stringify(answer)}`);
    const [value]: [Value] = JSON.parse(json);
    return value;
  }

  /** The timers of a hidden page are slow. */
  protected override async nextChange(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  /** A further tab, in front of the others, which everything is asked of from now on. */
  async openTab(appUrl: string): Promise<void> {
    const targetId = fieldIn(await this.#command('Target.createTarget', { url: 'about:blank' }), 'targetId');
    const attached = await this.#command('Target.attachToTarget', { targetId, flatten: true });
    this.#session = String(fieldIn(attached, 'sessionId'));
    this.#tabs.push(this.#session);
    await this.#command('Page.enable', {});
    await this.#command('Runtime.enable', {});
    await this.#command('Page.addScriptToEvaluateOnNewDocument', { source: PAGE_SIDE });
    await this.#command('Page.navigate', { url: appUrl });
    while (!(await this.run(() => 'palm' in window, undefined).catch(() => false))) await this.nextChange();
    await this.run(async () => {
      await window.palm.ready;
    }, undefined);
  }

  async #command(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextId++;
    const answered = new Promise<Answer>((resolve) => this.#pending.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, sessionId: this.#session }));
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  #take(answer: Answer): void {
    if (answer.method === 'Runtime.exceptionThrown') this.#errors.push(answer.params);
    if (answer.id === undefined) return;
    this.#pending.get(answer.id)?.(answer);
    this.#pending.delete(answer.id);
  }
}

/** Where the browser listens; it says so on stderr. */
async function addressOf({ stderr }: ChildProcess): Promise<string> {
  if (stderr === null) throw new Error('stderr is a pipe');
  const lines = createInterface(stderr);
  const address = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const found = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
    });
    lines.on('close', () => reject(new Error('Chromium ended before it listened')));
  });
  // The rest is not read: a full pipe would stop the browser.
  stderr.resume();
  return address;
}

function fieldIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
