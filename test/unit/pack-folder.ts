// A folder of packs on this machine's disk, as the browser's own file system keeps them: a file is open once at most, and a
// disk may be full.

import { closeSync, fsyncSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeviceFolders } from '../../src/adapters/browser/store/device-store.ts';
import type { PackFolder, PackHandle } from '../../src/adapters/browser/store/pack-file.ts';

export class TestPackFolder implements PackFolder {
  readonly #folder = mkdtempSync(join(tmpdir(), 'palm-packs-'));
  #keys: TestPackFolder | undefined;
  readonly openNames = new Set<string>();
  readonly flushedNames: string[] = [];
  /** Asked before each write. */
  fits: (bytes: number) => boolean = () => true;

  /** The folder of key slots beside this one. */
  get keys(): TestPackFolder {
    return (this.#keys ??= new TestPackFolder());
  }

  /** Both, as a device has them. */
  get folders(): DeviceFolders {
    return { blocks: this, keys: this.keys };
  }

  /** The process that had files open died. */
  die(): void {
    this.openNames.clear();
    this.keys.openNames.clear();
  }

  names(): Promise<string[]> {
    return readdir(this.#folder);
  }

  open(name: string): Promise<PackHandle> {
    if (this.openNames.has(name)) {
      const error = new Error(`${name} is open already.`);
      error.name = 'NoModificationAllowedError';
      return Promise.reject(error);
    }
    this.openNames.add(name);
    const file = openSync(join(this.#folder, name), 'a+');
    closeSync(file);
    const handle = openSync(join(this.#folder, name), 'r+');
    return Promise.resolve({
      read: (bytes, { at }) => readSync(handle, bytes, 0, bytes.length, at),
      write: (bytes, { at }) => {
        if (this.fits(bytes.length)) return writeSync(handle, bytes, 0, bytes.length, at);
        const error = new Error('The quota is met.');
        error.name = 'QuotaExceededError';
        throw error;
      },
      flush: () => {
        this.flushedNames.push(name);
        fsyncSync(handle);
      },
      close: () => {
        closeSync(handle);
        this.openNames.delete(name);
      },
    });
  }

  remove(name: string): Promise<void> {
    return rm(join(this.#folder, name), { force: true });
  }

  /** Where in a pack `isWanted` bytes lie: `at` is tried in steps of `stepBytes`; -1 when nowhere. */
  find(name: string, stepBytes: number, byteCount: number, isWanted: (bytes: Uint8Array) => boolean): number {
    const file = openSync(join(this.#folder, name), 'r');
    const bytes = new Uint8Array(byteCount);
    let at = 0;
    while (readSync(file, bytes, 0, byteCount, at) > 0 && !isWanted(bytes)) at += stepBytes;
    const isFound = readSync(file, bytes, 0, byteCount, at) === byteCount;
    closeSync(file);
    return isFound ? at : -1;
  }

  sizeOf(name: string): number {
    return statSync(join(this.#folder, name)).size;
  }

  /** Changes bytes of a pack behind the back of whoever has it open. */
  flipBit(name: string, at: number): void {
    const file = openSync(join(this.#folder, name), 'r+');
    const byte = new Uint8Array(1);
    readSync(file, byte, 0, 1, at);
    writeSync(file, Uint8Array.of((byte[0] ?? 0) ^ 1), 0, 1, at);
    closeSync(file);
  }

  delete(): void {
    rmSync(this.#folder, { recursive: true, force: true });
    this.#keys?.delete();
  }
}
