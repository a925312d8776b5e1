// What a thief carves out of a profile's layers: everything that looks like a secret of Palm, anywhere, even
// if nothing refers to it any longer. recovery.ts tests whether it is one.

import { byteListIn, isMap, numberIn, readCbor } from './cbor.ts';
import { hkdf, openSealed, poolKeysOf, sha256 } from './keys.ts';
import { type Layer, offsetsOf } from './layers.ts';
import { type OpenedRow, openSealedRows } from './sealed-rows.ts';
import { objectsIn } from './v8-objects.ts';

const KEY_BYTES = 32;

/** `where` names the layer and the offset in it. */
export interface PoolSecret {
  readonly secret: Buffer;
  readonly epoch: number;
  readonly where: string;
}

/** The private key of a device: it signs in the device's name. */
export interface DeviceKey {
  readonly seed: Buffer;
  readonly where: string;
}

/** The key share and the block hashes of one fragment. */
export interface FoundIndex {
  readonly fragment: number;
  readonly share: Buffer;
  readonly blocks: readonly Buffer[];
  /** The digest of its fragment id; undefined if it is cut off. */
  readonly digest: string | undefined;
  readonly where: string;
}

/** The row of an unfinished store, as far as it exists. */
export interface FoundJournal {
  readonly storeId: string;
  readonly name: string | undefined;
  readonly size: number;
  readonly k: number;
  readonly n: number;
  readonly blockBytes: number;
  readonly kc: Buffer | undefined;
  readonly kq: Buffer | undefined;
  readonly salt: Buffer | undefined;
  readonly where: string;
}

/** What an unfinished store notes about a segment. */
export interface FoundSegment {
  readonly storeId: string;
  readonly segment: number;
  /** The hash of the plaintext; undefined if the row has none. */
  readonly plainHash: Buffer | undefined;
  readonly blocks: readonly Buffer[];
  readonly where: string;
}

/** The row of a held fragment. */
export interface FoundFragment {
  readonly fileId: string;
  readonly fragment: number;
  readonly blocks: readonly Buffer[];
  readonly where: string;
}

export interface Loot {
  readonly poolSecrets: readonly PoolSecret[];
  readonly deviceKeys: readonly DeviceKey[];
  /** Keys of file links. */
  readonly linkKeys: readonly { readonly kc: Buffer; readonly where: string }[];
  readonly indexes: readonly FoundIndex[];
  readonly journals: readonly FoundJournal[];
  readonly segments: readonly FoundSegment[];
  readonly fragments: readonly FoundFragment[];
  readonly sealedManifests: readonly { readonly sealed: Buffer; readonly where: string }[];
  /** Any other byte strings of 32 bytes: tried as the keys that are still missing. */
  readonly loose: readonly { readonly bytes: Buffer; readonly where: string }[];
}

/** An object of a row, or of the sealed part of one. */
interface FoundObject {
  readonly value: Readonly<Record<string, unknown>>;
  readonly where: string;
}

export function carve(rawLayers: readonly Layer[]): Loot {
  const opened = openSealedRows(rawLayers);
  const unrecorded = [
    ...rawLayers,
    ...opened.map(({ where, plain }) => ({ name: `${where}, opened`, bytes: plain, isRaw: false })),
  ];
  const pools = firstOfEach(unrecorded.flatMap(invitesIn), ({ secret }) => hex(secret));
  const layers = [...unrecorded, ...openRecordRows(rawLayers, pools)];
  const rows = layers.flatMap((layer) =>
    [...objectsIn(layer.bytes)].map(({ at, value }) => ({ value, where: `${layer.name} at ${at}` })),
  );
  return {
    poolSecrets: pools,
    deviceKeys: firstOfEach(layers.flatMap(deviceKeysIn), ({ seed }) => hex(seed)),
    linkKeys: firstOfEach(layers.flatMap(linksIn), ({ kc }) => hex(kc)),
    indexes: firstOfEach(
      layers.flatMap(indexesIn),
      ({ fragment, share, digest = '' }) => `${fragment} ${hex(share)} ${digest}`,
    ),
    journals: firstOfEach(
      [...rows.flatMap(journalOf), ...opened.flatMap(openedJournal)],
      ({ storeId, kc, kq }) => `${storeId} ${kc?.toString('hex') ?? ''} ${kq?.toString('hex') ?? ''}`,
    ),
    segments: firstOfEach(
      [...rows.flatMap(segmentOf), ...opened.flatMap(openedSegment)],
      ({ storeId, segment, blocks, plainHash }) =>
        `${storeId} ${segment} ${blocks.length} ${plainHash?.toString('hex') ?? ''}`,
    ),
    fragments: firstOfEach(
      rows.flatMap(fragmentOf),
      ({ fileId, fragment, blocks }) => `${fileId} ${fragment} ${blocks.length}`,
    ),
    sealedManifests: firstOfEach(layers.flatMap(manifestsIn), ({ sealed }) => hex(sha256(sealed))),
    loose: firstOfEach(layers.flatMap(looseIn), ({ bytes }) => hex(bytes)),
  };
}

