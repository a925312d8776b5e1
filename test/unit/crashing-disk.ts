// A disk whose machine stops at a chosen step: of writes and flushes of files and of transactions that write, the first `steps`
// happen, and nothing after them. What was written to a file and not flushed may be lost then, or not.

import { IDBDatabase } from 'fake-indexeddb';
import type { PackFolder, PackHandle } from '../../src/adapters/browser/store/pack-file.ts';

// oxlint-disable-next-line typescript/unbound-method -- called on the database that it was called on
const originalTransaction = IDBDatabase.prototype.transaction;

export class CrashingDisk {
  /** Steps that still happen. */
  #steps = Infinity;
  stepCount = 0;
  /** No file grows beyond this. */
  mostBytes = Infinity;
  readonly #files = new Map<string, { durable: Uint8Array; current: Uint8Array }>();
  readonly #open = new Set<string>();

  constructor() {
    const step = (): void => this.#step();
    IDBDatabase.prototype.transaction = function transaction(names, mode, options): IDBTransaction {
      if (mode === 'readwrite') step();
      return originalTransaction.call(this, names, mode, options);
    };
  }

  /** Has the machine stop after so many more steps. */
  stopAfter(steps: number): void {
    this.#steps = steps;
  }

  /** The machine starts again, with what it flushed, and what it wrote besides if that is kept. */
  restart(unflushed: 'lost' | 'kept'): void {
    this.#steps = Infinity;
    this.#open.clear();
    for (const file of this.#files.values()) {
      if (unflushed === 'lost') file.current = file.durable;
      file.durable = file.current.slice();
    }
  }

  /** All bytes of files that somebody who takes the disk now reads: both what was flushed and what was only written. */
  readonly bytes = (): Uint8Array[] =>
    [...this.#files.values()].flatMap(({ durable, current }) => [durable, current]);

  folder(folder: string): PackFolder {
    const prefix = `${folder}/`;
    return {
      names: () =>
        Promise.resolve(
          [...this.#files.keys()].flatMap((path) =>
            path.startsWith(prefix) ? [path.slice(prefix.length)] : [],
          ),
        ),
      open: (name) => Promise.resolve(this.#openFile(prefix + name)),
      remove: (name) => {
        this.#files.delete(prefix + name);
        return Promise.resolve();
      },
    };
  }

  end(): void {
    IDBDatabase.prototype.transaction = originalTransaction;
  }

  #openFile(path: string): PackHandle {
    if (this.#open.has(path)) throw namedError('NoModificationAllowedError');
    this.#open.add(path);
    const file = this.#files.get(path) ?? { durable: new Uint8Array(), current: new Uint8Array() };
    this.#files.set(path, file);
    return {
      read: (bytes, { at }) => {
        const part = file.current.subarray(at, at + bytes.length);
        bytes.set(part);
        return part.length;
      },
      write: (bytes, { at }) => {
        this.#step();
        if (at + bytes.length > Math.max(file.current.length, this.mostBytes))
          throw namedError('QuotaExceededError');
        const larger = new Uint8Array(Math.max(file.current.length, at + bytes.length));
        larger.set(file.current);
        larger.set(bytes, at);
        file.current = larger;
        return bytes.length;
      },
      flush: () => {
        this.#step();
        file.durable = file.current.slice();
      },
      close: () => this.#open.delete(path),
    };
  }

  #step(): void {
    if (this.#steps === 0) throw namedError('AbortError');
    this.#steps -= 1;
    this.stepCount += 1;
  }
}

function namedError(name: string): Error {
  const error = new Error('For the test.');
  error.name = name;
  return error;
}
