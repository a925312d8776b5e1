// Decoders of Palm's database rows. A disk is trusted no more than a peer: a row has exactly the form that
// was written, or is refused with PalmError 'bad-message' (FORMATS.md, "On disk").

import { concatBytes } from '../../../core/model/bytes.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import {
  type BlockHash,
  type BlockOwner,
  type FragmentId,
  parseBlockHash,
  parseBlockOwner,
  parseDeviceId,
  parseEntryId,
  parseFileId,
  parseFragmentId,
} from '../../../core/model/ids.ts';
import {
  BLOCK_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_KEY_SLOTS,
  MAX_LOG_LENGTH,
  MAX_MESSAGE_BYTES,
  MAX_RECORD_BYTES,
  MAX_SEGMENT_COUNT,
} from '../../../core/model/limits.ts';
import type { StoredFragment, StoredRecord } from '../../../core/ports.ts';
import { bad, bytesOf, fieldsOf, tupleOf, uintOf } from '../../../core/encoding/decode.ts';
import { slotBytesOf } from './pack-slots.ts';
import { NO_SLOT, SEAL_BYTES } from './sealed-rows.ts';

export function blockRow(row: unknown): Uint8Array<ArrayBuffer> {
  return ownBytes(bytesOf(row, 1, BLOCK_BYTES));
}

/** A block and its location: a slot of the files, or a row of its own (undefined). */
export interface LocatedBlock {
  readonly hash: BlockHash;
  readonly slot: number | undefined;
  readonly byteCount: number;
}

const HASH_BYTES = 32;

/**
 * The form that `locatedBlocks` reads: the hashes in a row, and for each block its slot and length, bytes.
 */
export function locationsOf(blocks: readonly LocatedBlock[]): {
  readonly hashes: Uint8Array<ArrayBuffer>;
  readonly places: Uint32Array<ArrayBuffer>;
} {
  return {
    hashes: concatBytes(...blocks.map(({ hash }) => hash)),
    places: Uint32Array.from(blocks.flatMap(({ slot = NO_SLOT, byteCount }) => [slot, byteCount])),
  };
}

/** Block hashes in a row, at most `maxCount`; each with bytes of its own. */
export function hashesOf(value: unknown, maxCount: number): BlockHash[] {
  const bytes = bytesOf(value, 0, maxCount * HASH_BYTES);
  if (bytes.length % HASH_BYTES !== 0) throw bad('whole block hashes were expected');
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    parseBlockHash(bytes.slice(at * HASH_BYTES, (at + 1) * HASH_BYTES)),
  );
}

function locatedBlocks(value: unknown, places: unknown, minCount: number, maxCount: number): LocatedBlock[] {
  const hashes = hashesOf(value, maxCount);
  if (hashes.length < minCount) throw bad('at least one block was expected');
  if (!(places instanceof Uint32Array) || places.length !== 2 * hashes.length)
    throw bad('a place for each block was expected');
  return hashes.map((hash, at) => {
    const slot = places[2 * at] === NO_SLOT ? undefined : places[2 * at];
    const maxBytes = slot === undefined ? BLOCK_BYTES : slotBytesOf(slot);
    return { hash, slot, byteCount: uintOf(places[2 * at + 1], maxBytes) };
  });
}

/** A fragment index, sealed or not. */
export function indexRow(row: unknown): Uint8Array<ArrayBuffer> {
  return ownBytes(bytesOf(row, 1, MAX_MESSAGE_BYTES + SEAL_BYTES));
}

/** The key of an index: its fragment, and the slot of its sealing key. */
export function indexKey(key: unknown): { readonly fragmentId: FragmentId; readonly slot: number } {
  const [fragmentId, slot] = tupleOf(key, 2);
  return { fragmentId: parseFragmentId(fragmentId), slot: keySlotOf(slot) };
}

