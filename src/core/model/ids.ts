// Branded identifiers. Only the validators here make them, so an id always has a checked form.

import { sha256 } from '@noble/hashes/sha2.js';
import { CID } from 'multiformats/cid';
import * as multihash from 'multiformats/hashes/digest';
import { hexOf } from './bytes.ts';
import { PalmError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** CIDv1 (raw, sha2-256) of the device's Ed25519 public key, as base32 text. */
export type DeviceId = Branded<string, 'DeviceId'>;
/** CIDv1 (raw, sha2-256) of the sealed manifest, as base32 text. */
export type FileId = Branded<string, 'FileId'>;
/** CIDv1 (dag-cbor, sha2-256) of the fragment index, as base32 text. */
export type FragmentId = Branded<string, 'FragmentId'>;
/** CIDv1 (dag-cbor, sha2-256) of a log entry's signed payload, as base32 text. */
export type EntryId = Branded<string, 'EntryId'>;
/** 16 bytes derived from the pool secret, as lower-case hex: the relay's room name. */
export type PoolId = Branded<string, 'PoolId'>;
/** 16 random bytes as lower-case hex: names a store to other devices before its file exists. */
export type JobId = Branded<string, 'JobId'>;
/**
 * Claims blocks on a device, as a fragment does: `store:` and a store's id, `pull:` and the number of a
 * taking, `repair:` and that of a repair, or `soon:`, the device that foretold a job's blocks, and the job.
 */
export type BlockOwner = Branded<string, 'BlockOwner'>;
/** SHA-256 of a block, 32 bytes. */
export type BlockHash = Branded<Uint8Array, 'BlockHash'>;

const RAW_CODE = 0x55;
const DAG_CBOR_CODE = 0x71;
const SHA2_256_CODE = 0x12;
const SHA2_256_BYTES = 32;
const JOB_ID_BYTES = 16;
/** The longest owner is a job's: a device id and a job id. */
const MAX_BLOCK_OWNER_BYTES = 255;
const REPAIR_OWNER = 'repair:';

export function deviceIdOf(publicKey: Uint8Array): DeviceId {
  return cidText(RAW_CODE, sha256(publicKey)) as DeviceId; // made here: its validator
}

export function fileIdOf(sealedManifest: Uint8Array): FileId {
  return cidText(RAW_CODE, sha256(sealedManifest)) as FileId; // made here: its validator
}

export function fragmentIdOf(fragmentIndex: Uint8Array): FragmentId {
  return cidText(DAG_CBOR_CODE, sha256(fragmentIndex)) as FragmentId; // made here: its validator
}

export function entryIdOf(payload: Uint8Array): EntryId {
  return cidText(DAG_CBOR_CODE, sha256(payload)) as EntryId; // made here: its validator
}

/** The id whose 32-byte digest lies in `bytes` at `at`: for digests that `digestOf` took from ids. */
export function deviceIdOfDigest(bytes: Uint8Array, at: number): DeviceId {
  return digestText(RAW_CODE, bytes, at) as DeviceId; // made here: its validator
}

export function fileIdOfDigest(bytes: Uint8Array, at: number): FileId {
  return digestText(RAW_CODE, bytes, at) as FileId; // made here: its validator
}

export function fragmentIdOfDigest(bytes: Uint8Array, at: number): FragmentId {
  return digestText(DAG_CBOR_CODE, bytes, at) as FragmentId; // made here: its validator
}

export function entryIdOfDigest(bytes: Uint8Array, at: number): EntryId {
  return digestText(DAG_CBOR_CODE, bytes, at) as EntryId; // made here: its validator
}

/** The 32 bytes behind an id. */
export function digestOf(id: FileId | FragmentId | EntryId | DeviceId): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(SHA2_256_BYTES);
  let [bits, bitCount, next] = [0, 0, -CID_PREFIX_BYTES];
  for (let index = 1; index < id.length; index++) {
    bits = ((bits & 0xff) << 5) | (VALUE_OF_LETTER[id.charCodeAt(index)] ?? 0);
    bitCount += 5;
    if (bitCount < 8) continue;
    bitCount -= 8;
    if (next >= 0) digest[next] = bits >>> bitCount;
    next += 1;
  }
  return digest;
}

