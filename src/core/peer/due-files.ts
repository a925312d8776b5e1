// Files that must be looked at again at some time, without any event.

import type { FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';

export class DueFiles {
  readonly #due = new Map<FileId, MonotonicMs>();
  /** Not later than the first of them: there may be thousands, and each input asks. */
  #nextMs: MonotonicMs = Infinity;

  get nextMs(): MonotonicMs {
    return this.#nextMs;
  }

  has(file: FileId): boolean {
    return this.#due.has(file);
  }

  /** An earlier time than the one that is set counts. */
  add(file: FileId, atMs: MonotonicMs): void {
    if (atMs === Infinity) return;
    this.#due.set(file, Math.min(atMs, this.#due.get(file) ?? Infinity));
    this.#nextMs = Math.min(this.#nextMs, atMs);
  }

  delete(file: FileId): void {
    this.#due.delete(file);
  }

  clear(): void {
    this.#due.clear();
    this.#nextMs = Infinity;
  }

  /** Those whose time has come; they are due no more. */
  take(nowMs: MonotonicMs): FileId[] {
    if (nowMs < this.#nextMs) return [];
    const taken = [...this.#due].filter(([, atMs]) => atMs <= nowMs).map(([file]) => file);
    for (const file of taken) this.#due.delete(file);
    this.#nextMs = Infinity;
    for (const atMs of this.#due.values()) this.#nextMs = Math.min(this.#nextMs, atMs);
    return taken;
  }
}
