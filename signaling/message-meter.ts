// Follows a client's WebSocket frames (RFC 6455, section 5.2) without keeping them, to tell what an
// unfinished message costs the relay and since when it waits. `ws` parses the same bytes and rejects
// malformed ones.

/**
 * What one chunk of an unfinished message costs besides its bytes: a Buffer and the memory it views, in Node
 * 20.
 */
const CHUNK_COST_BYTES = 256;
/** A header is 2 bytes, up to 8 bytes of length, and 4 of mask. */
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

  /** Estimated bytes kept for an unfinished message; never too low. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** When the unfinished message or frame began; undefined when there is none. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /**
   * Takes the client's next bytes: `chunk` from `at` to the end of a frame, or of the chunk. Returns that
   * position.
   */
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

  /** Returns the position it reached in the chunk. */
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

/** Undefined while the header is incomplete. */
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
