// What went wrong or was refused, kept for people: bounded, newest last, equal ones in a row told once. Things that may
// happen thousands of times (a member forges records) are one notice with a count: they push no other notice out.

import type { Notice } from './api.ts';

const MAX_NOTICES = 50;

interface Kept extends Notice {
  /** What the notice counts, and how often it happened; undefined for a notice that says one thing once. */
  readonly counts: { readonly what: string; readonly count: number; readonly toldCount: number } | undefined;
}

export class Notices {
  #notices: Kept[] = [];
  #nextId = 1;

  add(atMs: number, level: Notice['level'], text: string): void {
    const last = this.#notices.at(-1);
    if (last?.text === text) this.#notices.pop();
    this.#push({ id: this.#nextId++, atMs, level, text, counts: undefined });
  }

  /**
   * `what` happened `count` times more. The notice that counts it says so, and comes back as a new one, in case it was
   * dismissed, whenever the number has doubled. `textOf` is given the number in all.
   */
  addCount(
    atMs: number,
    level: Notice['level'],
    what: string,
    count: number,
    textOf: (total: number) => string,
  ): void {
    const at = this.#notices.findIndex(({ counts }) => counts?.what === what);
    const before = this.#notices[at];
    const total = count + (before?.counts?.count ?? 0);
    const toldCount = before?.counts?.toldCount ?? 0;
    const text = textOf(total);
    if (before !== undefined && total < 2 * toldCount) {
      this.#notices[at] = { ...before, atMs, text, counts: { what, count: total, toldCount } };
      return;
    }
    this.#notices = this.#notices.filter((notice) => notice !== before);
    this.#push({ id: this.#nextId++, atMs, level, text, counts: { what, count: total, toldCount: total } });
  }

  list(): readonly Notice[] {
    return this.#notices.map(({ id, atMs, level, text }) => ({ id, atMs, level, text }));
  }

  clear(): void {
    this.#notices = [];
  }

  #push(notice: Kept): void {
    this.#notices.push(notice);
    if (this.#notices.length > MAX_NOTICES) this.#notices.shift();
  }
}
