// Follows a client's WebSocket frames (RFC 6455, section 5.2) without keeping them, to tell what an unfinished message
// costs the relay and since when it waits. `ws` parses the same bytes and judges them; what is malformed is its matter.

/** What one chunk of an unfinished message costs beside its bytes: a Buffer and what it views, as Node 20 makes them. */
const CHUNK_COST_BYTES = 256;
/** A header is 2 bytes, up to 8 more of length, 4 of mask. */
const MAX_HEADER_BYTES = 14;

type Position =
  | { readonly kind: 'header'; readonly bytes: number[] }
  | { readonly kind: 'payload'; readonly isLast: boolean; readonly isControl: boolean; leftBytes: number };

export class MessageMeter {
  #position: Position = { kind: 'header', bytes: [] };
  #isFragmented = false;
  #heldBytes = 0;
  #sinceMs: number | undefined;
  #isAtFrameEnd = false;

  /** Bytes that are kept for a message that is not finished, an estimate that is never too low. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** When the unfinished message, or unfinished frame, began; undefined when nothing is unfinished. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Takes what came next from the client: `chunk` from `at` to the end of a frame, or its own. Returns where that is. */
  feed(nowMs: number, chunk: Uint8Array, at: number): number {
    // A part keeps all of the chunk that it came in.
    const chunkCostBytes = CHUNK_COST_BYTES + chunk.length;
    if (at === 0) this.#heldBytes += chunkCostBytes;
    if (this.#sinceMs === undefined) {
      this.#sinceMs = nowMs;
      this.#heldBytes = chunkCostBytes;
    }
    let end = at;
    this.#isAtFrameEnd = false;
    while (end < chunk.length && !this.#isAtFrameEnd) end = this.#step(chunk, end);
    if (this.#sinceMs === undefined) this.#heldBytes = 0;
    return end;
  }

  /** Returns how far into the chunk it came. */
  #step(chunk: Uint8Array, at: number): number {
    const position = this.#position;
    if (position.kind === 'payload') {
      const bytes = Math.min(position.leftBytes, chunk.length - at);
      position.leftBytes -= bytes;
      if (position.leftBytes === 0) this.#finishFrame(position);
      return at + bytes;
    }
    position.bytes.push(chunk[at] ?? 0);
    const header = readHeader(position.bytes);
    if (header !== undefined) {
      this.#position = { kind: 'payload', ...header };
      if (header.leftBytes === 0) this.#finishFrame(header);
    }
    return at + 1;
  }

  #finishFrame({ isLast, isControl }: { readonly isLast: boolean; readonly isControl: boolean }): void {
    this.#position = { kind: 'header', bytes: [] };
    this.#isAtFrameEnd = true;
    if (!isControl) this.#isFragmented = !isLast;
    if (!this.#isFragmented) this.#sinceMs = undefined;
  }
}

/** Undefined while the header is not whole. */
function readHeader(
  bytes: readonly number[],
): { readonly isLast: boolean; readonly isControl: boolean; readonly leftBytes: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const short = second & 0x7f;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const maskBytes = (second & 0x80) === 0 ? 0 : 4;
  if (bytes.length < Math.min(MAX_HEADER_BYTES, 2 + lengthBytes + maskBytes)) return undefined;
  const leftBytes =
    lengthBytes === 0 ? short : bytes.slice(2, 2 + lengthBytes).reduce((sum, byte) => sum * 256 + byte, 0);
  return { isLast: (first & 0x80) !== 0, isControl: (first & 0x08) !== 0, leftBytes };
}