/** @throws PalmError 'bad-message' when `value` is not a raw sha2-256 CIDv1 in base32. */
export function parseDeviceId(value: unknown): DeviceId {
  return parseCidText(value, RAW_CODE) as DeviceId; // checked by parseCidText
}

/** @throws PalmError 'bad-message' when `value` is not a raw sha2-256 CIDv1 in base32. */
export function parseFileId(value: unknown): FileId {
  return parseCidText(value, RAW_CODE) as FileId; // checked by parseCidText
}

/** @throws PalmError 'bad-message' when `value` is not a dag-cbor sha2-256 CIDv1 in base32. */
export function parseFragmentId(value: unknown): FragmentId {
  return parseCidText(value, DAG_CBOR_CODE) as FragmentId; // checked by parseCidText
}

/** @throws PalmError 'bad-message' when `value` is not a dag-cbor sha2-256 CIDv1 in base32. */
export function parseEntryId(value: unknown): EntryId {
  return parseCidText(value, DAG_CBOR_CODE) as EntryId; // checked by parseCidText
}

/** @throws PalmError 'bad-message' when `value` is not 32 hex digits. */
export function parsePoolId(value: unknown): PoolId {
  if (typeof value !== 'string' || !/^[0-9a-f]{32}$/.test(value)) {
    throw new PalmError({
      code: 'bad-message',
      what: 'record',
      detail: 'a pool id is 32 hexadecimal digits',
    });
  }
  return value as PoolId; // checked above
}

/** @throws PalmError 'bad-message' when `value` is not 16 bytes. */
export function parseJobId(value: unknown): JobId {
  if (!(value instanceof Uint8Array) || value.length !== JOB_ID_BYTES) {
    throw new PalmError({ code: 'bad-message', what: 'record', detail: 'the id of a job is 16 bytes' });
  }
  return hexOf(value) as JobId; // checked above
}

/** @throws PalmError 'bad-message' when `value` is not 32 bytes. The bytes are not copied. */
export function parseBlockHash(value: unknown): BlockHash {
  if (!(value instanceof Uint8Array) || value.length !== SHA2_256_BYTES) {
    throw new PalmError({ code: 'bad-message', what: 'record', detail: 'a block hash is 32 bytes' });
  }
  return value as BlockHash; // checked above
}

/** The blocks that a store sealed. They may outlive their page. */
export function ownerOfStore(storeId: string): BlockOwner {
  return `store:${storeId}` as BlockOwner; // made here: its validator
}

/**
 * The blocks of a fragment, or of several small ones, that are being taken. Each taking of a page has its own
 * `number`.
 */
export function ownerOfTaking(number: number): BlockOwner {
  return `pull:${number}` as BlockOwner; // made here: its validator
}

/** The blocks that repairs of the file rebuilt and staged. They may outlive their page. */
export function ownerOfRepair(file: FileId): BlockOwner {
  return `${REPAIR_OWNER}${file}` as BlockOwner; // made here: its validator
}

/** The file of `ownerOfRepair`; undefined for other owners, and for those that older versions named. */
export function fileOfRepair(owner: BlockOwner): FileId | undefined {
  if (!owner.startsWith(REPAIR_OWNER)) return undefined;
  try {
    return parseFileId(owner.slice(REPAIR_OWNER.length));
  } catch {
    return undefined; // numbered, by an older version
  }
}

/** The blocks that `from` foretold for `job` and that were prefetched. */
export function ownerOfForetold(from: DeviceId, job: JobId): BlockOwner {
  return `soon:${from}:${job}` as BlockOwner; // made here: its validator
}

