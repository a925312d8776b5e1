// What a page and its workers hold in memory while it works, looked at every 100 ms from outside through the
// DevTools protocol. What is counted: the JS heap and the ArrayBuffers of the page and of each of its
// dedicated workers, garbage that was not collected yet included, because memory that is not free is used;
// and their wasm memories.
//
// Not `performance.measureUserAgentSpecificMemory`, though these pages may call it: it answers when a garbage
// collection happens to come, up to 20 s later, and so shows neither peaks nor garbage; and it leaves wasm
// memories out. V8 leaves those out of its sums, too, so they are looked up one by one at the end: they grow
// and never shrink.

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { CDPSession, Page } from '@playwright/test';

/** By 'page' and the workers' names, bytes. */
export type MemoryParts = Readonly<Record<string, MemoryPart>>;

interface MemoryPart {
  readonly heap: number;
  readonly arrayBuffers: number;
}

export interface MemorySpan {
  /** Heap and ArrayBuffers together at their highest, bytes over idle. */
  readonly peakBytes: number;
  /**
   * Resident memory of the browser's page processes at its highest, bytes over idle; undefined where there is
   * no /proc.
   */
  readonly peakResidentBytes: number | undefined;
  /** What the highest sample was made of; nothing is taken off for idle. */
  readonly parts: MemoryParts;
  readonly sampleCount: number;
}

export interface WatchOptions {
  /**
   * Every sample counts only what is still needed. It costs the page a collection each time, so no time means
   * anything.
   */
  readonly collectsGarbage: boolean;
}

export interface MemoryWatch {
  /** What is in use now, after a collection, is idle from here on. */
  markIdle(): Promise<void>;
  /**
   * Watches while `work` runs, from a collection on: what earlier work left behind is not counted as this
   * one's.
   */
  during<Value>(
    options: WatchOptions,
    work: () => Promise<Value>,
  ): Promise<{ value: Value; span: MemorySpan }>;
  /**
   * All wasm memories that there are, bytes. Look last: looking may make V8 count them as ArrayBuffers from
   * then on.
   */
  wasmBytes(): Promise<number>;
}

const SAMPLE_EVERY_MS = 100;
/** A collection takes tens of ms. */
const COLLECTED_SAMPLE_EVERY_MS = 1_000;

export async function watchMemory(page: Page): Promise<MemoryWatch> {
  const targets = await Targets.attach(page);
  const residentBytes = await residentMeter(page);
  let idleBytes = 0;
  let idleResidentBytes = 0;
  return {
    async markIdle() {
      await targets.askAll('HeapProfiler.collectGarbage');
      idleBytes = sumOf(await targets.memory());
      idleResidentBytes = (await residentBytes?.()) ?? 0;
    },
    async during({ collectsGarbage }, work) {
      let peak: MemoryParts = {};
      let peakResidentBytes = 0;
      let sampleCount = 0;
      const look = async (): Promise<void> => {
        if (collectsGarbage) await targets.askAll('HeapProfiler.collectGarbage');
        const parts = await targets.memory();
        if (sumOf(parts) > sumOf(peak)) peak = parts;
        peakResidentBytes = Math.max(peakResidentBytes, (await residentBytes?.()) ?? 0);
        sampleCount += 1;
      };
      await targets.askAll('HeapProfiler.collectGarbage');
      const ended = new AbortController();
      const looking = (async () => {
        while (!ended.signal.aborted) {
          await look();
          const everyMs = collectsGarbage ? COLLECTED_SAMPLE_EVERY_MS : SAMPLE_EVERY_MS;
          await pause(everyMs, undefined, { signal: ended.signal }).catch(() => undefined);
        }
      })();
      let value;
      try {
        value = await work();
      } finally {
        ended.abort();
        await looking;
      }
      const span: MemorySpan = {
        peakBytes: sumOf(peak) - idleBytes,
        peakResidentBytes: residentBytes === undefined ? undefined : peakResidentBytes - idleResidentBytes,
        parts: peak,
        sampleCount,
      };
      return { value, span };
    },
    wasmBytes: () => targets.wasmBytes(),
  };
}

function sumOf(parts: MemoryParts): number {
  return Object.values(parts).reduce((sum, { heap, arrayBuffers }) => sum + heap + arrayBuffers, 0);
}

type Answer = Readonly<Record<string, unknown>>;
type Ask = (method: string, parameters?: object) => Promise<Answer | undefined>;