/** Records of the catalogue in rows of their own, sealed for their pool. */
function openRecordRows(layers: readonly Layer[], pools: readonly PoolSecret[]): Layer[] {
  const keys = pools.map(({ secret, epoch }) => {
    const { poolId, catalogueKey } = poolKeysOf(secret, epoch);
    return {
      poolId,
      key: hkdf(catalogueKey, undefined, 'palm/v1/record-row', 2 * KEY_BYTES).subarray(0, KEY_BYTES),
    };
  });
  return layers.flatMap(({ name, bytes }) =>
    [...objectsIn(bytes)].flatMap(({ at, value: { entryId, bytes: sealed } }): Layer[] => {
      if (typeof entryId !== 'string' || !(sealed instanceof Uint8Array)) return [];
      return keys.flatMap(({ poolId, key }): Layer[] => {
        const aad = `palm/v1/record-row/${poolId}/${entryId}`;
        const plain = openSealed(key, sealed.subarray(0, 12), aad, sealed.subarray(12));
        return plain === undefined ? [] : [{ name: `${name} at ${at}, opened`, bytes: plain, isRaw: false }];
      });
    }),
  );
}

function firstOfEach<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item);
    if (!byKey.has(key)) byKey.set(key, item);
  }
  return [...byKey.values()];
}

/**
 * Invites: text in one byte or two for each character, `u` and base64url of version 1, epoch, secret and
 * checksum.
 */
function invitesIn({ name, bytes }: Layer): PoolSecret[] {
  return textsIn(bytes, 53).flatMap(({ at, decoded }) => {
    const body = decoded.subarray(0, 35);
    const fits = sha256(Buffer.concat([Buffer.from('palm/v1/invite'), body]))
      .subarray(0, 4)
      .equals(decoded.subarray(35));
    if (!fits) return [];
    return [
      { secret: Buffer.from(body.subarray(3)), epoch: body.readUInt16BE(1), where: `${name} at ${at}` },
    ];
  });
}

/** Link texts. Their checksum is ignored: the file's id may be gone, or lie elsewhere. */
function linksIn({ name, bytes }: Layer): { kc: Buffer; where: string }[] {
  return textsIn(bytes, 51).map(({ at, decoded }) => ({
    kc: Buffer.from(decoded.subarray(1, 1 + KEY_BYTES)),
    where: `${name} at ${at}`,
  }));
}

/**
 * An Ed25519 key as PKCS #8 (RFC 8410): the form in which Blink keeps a CryptoKey that scripts may not
 * export.
 */
const ED25519_PRIVATE = Buffer.from('302e020100300506032b657004220420', 'hex');

function deviceKeysIn({ name, bytes }: Layer): DeviceKey[] {
  return Array.from(offsetsOf(bytes, ED25519_PRIVATE), (at) => {
    const start = at + ED25519_PRIVATE.length;
    return { seed: Buffer.from(bytes.subarray(start, start + KEY_BYTES)), where: `${name} at ${at}` };
  });
}

const TEXT_CHARACTER = /^[A-Za-z0-9_-]$/;

/** Multibase texts of `length` characters, prefix included, that decode to bytes starting with 1. */
function textsIn(bytes: Buffer, length: number): { readonly at: number; readonly decoded: Buffer }[] {
  const found: { at: number; decoded: Buffer }[] = [];
  for (const step of [1, 2]) {
    const prefix = step === 1 ? Buffer.from('uA') : Buffer.from('u\0A');
    for (const at of offsetsOf(bytes, prefix)) {
      let text = '';
      for (let index = 0; index < length; index++) {
        const character = String.fromCharCode(bytes[at + index * step] ?? 0);
        if (!TEXT_CHARACTER.test(character)) break;
        text += character;
      }
      const decoded = Buffer.from(text.slice(1), 'base64url');
      if (text.length === length && decoded[0] === 1) found.push({ at, decoded });
    }
  }
  return found;
}

const SHARE_KEY = Buffer.concat([Buffer.from('eshare'), Buffer.from([0x58, KEY_BYTES])]);

/**
 * Fragment indexes: maps of v, i, share and blocks. An index with a cut list of hashes still gives its share.
 */
