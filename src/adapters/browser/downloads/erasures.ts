// Erases files in the background, one at a time: each is overwritten completely, and the disk has other work.

export class Erasures {
  readonly #erase: (name: string) => Promise<void>;
  readonly #running = new Map<string, Promise<void>>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(erase: (name: string) => Promise<void>) {
    this.#erase = erase;
  }

  /** Resolves when the file is erased. @throws what `erase` throws. */
  begin(name: string): Promise<void> {
    const known = this.#running.get(name);
    if (known !== undefined) return known;
    const erasing = this.#last.then(() => this.#erase(name)).finally(() => this.#running.delete(name));
    this.#running.set(name, erasing);
    this.#last = erasing.catch(() => undefined); // reported to the caller
    return erasing;
  }

  /** Resolves when nothing of the file is being erased, whether or not that succeeded. */
  async settled(name: string): Promise<void> {
    await this.#running.get(name)?.catch(() => undefined);
  }
}
