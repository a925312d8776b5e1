// Firefox, driven over WebDriver BiDi (W3C): the few commands that the tests need, over one WebSocket
// (docs/decisions/0039-firefox-in-the-tests.md). A test passes code as text, and gets values as JSON.

import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** An entry of a page's console, or an uncaught error. */
export interface ConsoleEntry {
  readonly level: string;
  readonly text: string;
  /** The tab. */
  readonly tabId: string;
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A command takes at most this long, ms: a browser that hangs must not hold the test to its limit. */
const COMMAND_LIMIT_MS = 60_000;

/** How much of an unanswered command is shown. */
const SHOWN_CHARACTERS = 300;

/** No calls home; questions to the person stay open, as they do where nobody looks. */
const PREFERENCES: Readonly<Record<string, boolean | number | string>> = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#',
  'toolkit.telemetry.server': 'data:,',
};

/** Starts a program, perhaps on another host of a LAN. */
type Start = (program: string, parameters: string[], options: SpawnOptions) => ChildProcess;

/** Carries bytes to a port of the host that it runs on. */
const PIPE = `const socket = require('net').connect(Number(process.argv[1]), '127.0.0.1');
  socket.on('error', () => process.exit()); // the browser was ended
  process.stdin.pipe(socket).pipe(process.stdout);`;

export class Firefox {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<(entry: ConsoleEntry) => void>();
  #nextId = 1;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString('utf8'))));
    socket.on('close', () => {
      for (const { reject } of this.#pending.values()) reject(new Error('Firefox ended'));
      this.#pending.clear();
    });
  }

  /** Starts the program at `path` with a new profile. */
  /** It takes any certificate. */
  static async launch(path: string, start: Start = spawn): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), 'palm-firefox-'));
    const lines = Object.entries(PREFERENCES).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    );
    await writeFile(join(profile, 'user.js'), lines.join('\n'));
    const flags = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
    const child = start(path, flags, { stdio: ['ignore', 'ignore', 'pipe'] });
    const address = await addressOf(child);
    const socket = new WebSocket(`${address}/session`, {
      createConnection: () => pipeTo(start, new URL(address).port),
    });
    await once(socket, 'open');
    const firefox = new Firefox(child, profile, socket);
    await firefox.command('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
    await firefox.command('session.subscribe', { events: ['log.entryAdded'] });
    return firefox;
  }

  /** Calls `listener` with what pages write to their consoles, and with their uncaught errors. */
  watch(listener: (entry: ConsoleEntry) => void): void {
    this.#listeners.add(listener);
  }

  /** A storage of its own, like another computer. */
  async newContext(): Promise<string> {
    return textIn(await this.command('browser.createUserContext', {}), 'userContext');
  }

  /**
   * `script` runs in each page that the tab loads, once that is complete. A preload script of the protocol
   * does not do after a reload: its functions then belong to the page before, whose promises never settle.
   */
  async newTab(context: string, script: string): Promise<FirefoxTab> {
    const created = await this.command('browsingContext.create', { type: 'tab', userContext: context });
    return new FirefoxTab(this, textIn(created, 'context'), script);
  }

  /** @throws Error with the browser's own words. */
  command(method: string, params: unknown): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(
          new Error(`Firefox did not answer ${method} ${JSON.stringify(params).slice(0, SHOWN_CHARACTERS)}`),
        );
      }, COMMAND_LIMIT_MS);
      this.#pending.set(id, {
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  async close(): Promise<void> {
    const exited = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#socket.close();
    this.#process.kill('SIGKILL');
    await exited;
    // A process of the browser may still write while the folder is removed.
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  #take(message: unknown): void {
    const id = fieldIn(message, 'id');
    if (typeof id === 'number') {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (fieldIn(message, 'type') === 'success') pending?.resolve(fieldIn(message, 'result'));
      else
        pending?.reject(
          new Error(`${String(fieldIn(message, 'error'))}: ${String(fieldIn(message, 'message'))}`),
        );
      return;
    }
    if (fieldIn(message, 'method') !== 'log.entryAdded') return;
    const entry = fieldIn(message, 'params');
    const level = String(fieldIn(entry, 'level'));
    const text = String(fieldIn(entry, 'text'));
    const tabId = String(fieldIn(fieldIn(entry, 'source'), 'context'));
    for (const listener of this.#listeners) listener({ level, text, tabId });
  }
}

export class FirefoxTab {
  readonly id: string;
  readonly #firefox: Firefox;
  readonly #script: string;

  constructor(firefox: Firefox, id: string, script: string) {
    this.#firefox = firefox;
    this.id = id;
    this.#script = script;
  }

  async goto(url: string): Promise<void> {
    await this.#firefox.command('browsingContext.navigate', { context: this.id, url, wait: 'complete' });
    await this.#call(`() => { ${this.#script} }`);
  }

  async reload(): Promise<void> {
    await this.#firefox.command('browsingContext.reload', { context: this.id, wait: 'complete' });
    await this.#call(`() => { ${this.#script} }`);
  }

  async close(): Promise<void> {
    await this.#firefox.command('browsingContext.close', { context: this.id });
  }

  async setViewport(width: number, height: number): Promise<void> {
    await this.#firefox.command('browsingContext.setViewport', {
      context: this.id,
      viewport: { width, height },
    });
  }

  /** The value of `expression`, awaited, as JSON carries it. @throws Error with the page's own error. */
  async evaluate<Value>(expression: string): Promise<Value> {
    const json = await this.#call(`async () => JSON.stringify([await (${expression})])`);
    const [value]: [Value] = JSON.parse(json);
    return value;
  }

  /** The text that `functionDeclaration` returns, awaited. */
  async #call(functionDeclaration: string): Promise<string> {
    const result = await this.#firefox.command('script.callFunction', {
      functionDeclaration,
      awaitPromise: true,
      target: { context: this.id },
    });
    if (fieldIn(result, 'type') !== 'success')
      throw new Error(String(fieldIn(fieldIn(result, 'exceptionDetails'), 'text')));
    return String(fieldIn(fieldIn(result, 'result'), 'value'));
  }

  /** Chooses files in the input that `selector` finds. */
  async setFiles(selector: string, files: readonly string[]): Promise<void> {
    const found = await this.#firefox.command('browsingContext.locateNodes', {
      context: this.id,
      locator: { type: 'css', value: selector },
    });
    const nodes = fieldIn(found, 'nodes');
    const element: unknown = Array.isArray(nodes) ? nodes[0] : undefined;
    const sharedId = textIn(element, 'sharedId');
    await this.#firefox.command('input.setFiles', { context: this.id, element: { sharedId }, files });
  }
}

/** Where the browser listens; it says so on stderr. */
/** Its remote control listens on loopback, which is another one on another host. */
function pipeTo(start: Start, port: string): Duplex {
  const { stdin, stdout } = start(process.execPath, ['-e', PIPE, port], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (stdin === null || stdout === null) throw new Error('both are pipes');
  return Duplex.from({ readable: stdout, writable: stdin });
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('stderr is a pipe');
  const lines = createInterface(child.stderr);
  const found = (async () => {
    for await (const line of lines) {
      const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
      if (address !== undefined) return address;
    }
    throw new Error('Firefox ended before it listened');
  })();
  const address = await found;
  // The rest is not read: a full pipe would stop the browser.
  child.stderr.resume();
  return address;
}

function fieldIn(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textIn(value: unknown, name: string): string {
  const text = fieldIn(value, name);
  if (typeof text !== 'string') throw new Error(`Firefox gave no ${name}: ${JSON.stringify(value)}`);
  return text;
}
