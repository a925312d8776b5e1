// Segments that were prepared ahead, for the one who needs them in order and waits for each.

export class SegmentShelf<Prepared> {
  readonly #prepared = new Map<number, Prepared>();
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => undefined;

  put(segment: number, prepared: Prepared): void {
    this.#prepared.set(segment, prepared);
    this.#wake();
  }

  /**
   * The segment, as soon as it is here; it leaves the shelf. One at a time. @throws what `fail` was given.
   */
  async take(segment: number): Promise<Prepared> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const prepared = this.#prepared.get(segment);
      if (prepared !== undefined) {
        this.#prepared.delete(segment);
        return prepared;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Nothing more will come. The first reason counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  clear(): void {
    this.#prepared.clear();
  }
}
