// Blocks and the hashes that they are kept under.

import { equalBytes } from '../../../core/model/bytes.ts';
import { type BlockHash, parseBlockHash } from '../../../core/model/ids.ts';

export interface Block {
  readonly hash: BlockHash;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export async function allMatch(blocks: readonly Block[]): Promise<boolean> {
  const sound = await Promise.all(blocks.map(({ hash, bytes }) => matches(hash, bytes)));
  return !sound.includes(false);
}

export async function matches(hash: BlockHash, bytes: Uint8Array<ArrayBuffer>): Promise<boolean> {
  return equalBytes(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)), hash);
}

/** A copy with a buffer of its own, which IndexedDB needs for a key. */
export function keyOf(hash: BlockHash): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hash);
}

/** Keys are written as views and come back as buffers. */
export function hashOfKey(key: BufferSource): BlockHash {
  const bytes =
    key instanceof ArrayBuffer
      ? new Uint8Array(key)
      : new Uint8Array(key.buffer, key.byteOffset, key.byteLength);
  return parseBlockHash(bytes);
}
