// Keeps writes apart from a clear of the store: sealing takes a while, and a row that was begun before a
// clear must not be written after it.
//
// Invariants: a clear begins when every write begun before it has ended; a write that comes in the meantime
// begins after it.

export class BegunWrites {
  /** They never reject. */
  readonly #begun = new Set<Promise<unknown>>();
  #clearing: Promise<unknown> | undefined;

  async write<Answer>(body: () => Promise<Answer>): Promise<Answer> {
    const writing = this.#clearing === undefined ? body() : this.#clearing.then(body);
    const ended = writing.catch(() => undefined);
    this.#begun.add(ended);
    try {
      return await writing;
    } finally {
      this.#begun.delete(ended);
    }
  }

  async clear(body: () => Promise<void>): Promise<void> {
    const before = Promise.all([this.#clearing, ...this.#begun]);
    const clearing = before.then(body);
    const ended = clearing.catch(() => undefined);
    this.#clearing = ended;
    try {
      await clearing;
    } finally {
      if (this.#clearing === ended) this.#clearing = undefined;
    }
  }
}
