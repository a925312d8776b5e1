// What requests of the lane carry, both ways: a run of blocks (FORMATS.md, the lane). Each has a number, 4
// bytes, and a length, 4 bytes, both big-endian, before its bytes. In an answer the number is the block's
// place in what was asked for, and a length of 0 says that it does not come this way. In what is brought, it
// is the id of the request that the block answers.

import { bad } from '../encoding/decode.ts';
import { base64UrlOf, bytesOfBase64Url } from '../model/bytes.ts';
import { type BlockHash, parseBlockHash } from '../model/ids.ts';
import { BLOCK_BYTES, LANE_ASKED_BLOCKS, LANE_RUN_BLOCKS } from '../model/limits.ts';

/** The request header with the hashes of the wanted blocks. */
export const LANE_BLOCKS_HEADER = 'Palm-Blocks';
const HEAD_BYTES = 8;
/** As many full blocks as one request brings. */
export const MAX_RUN_BYTES = LANE_RUN_BLOCKS * (HEAD_BYTES + BLOCK_BYTES);
/** A hash in base64url. */
const HASH_CHARS = 43;

export interface RunItem {
  readonly number: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function runHead(number: number, byteCount: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, number);
  view.setUint32(4, byteCount);
  return head;
}

export function blocksHeader(hashes: readonly BlockHash[]): string {
  return hashes.map((hash) => base64UrlOf(hash)).join(',');
}

/** @throws PalmError 'bad-message'. */
export function hashesInHeader(text: string): BlockHash[] {
  if (text.length > LANE_ASKED_BLOCKS * (HASH_CHARS + 1)) throw bad('too many blocks of the lane');
  return text.split(',').map((hash) => {
    if (!/^[\w-]{43}$/u.test(hash)) throw bad('a hash of the lane');
    return parseBlockHash(bytesOfBase64Url(hash));
  });
}

/** Takes a run apart as its bytes come in. */
export class RunReader {
  /** Whole ones, in the order in which they came. The caller owns their bytes. */
  readonly items: RunItem[] = [];
  readonly #maxCount: number;
  readonly #memory: (byteCount: number) => Uint8Array<ArrayBuffer>;
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headFill = 0;
  #begun: RunItem | undefined;
  #fill = 0;

  /** It has `maxCount` blocks at most. `memory` is asked for the bytes of each, with its length. */
  constructor(maxCount: number, memory: (byteCount: number) => Uint8Array<ArrayBuffer>) {
    this.#maxCount = maxCount;
    this.#memory = memory;
  }

  /** Whether the bytes so far end with a block. */
  get isWhole(): boolean {
    return this.#headFill === 0;
  }

  /** The block whose end has not come. The caller owns its bytes. */
  get cut(): Uint8Array<ArrayBuffer> | undefined {
    return this.#begun?.bytes;
  }

  /** Copies what it needs of `chunk`. @throws PalmError 'bad-message'; what is whole stays. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#begun === undefined) {
        const part = chunk.subarray(at, at + HEAD_BYTES - this.#headFill);
        this.#head.set(part, this.#headFill);
        this.#headFill += part.length;
        at += part.length;
        if (this.#headFill === HEAD_BYTES) this.#begin();
      } else {
        const { bytes } = this.#begun;
        const part = chunk.subarray(at, at + bytes.length - this.#fill);
        bytes.set(part, this.#fill);
        this.#fill += part.length;
        at += part.length;
        if (this.#fill === bytes.length) this.#end(this.#begun);
      }
    }
  }

  #begin(): void {
    const view = new DataView(this.#head.buffer);
    const byteCount = view.getUint32(4);
    if (this.items.length >= this.#maxCount || byteCount > BLOCK_BYTES) throw bad('a run that is too long');
    const begun = { number: view.getUint32(0), bytes: this.#memory(byteCount) };
    this.#fill = 0;
    if (byteCount === 0) this.#end(begun);
    else this.#begun = begun;
  }

  #end(item: RunItem): void {
    this.items.push(item);
    this.#begun = undefined;
    this.#headFill = 0;
  }
}
