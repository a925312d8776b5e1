// The tests' code inside each page, next to the app's `window.palm`: it makes and hashes bytes in the page,
// so no file crosses to the test's process, and passes on an error's code, which Playwright alone would drop.

import type { Palm } from '../../src/runtime/api.ts';
import type { ReadBytes, seededBytes } from './seeded-bytes.ts';

declare global {
  interface Window {
    readonly palm: Palm;
    palmTest: PageSide;
  }
}

export type Outcome<Value> =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

export interface PageSide {
  /** The state of `palm.ready` since `watchOpening`: 'under way', 'done', or why it failed. */
  opening: string;
  watchOpening(): void;
  readonly seededBytes: typeof seededBytes;
  /** The outcome of `work`; never throws. */
  outcome<Value>(work: () => Promise<Value>): Promise<Outcome<Value>>;
  /** Reads a stream to its end. */
  readAll(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<ReadBytes>;
  /**
   * Resolves when Palm announces a change, or after `atMostMs`, as a change may have come just before this
   * call.
   */
  nextChange(atMostMs: number): Promise<void>;
}

/** Runs in each page before the app does, as source text, so it refers to nothing outside itself. */
export function installPageSide(bytesOf: typeof seededBytes): void {
  window.palmTest = {
    opening: 'under way',
    watchOpening() {
      window.palm.ready.then(
        () => (this.opening = 'done'),
        (error: unknown) => (this.opening = String(error)),
      );
    },
    seededBytes: bytesOf,
    async outcome(work) {
      try {
        return { kind: 'ok', value: await work() };
      } catch (error) {
        if (!(error instanceof Error)) return { kind: 'failed', code: '', message: String(error) };
        const code = 'code' in error ? String(error.code) : error.name;
        return { kind: 'failed', code, message: error.message };
      }
    },
    async readAll(stream) {
      const chunks: Uint8Array<ArrayBuffer>[] = [];
      const reader = stream.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) chunks.push(next.value);
      const bytes = await new Blob(chunks).arrayBuffer();
      const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
      const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return { length: bytes.byteLength, sha256 };
    },
    nextChange(atMostMs) {
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          unsubscribe();
          resolve();
        };
        const timer = setTimeout(done, atMostMs);
        const unsubscribe = window.palm.subscribe(done);
      });
    },
  };
}
