// Events in the order of their times; those of one time in the order in which they were added.

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap. */
export class Agenda {
  readonly #entries: Entry[] = [];
  #order = 0;

  add(atMs: number, run: () => void): void {
    const entry = { atMs, order: this.#order++, run };
    let at = this.#entries.length;
    this.#entries.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(at, above)) break;
      this.#swap(at, above);
      at = above;
    }
  }

  /** Runs all events before `endMs`, those included that they add. */
  runUntil(endMs: number): void {
    for (let next = this.#entries[0]; next !== undefined && next.atMs < endMs; next = this.#entries[0]) {
      this.#removeFirst();
      next.run();
    }
  }

  #removeFirst(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const least = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(least, at)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  /** False where there is no entry. */
  #isBefore(at: number, other: number): boolean {
    const [a, b] = [this.#entries[at], this.#entries[other]];
    if (a === undefined || b === undefined) return false;
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }

  #swap(at: number, other: number): void {
    const [a, b] = [this.#entries[at], this.#entries[other]];
    if (a === undefined || b === undefined) return;
    this.#entries[at] = b;
    this.#entries[other] = a;
  }
}