function indexesIn({ name, bytes }: Layer): FoundIndex[] {
  return [...offsetsOf(bytes, SHARE_KEY)].flatMap((at): FoundIndex[] => {
    const shareAt = at + SHARE_KEY.length;
    const share = bytes.subarray(shareAt, shareAt + KEY_BYTES);
    // The number is one byte or two, between "i" and the version.
    const start = [at - 7, at - 8].find((before) => bytes[before] === 0xa4 && bytes[before + 2] === 0x69);
    if (share.length < KEY_BYTES || start === undefined) return [];
    const where = `${name} at ${start}`;
    const number = readCbor(bytes, start + 3)?.value;
    const whole = readCbor(bytes, start);
    if (whole === undefined || !isMap(whole.value)) {
      const fragment = typeof number === 'number' ? number : 0;
      return [{ fragment, share: Buffer.from(share), blocks: [], digest: undefined, where }];
    }
    return [
      {
        fragment: numberIn(whole.value, 'i') ?? 0,
        share: Buffer.from(share),
        blocks: byteListIn(whole.value, 'blocks').map((hash) => Buffer.from(hash)),
        digest: hex(sha256(bytes.subarray(start, whole.end))),
        where,
      },
    ];
  });
}

const MANIFEST_KEY = Buffer.from('hmanifest');

/** Sealed manifests, in log entries or anything else that has them under that name. */
function manifestsIn({ name, bytes }: Layer): { sealed: Buffer; where: string }[] {
  return [...offsetsOf(bytes, MANIFEST_KEY)].flatMap((at) => {
    const sealed = readCbor(bytes, at + MANIFEST_KEY.length)?.value;
    if (!(sealed instanceof Uint8Array)) return [];
    return [{ sealed: Buffer.from(sealed), where: `${name} at ${at}` }];
  });
}

/** 32 bytes that are a separate buffer in IndexedDB, or a byte string in DAG-CBOR. */
function looseIn({ name, bytes }: Layer): { bytes: Buffer; where: string }[] {
  const found: { bytes: Buffer; where: string }[] = [];
  for (const prefix of [Buffer.from([0x42, KEY_BYTES]), Buffer.from([0x58, KEY_BYTES])]) {
    for (const at of offsetsOf(bytes, prefix)) {
      const start = at + prefix.length;
      const candidate = bytes.subarray(start, start + KEY_BYTES);
      const isBuffer = prefix[0] === 0x42;
      // A view follows its buffer; without it, two bytes are not a sufficient mark.
      if (candidate.length < KEY_BYTES || (isBuffer && bytes[start + KEY_BYTES] !== 0x56)) continue;
      if (!isBuffer && !name.includes('indexeddb')) continue;
      found.push({ bytes: Buffer.from(candidate), where: `${name} at ${start}` });
    }
  }
  return found;
}

function journalOf({ value, where }: FoundObject): FoundJournal[] {
  const { storeId, name, size, k, n, blockBytes } = value;
  if (typeof storeId !== 'string' || typeof size !== 'number') return [];
  if (typeof k !== 'number' || typeof n !== 'number' || typeof blockBytes !== 'number') return [];
  const keyOf = (property: string): Buffer | undefined => {
    const bytes = value[property];
    return bytes instanceof Uint8Array && bytes.length === KEY_BYTES ? Buffer.from(bytes) : undefined;
  };
  return [
    {
      storeId,
      name: typeof name === 'string' ? name : undefined,
      size,
      k,
      n,
      blockBytes,
      kc: keyOf('linkKey'),
      kq: keyOf('sharedKey'),
      salt: keyOf('salt'),
      where,
    },
  ];
}

/** The sealed part of a journal's row, a DAG-CBOR map. */
function openedJournal({ kind, storeId, plain, where }: OpenedRow): FoundJournal[] {
  const map = kind === 'journal' ? readCbor(plain)?.value : undefined;
  return isMap(map) ? journalOf({ value: { ...Object.fromEntries(map), storeId }, where }) : [];
}

/** The sealed note of a segment; the hashes of its blocks are in the row, unsealed. */
function openedSegment({ kind, storeId, segment, plain, where }: OpenedRow): FoundSegment[] {
  return kind === 'kept' ? [{ storeId, segment, plainHash: plain, blocks: [], where }] : [];
}

function segmentOf({ value, where }: FoundObject): FoundSegment[] {
  const { owner, keptAs, note, hashes } = value;
  if (typeof owner !== 'string' || typeof keptAs !== 'number' || !(hashes instanceof Uint8Array)) return [];
  // A longer note is sealed.
  const isPlain = note instanceof Uint8Array && note.length === KEY_BYTES;
  const plainHash = isPlain ? Buffer.from(note) : undefined;
  const storeId = owner.replace(/^store:/, '');
  return [{ storeId, segment: keptAs, plainHash, blocks: hashesOf(hashes), where }];
}

function fragmentOf({ value, where }: FoundObject): FoundFragment[] {
  const { fileId, fragment, hashes } = value;
  if (typeof fileId !== 'string' || typeof fragment !== 'number' || !(hashes instanceof Uint8Array))
    return [];
  return [{ fileId, fragment, blocks: hashesOf(hashes), where }];
}

function hashesOf(bytes: Uint8Array): Buffer[] {
  return Array.from({ length: Math.floor(bytes.length / KEY_BYTES) }, (_, at) =>
    Buffer.from(bytes.subarray(at * KEY_BYTES, (at + 1) * KEY_BYTES)),
  );
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