/** The blocks of fragments whose rows are being read, until the fragments count them. Never on the disk. */
export function ownerOfLoading(): BlockOwner {
  return 'loading' as BlockOwner; // made here: its validator
}

/** @throws PalmError 'bad-message' when `value` is not an owner that can be on the disk. */
export function parseBlockOwner(value: unknown): BlockOwner {
  if (
    typeof value !== 'string' ||
    value.length > MAX_BLOCK_OWNER_BYTES ||
    !/^(store|pull|soon|repair):./.test(value)
  ) {
    throw new PalmError({
      code: 'bad-message',
      what: 'record',
      detail: 'an owner of blocks is its kind and a name',
    });
  }
  return value as BlockOwner; // checked above
}

/** A block hash as a map key: lower-case hex. */
export function blockKey(hash: BlockHash): string {
  return hexOf(hash);
}

/** The CID object behind an id's text, for DAG-CBOR links. */
export function cidOf(id: FileId | FragmentId | EntryId | DeviceId): CID {
  return CID.parse(id);
}

function cidText(code: number, hash: Uint8Array): string {
  return CID.createV1(code, multihash.create(SHA2_256_CODE, hash)).toString();
}

const BASE32 = Array.from('abcdefghijklmnopqrstuvwxyz234567', (letter) => letter.charCodeAt(0));
const VALUE_OF_LETTER: readonly number[] = Array.from({ length: 128 }, (_, code) => BASE32.indexOf(code));
const CID_PREFIX_BYTES = 4;
/** 36 bytes in base32 without padding, behind the prefix `b`. */
const ID_LETTERS = 59;
const letters: number[] = Array.from({ length: ID_LETTERS }, () => 'b'.charCodeAt(0));

/**
 * Like `cidText`, for a digest in a larger run of bytes, and many times as fast: a catalogue makes hundreds
 * of thousands when it opens.
 */
function digestText(code: number, bytes: Uint8Array, at: number): string {
  let [bits, bitCount, next] = [0, 0, 1];
  for (let index = -CID_PREFIX_BYTES; index < SHA2_256_BYTES; index++) {
    bits = ((bits & 0x1f) << 8) | (index < 0 ? prefixByte(code, index) : (bytes[at + index] ?? 0));
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      letters[next++] = BASE32[(bits >>> bitCount) & 0x1f] ?? 0;
    }
  }
  letters[next] = BASE32[(bits << (5 - bitCount)) & 0x1f] ?? 0;
  return String.fromCharCode(...letters);
}

/** A CIDv1's bytes before its digest, the last of which is -1. */
function prefixByte(code: number, index: number): number {
  if (index === -4) return 1;
  if (index === -3) return code;
  return index === -2 ? SHA2_256_CODE : SHA2_256_BYTES;
}

function parseCidText(value: unknown, code: number): string {
  const cid = asCid(value);
  const canonical = cid?.version === 1 ? cid.toString() : undefined;
  const fits =
    cid?.code === code &&
    cid.multihash.code === SHA2_256_CODE &&
    cid.multihash.digest.length === SHA2_256_BYTES &&
    (typeof value !== 'string' || canonical === value);
  if (!fits || canonical === undefined) {
    throw new PalmError({
      code: 'bad-message',
      what: 'record',
      detail: 'an identifier is not a CIDv1 of the expected kind',
    });
  }
  return canonical;
}

function asCid(value: unknown): CID | undefined {
  // Not CID.asCID: it also accepts maps that merely look like a CID, and a peer may send such a map.
  if (typeof value !== 'string') return value instanceof CID ? value : undefined;
  if (value.length > 128) return undefined;
  try {
    return CID.parse(value);
  } catch (cause) {
    throw new PalmError(
      { code: 'bad-message', what: 'record', detail: 'an identifier is not a CID' },
      { cause },
    );
  }
}
