// Samples the memory of a page and its workers at work, every 100 ms, from outside through the DevTools
// protocol. It counts the JS heap, ArrayBuffers and wasm memories of the page and each of its dedicated
// workers, including garbage that was not collected yet, because memory that is not free is used.
//
// It does not use `performance.measureUserAgentSpecificMemory`, though these pages may call it: that resolves
// at a garbage collection, up to 20 s later, so it shows neither peaks nor garbage, and it omits wasm
// memories. V8 omits those from its sums, too, so they are read one by one at the end: they only grow.

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
  /** Peak of heap and ArrayBuffers together, bytes over idle. */
  readonly peakBytes: number;
  /** Peak resident memory of the browser's page processes, bytes over idle; undefined without /proc. */
  readonly peakResidentBytes: number | undefined;
  /** The parts of the highest sample; idle is not subtracted. */
  readonly parts: MemoryParts;
  readonly sampleCount: number;
}

export interface WatchOptions {
  /**
   * Every sample counts only memory that is still needed. Each costs the page a collection, so times mean
   * nothing.
   */
  readonly collectsGarbage: boolean;
}

export interface MemoryWatch {
  /** Takes the memory in use now, after a collection, as idle. */
  markIdle(): Promise<void>;
  /** Watches while `work` runs, after a collection, so garbage of earlier work does not count. */
  during<Value>(
    options: WatchOptions,
    work: () => Promise<Value>,
  ): Promise<{ value: Value; span: MemorySpan }>;
  /**
   * The size of all wasm memories, bytes. Call it last: it may make V8 count them as ArrayBuffers from then
   * on.
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

/** The page and its dedicated workers, including those that start later. */
class Targets {
  readonly #session: CDPSession;
  /** By the worker's session id. */
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
    // Not flattened: Playwright forwards no messages of sessions that it did not open itself.
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

  /** Undefined if the worker has ended. */
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

/** Returns a function for the resident memory of those processes of `page`'s browser that run pages. */
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