/** A slot of the keys, or NO_SLOT for rows that are not sealed. */
export function keySlotOf(value: unknown): number {
  return value === NO_SLOT ? NO_SLOT : uintOf(value, MAX_KEY_SLOTS - 1);
}

/** A fragment, and its blocks in the order of the segments. */
export interface FragmentRow {
  readonly stored: StoredFragment;
  readonly blocks: readonly LocatedBlock[];
}

export function fragmentRow(row: unknown): FragmentRow {
  const fields = fieldsOf(row, ['fragmentId', 'fileId', 'fragment', 'blockBytes', 'hashes', 'places']);
  return {
    stored: {
      fragmentId: parseFragmentId(fields['fragmentId']),
      fileId: parseFileId(fields['fileId']),
      fragment: uintOf(fields['fragment'], MAX_FRAGMENT_COUNT - 1),
      blockBytes: uintOf(fields['blockBytes'], MAX_SEGMENT_COUNT * BLOCK_BYTES),
    },
    blocks: locatedBlocks(fields['hashes'], fields['places'], 1, MAX_SEGMENT_COUNT),
  };
}

/** Blocks that an owner kept beyond its page, as `FragmentStore.putBlocks` was given them. */
export interface KeptRow {
  readonly owner: BlockOwner;
  readonly keptAs: number;
  /** Of the key that the note is sealed under. */
  readonly slot: number;
  /** What the owner kept with them (`Keep`), sealed or not. */
  readonly note: Uint8Array<ArrayBuffer>;
  /** Empty where an earlier version knew the hash only. */
  readonly blocks: readonly LocatedBlock[];
}

export function keptRow(row: unknown): KeptRow {
  const fields = fieldsOf(row, ['owner', 'keptAs', 'slot', 'note', 'hashes', 'places']);
  const slot = keySlotOf(fields['slot']);
  const hashBytes = slot === NO_SLOT ? HASH_BYTES : HASH_BYTES + SEAL_BYTES;
  return {
    owner: parseBlockOwner(fields['owner']),
    keptAs: uintOf(fields['keptAs'], MAX_SEGMENT_COUNT - 1),
    slot,
    note: ownBytes(bytesOf(fields['note'], hashBytes, hashBytes)),
    blocks: locatedBlocks(fields['hashes'], fields['places'], 0, MAX_FRAGMENT_COUNT),
  };
}

/** The form that `keptRow` reads. */
export function rowOfKept({ owner, keptAs, slot, note, blocks }: KeptRow): object {
  return { owner, keptAs, slot, note, ...locationsOf(blocks) };
}

export function recordRow(row: unknown): StoredRecord {
  const fields = fieldsOf(row, ['entryId', 'deviceId', 'seq', 'bytes']);
  return {
    entryId: parseEntryId(fields['entryId']),
    deviceId: parseDeviceId(fields['deviceId']),
    seq: uintOf(fields['seq'], MAX_LOG_LENGTH),
    bytes: ownBytes(bytesOf(fields['bytes'], 1, MAX_RECORD_BYTES + SEAL_BYTES)),
  };
}

/** Rows that pass `decode`, and the keys of those that do not. Both lists are in the order of `keys`. */
export function decodeRows<Key, Row>(
  keys: readonly Key[],
  rows: readonly unknown[],
  decode: (row: unknown) => Row,
): { readonly sound: Row[]; readonly damaged: Key[] } {
  const sound: Row[] = [];
  const damaged: Key[] = [];
  for (const [at, key] of keys.entries()) {
    const row = decoded(rows[at], decode);
    if (row === undefined) damaged.push(key);
    else sound.push(row);
  }
  return { sound, damaged };
}

/** Undefined when `decode` refuses the row. */
export function decoded<Row>(row: unknown, decode: (row: unknown) => Row): Row | undefined {
  try {
    return decode(row);
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}

/** The same bytes with a plain buffer that holds nothing else. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length) {
    return bytes as Uint8Array<ArrayBuffer>; // its buffer is one, checked
  }
  return new Uint8Array(bytes);
}
