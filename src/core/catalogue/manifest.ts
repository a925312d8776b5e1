// The manifest: what a file is, sealed with the pool's catalogue key (FORMATS.md). A private file's name,
// type and path are sealed once more, under a key that only its link gives.

import type { FileDetails } from '../model/file-details.ts';
import { derivePrivateDetailsKey, FILE_KEY_BYTES } from '../coding/file-key.ts';
import { utf8 } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import { checkGeometry, type Geometry } from '../model/geometry.ts';
import {
  cidOf,
  parseDeviceId,
  parseFragmentId,
  type DeviceId,
  type FragmentId,
  type PoolId,
} from '../model/ids.ts';
import {
  BLOCK_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_MIME_BYTES,
  MAX_NAME_BYTES,
  MAX_NAME_UNITS,
  MAX_PATH_BYTES,
  MAX_RECORD_BYTES,
} from '../model/limits.ts';
import type { WallMs } from '../model/time.ts';
import type { Cryptography } from '../ports.ts';
import {
  bad,
  bytesOf,
  decodeCbor,
  encodeCbor,
  fieldsOf,
  linkOf,
  listOf,
  textOf,
  uintOf,
  utf8Length,
} from '../encoding/decode.ts';
import { MAX_HYBRID_MS, type HybridTime } from './clock.ts';
import { readDetails, writtenDetails } from './long-names.ts';
import { NONCE_BYTES, openRecord, sealRecord } from './sealed-record.ts';

/** Who can read a file's details and its half key Kc. */
export type Access =
  | {
      readonly kind: 'pool';
      readonly details: FileDetails;
      readonly linkKey: Uint8Array;
      readonly contentTag: Uint8Array;
    }
  /** `sealed` is FileDetails under a key from Kc, which only the link carries. */
  | { readonly kind: 'private'; readonly sealed: Uint8Array };

export interface Manifest extends Geometry {
  /** Last modification of the source, ms since the Unix epoch; 0 when unknown. */
  readonly modifiedMs: number;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  /** Ids of fragments 0..n-1. */
  readonly fragments: readonly FragmentId[];
  readonly by: DeviceId;
  /** Date: the storer's wall clock, or 1 ms after the latest file that it knew. */
  readonly atMs: WallMs;
  readonly access: Access;
}

export interface PublishedManifest extends Manifest {
  /** When its entry was written. */
  readonly publishedAt: HybridTime;
}

/**
 * The date of a content that is being stored anew under other keys: its manifest's own name is not listed.
 * Its names come once it is as safe as the content that they belong to until then.
 */
export const UNDATED_MS: WallMs = 0;

const VERSION = 1;
const MANIFEST_KEYS = [
  'v',
  'size',
  'modified',
  'k',
  'n',
  'blockBytes',
  'salt',
  'fragments',
  'by',
  'at',
  'access',
];

/** Seals a manifest for the pool. @param nonce 12 random bytes, never used before. */
export async function sealManifest(
  manifest: Manifest,
  key: Uint8Array,
  pool: PoolId,
  nonce: Uint8Array,
  cryptography: Cryptography,
): Promise<Uint8Array<ArrayBuffer>> {
  return sealRecord(encodeManifest(manifest), key, manifestAad(pool), nonce, cryptography);
}

/**
 * @throws PalmError 'bad-message' when it was not sealed with one of `keys` for `pool`, or its content is
 * malformed.
 */
export async function openManifest(
  sealed: Uint8Array,
  keys: readonly Uint8Array[],
  pool: PoolId,
  cryptography: Cryptography,
): Promise<Manifest> {
  return decodeManifest(await openRecord('a manifest', sealed, keys, manifestAad(pool), cryptography));
}

/** Seals a private file's details. The key serves only this message, so a zero nonce is used only once. */
export async function sealDetails(
  details: FileDetails,
  linkKey: Uint8Array,
  salt: Uint8Array,
  cryptography: Cryptography,
): Promise<Uint8Array> {
  const key = derivePrivateDetailsKey(linkKey, salt);
  return cryptography.seal(
    key,
    new Uint8Array(NONCE_BYTES),
    detailsAad(),
    encodeCbor({ ...writtenDetails(details) }),
  );
}

/** @throws PalmError 'link-needed' when `linkKey` is not this file's. */
export async function openDetails(
  sealed: Uint8Array,
  linkKey: Uint8Array,
  salt: Uint8Array,
  cryptography: Cryptography,
): Promise<FileDetails> {
  const key = derivePrivateDetailsKey(linkKey, salt);
  const plain = await cryptography.open(key, new Uint8Array(NONCE_BYTES), detailsAad(), sealed);
  if (plain === undefined) {
    throw new PalmError({ code: 'link-needed', reason: 'does-not-open' });
  }
  return detailsOf(fieldsOf(decodeCbor(plain, MAX_RECORD_BYTES), ['name', 'path', 'mime']));
}

