// Erasing of files in the background, one after another: each is written once more as a whole, and a disk has
// other things to do.

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
    this.#last = erasing.catch(() => undefined); // told to whoever began it
    return erasing;
  }

  /** Resolves when nothing of the file is being erased, however that went. */
  async settled(name: string): Promise<void> {
    await this.#running.get(name)?.catch(() => undefined);
  }
}
