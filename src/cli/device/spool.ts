// Bytes that come in a request, gathered on the disk: sealing must know their size, and reads them again.
// They lie there sealed under a key that only this process's memory has, so nothing of them has to be
// overwritten, and nothing can be read that a process left behind.
//
// AES-256-CTR: any part can be opened alone. Each file has its own key, so the counter begins at zero.
// Whoever could change the file is this user, who could change the device too: it is not authenticated.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const ALGORITHM = 'aes-256-ctr';
const KEY_BYTES = 32;
/** Of AES; the counter counts these. */
const BLOCK_BYTES = 16;
/** Read at once where the reader gives no buffer of its own, bytes. */
const READ_BYTES = 256 * 1024;

/** A folder for them. */
export class Spool {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** All of `bytes`, as a file that is there until `discard`. @throws what `bytes` and the disk fail with. */
  async gather(bytes: Readable, name: string, signal: AbortSignal): Promise<SpooledFile> {
    const path = join(this.path, randomBytes(BLOCK_BYTES).toString('hex'));
    const key = randomBytes(KEY_BYTES);
    try {
      const sealing = createCipheriv(ALGORITHM, key, counterAt(0));
      await pipeline(bytes, sealing, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
      const handle = await open(path, 'r');
      const { size } = await handle.stat();
      return new SpooledFile({ path, key, handle }, 0, size, name);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }
}

interface Sealed {
  readonly path: string;
  readonly key: Buffer;
  readonly handle: FileHandle;
}

/** Part of a gathered file, as the runtime reads files. */
export class SpooledFile extends File {
  declare readonly size: number;
  readonly #sealed: Sealed;
  readonly #start: number;

  constructor(sealed: Sealed, start: number, end: number, name: string) {
    super([], name, { lastModified: Date.now() });
    this.#sealed = sealed;
    this.#start = start;
    Object.defineProperty(this, 'size', { value: end - start });
  }

  /** Its bytes, and all parts of it, are gone for good. */
  async discard(): Promise<void> {
    const { path, key, handle } = this.#sealed;
    key.fill(0);
    await handle.close();
    rmSync(path, { force: true });
  }

  override slice(start = 0, end = this.size): Blob {
    const from = Math.min(Math.max(0, start), this.size);
    const to = Math.min(Math.max(from, end), this.size);
    return new SpooledFile(this.#sealed, this.#start + from, this.#start + to, this.name);
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    for (let at = 0; at < bytes.length;) at += await this.#readInto(bytes.subarray(at), at);
    return bytes.buffer;
  }

  override async text(): Promise<string> {
    return new TextDecoder().decode(await this.arrayBuffer());
  }

  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    return new ReadableStream({
      type: 'bytes',
      autoAllocateChunkSize: READ_BYTES,
      pull: async (controller) => {
        const request = controller.byobRequest;
        if (at >= this.size) {
          controller.close();
          request?.respond(0);
          return;
        }
        const view = request?.view;
        if (request === null || view === null || view === undefined)
          throw new Error('no buffer to read into');
        const into = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
        const byteCount = await this.#readInto(into, at);
        at += byteCount;
        request.respond(byteCount);
      },
    });
  }

  /** Opens what begins at `at`, at most to the end of `into` and of this part. Returns how many bytes. */
  async #readInto(into: Uint8Array, at: number): Promise<number> {
    const { key, handle } = this.#sealed;
    const position = this.#start + at;
    const wanted = Math.min(into.length, this.size - at);
    const { bytesRead } = await handle.read(into, 0, wanted, position);
    if (bytesRead === 0) throw new Error('gathered bytes are gone');
    const opening = createDecipheriv(ALGORITHM, key, counterAt(Math.floor(position / BLOCK_BYTES)));
    opening.update(Buffer.alloc(position % BLOCK_BYTES));
    into.set(opening.update(into.subarray(0, bytesRead)));
    return bytesRead;
  }
}

/** The counter of the cipher's block at `index`, which is below 2 ** 53. */
function counterAt(index: number): Buffer {
  const counter = Buffer.alloc(BLOCK_BYTES);
  counter.writeBigUInt64BE(BigInt(index), BLOCK_BYTES - 8);
  return counter;
}