/** @throws PalmError 'bad-argument' when a name, path or type cannot be kept. */
export function checkDetails(details: FileDetails): void {
  if (details.name === '') throw new PalmError({ code: 'bad-argument', reason: 'no-name', of: 'file' });
  if (details.name.length > MAX_NAME_UNITS)
    throw new PalmError({ code: 'bad-argument', reason: 'long-file-name', maxUnits: MAX_NAME_UNITS });
  const limits = [
    ['name', details.name, Infinity],
    // It carries a long name.
    ['path', writtenDetails(details).path, MAX_PATH_BYTES],
    ['mime', details.mime, MAX_MIME_BYTES],
  ] as const;
  for (const [of, text, maxBytes] of limits) {
    if (/\p{Surrogate}/u.test(text)) throw new PalmError({ code: 'bad-argument', reason: 'characters', of });
    if (utf8Length(text) > maxBytes) {
      throw new PalmError({ code: 'bad-argument', reason: 'long-detail', of, maxBytes });
    }
  }
  if (!isReadBack(details)) throw new PalmError({ code: 'bad-argument', reason: 'characters', of: 'path' });
}

/** A path that ends with a slash leaves no doubt about a short name only. */
function isReadBack(details: FileDetails): boolean {
  const { name, path } = readDetails(writtenDetails(details));
  return name === details.name && path === details.path;
}

function manifestAad(pool: PoolId): Uint8Array {
  return utf8(`palm/v1/manifest/${pool}`);
}

function detailsAad(): Uint8Array {
  return utf8('palm/v1/private-details');
}

function encodeManifest(manifest: Manifest): Uint8Array {
  return encodeCbor({
    v: VERSION,
    size: manifest.size,
    modified: manifest.modifiedMs,
    k: manifest.k,
    n: manifest.n,
    blockBytes: manifest.blockBytes,
    salt: manifest.salt,
    fragments: manifest.fragments.map(cidOf),
    by: cidOf(manifest.by),
    at: manifest.atMs,
    access: encodeAccess(manifest.access),
  });
}

function encodeAccess(access: Access): unknown {
  if (access.kind === 'private') return { kind: 'private', sealed: access.sealed };
  const { details, linkKey, contentTag } = access;
  return { kind: 'pool', ...writtenDetails(details), kc: linkKey, contentTag };
}

function decodeManifest(plain: Uint8Array): Manifest {
  const fields = fieldsOf(decodeCbor(plain, MAX_RECORD_BYTES), MANIFEST_KEYS);
  if (fields['v'] !== VERSION) throw bad('a manifest of an unknown version');
  const manifest: Manifest = {
    size: uintOf(fields['size'], Number.MAX_SAFE_INTEGER),
    modifiedMs: uintOf(fields['modified'], MAX_HYBRID_MS),
    k: uintOf(fields['k'], MAX_FRAGMENT_COUNT),
    n: uintOf(fields['n'], MAX_FRAGMENT_COUNT),
    blockBytes: uintOf(fields['blockBytes'], BLOCK_BYTES),
    salt: bytesOf(fields['salt'], FILE_KEY_BYTES, FILE_KEY_BYTES),
    fragments: listOf(fields['fragments'], MAX_FRAGMENT_COUNT, (id) => parseFragmentId(linkOf(id))),
    by: parseDeviceId(linkOf(fields['by'])),
    atMs: uintOf(fields['at'], MAX_HYBRID_MS),
    access: decodeAccess(fields['access']),
  };
  checkDecoded(manifest);
  return manifest;
}

function checkDecoded(manifest: Manifest): void {
  // A block must hold at least the tag and one byte; otherwise a segment would hold nothing.
  if (manifest.k * manifest.blockBytes <= 16) throw bad('a manifest of impossible geometry');
  try {
    checkGeometry(manifest, true);
  } catch (cause) {
    throw new PalmError(
      { code: 'bad-message', what: 'record', detail: 'a manifest of impossible geometry' },
      { cause },
    );
  }
  if (manifest.fragments.length !== manifest.n || new Set(manifest.fragments).size !== manifest.n) {
    throw bad('a manifest that does not name n distinct fragments');
  }
}

function decodeAccess(value: unknown): Access {
  const kind = (value as { kind?: unknown } | null)?.kind; // only compared with constants
  if (kind === 'private') {
    return { kind, sealed: bytesOf(fieldsOf(value, ['kind', 'sealed'])['sealed'], 16, MAX_RECORD_BYTES) };
  }
  const fields = fieldsOf(value, ['kind', 'name', 'path', 'mime', 'kc', 'contentTag']);
  if (kind !== 'pool') throw bad('a manifest of unknown access');
  return {
    kind,
    details: detailsOf(fields),
    linkKey: bytesOf(fields['kc'], FILE_KEY_BYTES, FILE_KEY_BYTES),
    contentTag: bytesOf(fields['contentTag'], 32, 32),
  };
}

/** @throws PalmError 'bad-message'. */
export function detailsOf(fields: Readonly<Record<string, unknown>>): FileDetails {
  const name = textOf(fields['name'], MAX_NAME_BYTES);
  if (name === '') throw bad('a file without a name');
  const path = textOf(fields['path'], MAX_PATH_BYTES);
  return readDetails({ name, path, mime: textOf(fields['mime'], MAX_MIME_BYTES) });
}