/** The page and its dedicated workers, those that start later included. */
class Targets {
  readonly #session: CDPSession;
  /** By session id of the worker. */
  readonly #workers = new Map<string, string>();
  readonly #waiting = new Map<number, { sessionId: string; settle: (answer: Answer | undefined) => void }>();
  #lastId = 0;

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async attach(page: Page): Promise<Targets> {
    const session = await page.context().newCDPSession(page);
    const targets = new Targets(session);
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') targets.#workers.set(sessionId, workerName(targetInfo.url));
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => targets.#forget(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => targets.#take(message));
    // Not flattened: Playwright hands on no messages of sessions that it did not open itself.
    const parameters = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };
    await session.send('Target.setAutoAttach', parameters);
    return targets;
  }

  async memory(): Promise<MemoryParts> {
    const parts: Record<string, MemoryPart> = {};
    await this.#each(async (name, ask) => {
      const answer = await ask('Runtime.getHeapUsage');
      if (answer === undefined) return;
      const { heap, arrayBuffers } = parts[name] ?? { heap: 0, arrayBuffers: 0 };
      parts[name] = {
        heap: heap + numberOf(answer, 'usedSize'),
        arrayBuffers: arrayBuffers + numberOf(answer, 'backingStorageSize'),
      };
    });
    return parts;
  }

  async askAll(method: string): Promise<void> {
    await this.#each(async (_, ask) => void (await ask(method)));
  }

  async wasmBytes(): Promise<number> {
    let bytes = 0;
    await this.#each(async (_, ask) => {
      const prototype = await ask('Runtime.evaluate', { expression: 'WebAssembly.Memory.prototype' });
      const prototypeObjectId = objectIdIn(prototype, 'result');
      const memories = await ask('Runtime.queryObjects', { prototypeObjectId });
      const answer = await ask('Runtime.callFunctionOn', {
        functionDeclaration:
          'function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }',
        objectId: objectIdIn(memories, 'objects'),
        returnByValue: true,
      });
      bytes += numberOf(recordOf(answer?.['result']), 'value');
    });
    return bytes;
  }

  async #each(work: (name: string, ask: Ask) => Promise<void>): Promise<void> {
    const session = this.#session;
    const askPage: Ask = async (method, parameters = {}) =>
      recordOf(await Reflect.apply(session.send, session, [method, parameters]));
    await Promise.all([
      work('page', askPage),
      ...[...this.#workers].map(([sessionId, name]) =>
        work(name, (method, parameters) => this.#askWorker(sessionId, method, parameters)),
      ),
    ]);
  }

  /** Undefined when the worker ended meanwhile. */
  #askWorker(sessionId: string, method: string, parameters: object = {}): Promise<Answer | undefined> {
    this.#lastId += 1;
    const id = this.#lastId;
    const message = JSON.stringify({ id, method, params: parameters });
    return new Promise((settle, reject) => {
      this.#waiting.set(id, { sessionId, settle });
      this.#session.send('Target.sendMessageToTarget', { sessionId, message }).catch((error: unknown) => {
        if (this.#waiting.delete(id)) reject(error);
      });
    });
  }

  #take(message: string): void {
    const { id, result, error } = recordOf(JSON.parse(message));
    if (typeof id !== 'number') return;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== undefined) console.error('A worker does not tell its memory:', error);
    waiting?.settle(error === undefined ? recordOf(result) : undefined);
  }

  #forget(sessionId: string): void {
    this.#workers.delete(sessionId);
    for (const [id, waiting] of this.#waiting) {
      if (waiting.sessionId !== sessionId) continue;
      this.#waiting.delete(id);
      waiting.settle(undefined);
    }
  }
}

/** 'codec.worker' of '…/assets/codec.worker-QVFJI4Mh.js'. */
function workerName(url: string): string {
  return new URL(url).pathname.split('/').at(-1)?.split('-')[0] ?? url;
}

/** What tells the resident memory of the processes of `page`'s browser that run pages. */
async function residentMeter(page: Page): Promise<(() => Promise<number>) | undefined> {
  const browser = page.context().browser();
  if (process.platform !== 'linux' || browser === null) return undefined;
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const ids = processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
  return async () => {
    const all = await Promise.all(ids.map(residentBytesOf));
    return all.reduce((sum, bytes) => sum + bytes, 0);
  };
}

async function residentBytesOf(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

function recordOf(value: unknown): Answer {
  if (typeof value === 'object' && value !== null) return { ...value };
  throw new Error(`The browser answered ${String(value)}.`);
}

function numberOf(answer: Answer, key: string): number {
  const value = answer[key];
  if (typeof value === 'number') return value;
  throw new Error(`The browser's answer has no ${key}.`);
}

function objectIdIn(answer: Answer | undefined, key: string): string {
  const { objectId } = recordOf(answer?.[key]);
  if (typeof objectId === 'string') return objectId;
  throw new Error(`The browser's answer has no ${key}.`);
}
