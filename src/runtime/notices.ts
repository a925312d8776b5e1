// What went wrong or was refused, kept for people: bounded, newest last, equal ones in a row told once.

import type { Notice } from './api.ts';

const MAX_NOTICES = 50;

export class Notices {
  #notices: Notice[] = [];
  #nextId = 1;

  add(atMs: number, level: Notice['level'], text: string): void {
    const last = this.#notices.at(-1);
    if (last?.text === text) this.#notices.pop();
    this.#notices.push({ id: this.#nextId++, atMs, level, text });
    if (this.#notices.length > MAX_NOTICES) this.#notices.shift();
  }

  list(): readonly Notice[] {
    return [...this.#notices];
  }

  clear(): void {
    this.#notices = [];
  }
}
