// Opens the rows that Palm seals, each under its own small key in the file of key slots, with the keys that
// the file still has (FORMATS.md, "On disk"). The slot named in a row is ignored: every key is tried on every
// row.

import { createCipheriv } from 'node:crypto';
import { openSealed } from './keys.ts';
import { type Layer, offsetsOf } from './layers.ts';
import { readVarint } from './snappy.ts';
import { objectsIn } from './v8-objects.ts';

export interface OpenedRow {
  /** 'index', 'secret', 'journal' or 'kept'. */
  readonly kind: string;
  /** The store's id, if it is the row of one. */
  readonly storeId: string;
  /** The segment's number, for a row of 'kept'. */
  readonly segment: number;
  readonly plain: Buffer;
  readonly where: string;
}

interface SealedRow {
  readonly kind: string;
  readonly storeId: string;
  readonly segment: number;
  readonly sealed: Buffer;
  readonly aad: string;
  readonly where: string;
}

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Room for 4,096 slots. A pack file is larger: its blocks alone exceed this. */
const MAX_SLOT_FILE_BYTES = 128 * 1024;
const ORIGIN_FILES = /(?:^|\/)File System\//;
const DATABASE = /indexeddb/i;
/** Names of values that are sealed alone. */
const SECRETS = ['pool-invite', 'device-key', 'device-name'];
/** The beginning of a fragment index: a map of four, with "i" as its first key. */
const INDEX_HEAD = Buffer.from([0xa4, 0x61, 0x69]);
/** A fragment's id in text, in base32. */
const FRAGMENT_ID_LENGTH = 59;

export function openSealedRows(layers: readonly Layer[]): OpenedRow[] {
  const keys = slotKeys(layers);
  if (keys.length === 0) return [];
  const databases = layers.filter(({ name }) => DATABASE.test(name));
  const named = databases.flatMap(namedRows).flatMap((row) => openWithAny(keys, row));
  return [...named, ...openIndexes(keys, databases)];
}

/** Everything in the origin's small files that could be a key. */
function slotKeys(layers: readonly Layer[]): Buffer[] {
  const keys = new Map<string, Buffer>();
  for (const { name, bytes } of layers) {
    if (!ORIGIN_FILES.test(name) || bytes.length > MAX_SLOT_FILE_BYTES) continue;
    for (let at = 0; at + KEY_BYTES <= bytes.length; at += KEY_BYTES) {
      const key = bytes.subarray(at, at + KEY_BYTES);
      // A block or other content contributes candidates too: each costs one try.
      if (key.some((byte) => byte !== 0)) keys.set(key.toString('hex'), key);
    }
  }
  return [...keys.values()];
}

/** Rows that identify themselves: of the journal, of segments kept by a store, and secrets. */
function namedRows({ name, bytes }: Layer): SealedRow[] {
  return [...objectsIn(bytes)].flatMap(({ at, value }): SealedRow[] => {
    const where = `${name} at ${at}`;
    const { storeId, owner, keptAs, sealed, note } = value;
    if (typeof owner === 'string' && typeof keptAs === 'number' && note instanceof Uint8Array) {
      const aad = `palm/v1/disk/kept/${owner}/${keptAs}`;
      const store = owner.replace(/^store:/, '');
      return [{ kind: 'kept', storeId: store, segment: keptAs, sealed: Buffer.from(note), aad, where }];
    }
    if (!(sealed instanceof Uint8Array)) return [];
    const row = { segment: 0, sealed: Buffer.from(sealed), where };
    if (typeof storeId === 'string')
      return [{ ...row, kind: 'journal', storeId, aad: `palm/v1/disk/journal/${storeId}` }];
    return SECRETS.map((secret) => ({
      ...row,
      kind: 'secret',
      storeId: '',
      aad: `palm/v1/disk/secret/${secret}`,
    }));
  });
}

function openWithAny(keys: readonly Buffer[], { aad, sealed, ...row }: SealedRow): OpenedRow[] {
  for (const key of keys) {
    const plain = openSealed(key, sealed.subarray(0, NONCE_BYTES), aad, sealed.subarray(NONCE_BYTES));
    if (plain !== undefined) return [{ ...row, plain }];
  }
  return [];
}

/**
 * Sealed fragment indexes. They are buffers like any other. A key reveals one if it decrypts the first bytes
 * to those of an index; then the whole must open with the key and the fragment's id, which stands before the
 * row.
 */
function openIndexes(keys: readonly Buffer[], layers: readonly Layer[]): OpenedRow[] {
  const candidates = layers.flatMap(sealedBuffers);
  if (candidates.length === 0) return [];
  // AES-GCM encrypts the first block with the counter 2 (NIST SP 800-38D, section 7.1).
  const counters = Buffer.concat(
    candidates.map(({ sealed }) =>
      Buffer.concat([sealed.subarray(0, NONCE_BYTES), Buffer.from([0, 0, 0, 2])]),
    ),
  );
  return keys.flatMap((key) => {
    const stream = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(counters);
    return candidates.flatMap((candidate, at) => {
      const isIndex = INDEX_HEAD.every(
        (byte, offset) =>
          byte === ((candidate.sealed[NONCE_BYTES + offset] ?? 0) ^ (stream[16 * at + offset] ?? 0)),
      );
      return isIndex ? openWithAny([key], candidate) : [];
    });
  });
}

/** Buffers that could be sealed indexes, with the fragment's id before each. */
function sealedBuffers({ name, bytes }: Layer): SealedRow[] {
  const rows: SealedRow[] = [];
  for (const at of offsetsOf(bytes, Buffer.from('B'))) {
    const length = readVarint(bytes, at + 1);
    if (length === undefined || length.value < NONCE_BYTES + TAG_BYTES + KEY_BYTES) continue;
    const end = length.end + length.value;
    // A view follows its buffer.
    if (bytes[end] !== 0x56) continue;
    const fragmentId = fragmentIdBefore(bytes, at);
    if (fragmentId === undefined) continue;
    const sealed = bytes.subarray(length.end, end);
    const aad = `palm/v1/disk/index/${fragmentId}`;
    rows.push({ kind: 'index', storeId: '', segment: 0, sealed, aad, where: `${name} at ${at}` });
  }
  return rows;
}

/**
 * A row's key stands before its value; IndexedDB writes its text with two bytes per character, the higher one
 * first.
 */
function fragmentIdBefore(bytes: Buffer, at: number): string | undefined {
  const before = bytes.toString('latin1', Math.max(0, at - 4 * FRAGMENT_ID_LENGTH), at).replaceAll('\0', '');
  return before.match(/bafyrei[a-z2-7]{52}/g)?.at(-1);
}
