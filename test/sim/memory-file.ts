// Files in memory, whose bytes may change between two looks.

/** Bytes start..end-1 of a file as it is now, as far as it has them. */
type BytesNow = (start: number, end: number) => Uint8Array<ArrayBuffer>;

/** What a stream delivers in one piece: a file may change between two of these. */
const CHUNK_BYTES = 128 * 1024;

/** Part of a file whose bytes arrive within microtasks: Node itself reads on another thread. */
export class MemoryBlob extends Blob {
  readonly #start: number;
  readonly #end: number;
  readonly #bytesNow: BytesNow;

  constructor(start: number, end: number, bytesNow: BytesNow) {
    super([bytesNow(start, end)]);
    this.#start = start;
    this.#end = end;
    this.#bytesNow = bytesNow;
  }

  override slice(start = 0, end = this.size): Blob {
    return new MemoryBlob(this.#start + start, this.#start + end, this.#bytesNow);
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return this.#bytesNow(this.#start, this.#end).buffer;
  }

  override stream(): ReturnType<Blob['stream']> {
    let at = this.#start;
    return new ReadableStream({
      type: 'bytes',
      pull: (controller) => {
        const bytes = this.#bytesNow(at, Math.min(at + CHUNK_BYTES, this.#end));
        at += bytes.length;
        if (bytes.length > 0) {
          controller.enqueue(bytes);
          return;
        }
        controller.close();
        controller.byobRequest?.respond(0);
      },
    });
  }
}

/** A File whose bytes arrive within microtasks. */
export class MemoryFile extends File {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  constructor(bytes: Uint8Array<ArrayBuffer>, name: string) {
    super([bytes], name, { lastModified: 1_700_000_000_000 });
    this.#bytes = bytes;
  }

  bytesNow(start: number, end: number): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(start, end);
  }

  override slice(start = 0, end = this.#bytes.length): Blob {
    return new MemoryBlob(start, end, (from, to) => this.bytesNow(from, to));
  }

  override stream(): ReturnType<Blob['stream']> {
    return this.slice().stream();
  }
}
