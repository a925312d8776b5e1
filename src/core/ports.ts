// What core and runtime need from the platform. Adapters implement these, and so does the simulator. Bytes
// move through ports under an AbortSignal. Unless a line says otherwise, a callee neither keeps nor changes
// the buffers it is given, and the caller owns what it gets back.

import type { DeviceLock } from './lock-port.ts';
import type { ExchangeKey, ExchangePair } from './model/exchange-key.ts';
import type { Geometry } from './model/geometry.ts';
import type { BlockHash, BlockOwner, DeviceId, EntryId, FileId, FragmentId } from './model/ids.ts';
import type { MonotonicMs, WallMs } from './model/time.ts';

/** Time. Core never reads it; runtime and adapters do, through this. */
export interface Clock {
  /** For waits, deadlines, rates and everything else within a page's life. */
  monotonicMs(): MonotonicMs;
  /** For what outlives the page, and for people. Whole ms. */
  wallMs(): WallMs;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

export interface Random {
  /** `length` bytes from the platform's cryptographic source. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** Memory for bytes that move, to be reused. */
export interface Memory {
  /** `byteCount` bytes, which the caller owns; their content is unspecified. */
  take(byteCount: number): Uint8Array<ArrayBuffer>;
  /** Ends the use of a buffer, wherever it came from: nobody may touch it afterwards. */
  give(bytes: Uint8Array<ArrayBuffer>): void;
}

export interface SigningPair {
  readonly privateKey: Uint8Array<ArrayBuffer>;
  readonly publicKey: Uint8Array;
}

/** Cryptography on small values; bulk segments go through SegmentCodec. */
export interface Cryptography {
  /** Ed25519 (RFC 8032). Never throws on a malformed key or signature: returns false. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
  sha256(bytes: Uint8Array): Promise<Uint8Array>;
  /** A new Ed25519 key pair (RFC 8032), 32 bytes each. The caller owns both. */
  newSigningPair(): Promise<SigningPair>;
  /** Signs with such a pair. The public half is given: not every engine makes it from the private one. */
  signerOf(pair: SigningPair): Promise<Signer>;
  /** AES-256-GCM; nonce of 12 bytes; returns ciphertext followed by the 16-byte tag. */
  seal(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    plain: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer>>;
  /** The reverse of `seal`; undefined when the tag does not fit. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** A new pair on P-256. Unlike an Identity's, its private half can be kept as bytes. */
  newExchangePair(): Promise<ExchangePair>;
  /** ECDH on P-256 (SEC 1, 3.3.1): the 32 bytes that both ends of an exchange get. */
  agree(own: ExchangePair, other: ExchangeKey): Promise<Uint8Array>;
}

/** An Ed25519 key that signs. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Ed25519 signature of 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** This device's Ed25519 key. The private half never leaves the adapter. */
export interface Identity extends Signer {
  /** False of a key of an earlier version, which a lock does not cover. Default: true. */
  readonly isLockable?: boolean;
  readonly deviceId: DeviceId;
}

/** A block as it arrived from elsewhere. */
export interface ArrivedBlock {
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What its SHA-256 must be; undefined when that was checked already. */
  readonly hash?: BlockHash | undefined;
}

/** The outcome of opening blocks. */
export type Opening =
  | { readonly kind: 'opened'; readonly plain: Uint8Array<ArrayBuffer> }
  /** Some do not match their hashes. `sound` does, and the caller owns those blocks again. */
  | { readonly kind: 'unsound'; readonly sound: readonly Pick<ArrivedBlock, 'index' | 'bytes'>[] };

/** A block that was computed from others of its segment. It equals the one that was made at the start. */
export interface RebuiltBlock {
  readonly index: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly hash: BlockHash;
}

/** The outcome of rebuilding blocks. */
export type Rebuilding =
  | { readonly kind: 'rebuilt'; readonly blocks: readonly RebuiltBlock[] }
  /** See Opening. */
  | { readonly kind: 'unsound'; readonly sound: readonly Pick<ArrivedBlock, 'index' | 'bytes'>[] };

/** The n blocks of a segment, each in a buffer of its own, so that it can be transferred or stored alone. */
export interface SealedSegment {
  /** SHA-256 of the plaintext. */
  readonly plainHash: Uint8Array;
  readonly blocks: readonly Uint8Array<ArrayBuffer>[];
  readonly hashes: readonly BlockHash[];
}

/** What one segment is sealed and coded under; the same values open it. */
export interface SegmentParameters {
  /** The file's 32-byte data key (DEK). */
  readonly key: Uint8Array;
  /** The file's 32-byte salt; part of the AAD. */
  readonly salt: Uint8Array;
  readonly segmentIndex: number;
  readonly segmentCount: number;
  readonly k: number;
  readonly n: number;
}

/** Seals and codes whole segments, off the main thread where there is one. */
export interface SegmentCodec {
  /** SHA-256 of a plaintext segment. Takes ownership of `plain`. */
  hash(plain: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * AES-256-GCM, then Reed-Solomon: n blocks of ceil((plain.length + 16) / k) bytes, their SHA-256 hashes,
   * and that of `plain`. Takes ownership of `plain` (its buffer may be transferred). `plainHash`, if given,
   * is checked first. `into`, if given, is memory for the n blocks; they take ownership of it.
   * @throws PalmError 'source-changed' when the plaintext's SHA-256 is not `plainHash`.
   */
  seal(
    parameters: SegmentParameters,
    plain: Uint8Array<ArrayBuffer>,
    plainHash: Uint8Array | undefined,
    signal?: AbortSignal,
    into?: readonly Uint8Array<ArrayBuffer>[],
  ): Promise<SealedSegment>;
  /**
   * The plaintext segment from any k of its n blocks, all of which were found to match their hashes. Takes
   * ownership of the blocks' buffers.
   * @throws PalmError 'corrupt' when the tag does not fit.
   */
  open(
    parameters: SegmentParameters,
    blocks: readonly ArrivedBlock[],
    plainBytes: number,
    signal?: AbortSignal,
  ): Promise<Opening>;
  /**
   * The blocks `wanted` of a segment (indices in 0..n-1, none of them in `blocks`) from any k others. k is
   * the number of `blocks`. Needs no key. Takes ownership of the blocks' buffers.
   */
  rebuild(
    blocks: readonly ArrivedBlock[],
    wanted: readonly number[],
    signal?: AbortSignal,
  ): Promise<Rebuilding>;
  /** Ends the workers, if any. */
  close(): void;
}

/** A fragment whose every block and index are durable here. */
export interface StoredFragment {
  readonly fragmentId: FragmentId;
  readonly fileId: FileId;
  /** i in 0..n-1. */
  readonly fragment: number;
  /** Sum of its blocks' lengths. */
  readonly blockBytes: number;
}

/** A fragment to make. */
export interface NewFragment {
  readonly stored: StoredFragment;
  /** Its encoded fragment index. */
  readonly indexBytes: Uint8Array;
  /** That index's blocks, in order. */
  readonly hashes: readonly BlockHash[];
}

/** Asks to keep blocks beyond their page. */
export interface Keep {
  /** Their number, the owner's own. */
  readonly as: number;
  /**
   * 32 bytes of the owner's that are kept with them: of a store, the SHA-256 of the segment that they seal;
   * of a repair, which fragments they belong to.
   */
  readonly note: Uint8Array;
}

/** Blocks that were kept. */
export interface Kept {
  readonly note: Uint8Array;
  /** Their hashes in the order of the call; undefined when one of the blocks is no longer here. */
  readonly blocks: readonly BlockHash[] | undefined;
}

/**
 * Blocks and fragments on this device. Blocks are kept by hash and counted by owner: a fragment, or a
 * BlockOwner, which is still writing. Blocks are written first; a durable `commit` of the fragment index
 * makes the fragment exist. Every method throws PalmError 'storage-full' when the quota is met (the call's
 * whole transaction is undone) and 'storage-failed' when the database fails.
 */
export interface FragmentStore {
  /**
   * Writes blocks for `owner`, all or none. Takes ownership of their buffers. 'claimed' blocks are checked
   * against their hashes first; the hashes of 'computed' ones come from these very bytes. The owner's claim
   * ends with this page at the latest. With `keep`, the claim on these blocks survives, and `kept` finds
   * them: this is durable ('strict') when the call resolves, and no method returns one of these blocks
   * earlier.
   * @throws PalmError 'corrupt' when bytes do not match their hash, 'refused' when another note was kept
   * under the number.
   */
  putBlocks(
    owner: BlockOwner,
    blocks: readonly { hash: BlockHash; bytes: Uint8Array<ArrayBuffer> }[],
    hashes: 'claimed' | 'computed',
    keep?: Keep,
  ): Promise<void>;
  /** All blocks that `owner` kept, by number; none when any of them is damaged. */
  kept(owner: BlockOwner): Promise<Map<number, Kept>>;
  /**
   * A block, checked against its hash. Undefined when absent. `into`, if given, is memory of BLOCK_BYTES or
   * more for the block to lie in; the callee takes ownership of it.
   * @throws PalmError 'corrupt'; the block is dropped then.
   */
  getBlock(hash: BlockHash, into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Which of `hashes` are present, in order. */
  hasBlocks(hashes: readonly BlockHash[]): Promise<boolean[]>;
  /**
   * Makes the fragments exist (durability 'strict'), all or none. Their blocks must be present. Idempotent.
   * @throws PalmError 'storage-failed' when a block is missing, 'corrupt' when an index does not match its
   * id.
   */
  commit(fragments: readonly NewFragment[]): Promise<void>;
  /** The encoded fragment index; undefined when the fragment is not here. */
  getIndex(fragmentId: FragmentId): Promise<Uint8Array<ArrayBuffer> | undefined>;
  list(): Promise<StoredFragment[]>;
  /**
   * Removes fragments, and each block that no other owner counts. Erases their indexes where the platform can
   * overwrite in place. Ignores unknown ids.
   */
  drop(fragmentIds: readonly FragmentId[]): Promise<void>;
  /**
   * Ends the owner's claim on its blocks, kept ones included. Deletes those that no other owner counts, and
   * erases the owner's hashes.
   */
  release(owner: BlockOwner): Promise<void>;
  /** The owners that claim blocks; at the start, those that kept some. */
  owners(): Promise<BlockOwner[]>;
  /** Removes everything. */
  clear(): Promise<void>;
}

/** A signed catalogue record as it is stored and sent (FORMATS.md, log entry). */
export interface StoredRecord {
  readonly entryId: EntryId;
  readonly deviceId: DeviceId;
  readonly seq: number;
  readonly bytes: Uint8Array;
}

/** Small durable state: the catalogue's records, the outbox, and named values. */
export interface RecordStore {
  /** Appends records in one strict transaction. Idempotent by entryId. */
  putRecords(records: readonly StoredRecord[]): Promise<void>;
  /** Removes records, in the order of these calls and of `putRecords`. Ignores unknown ids. */
  dropRecords(entryIds: readonly EntryId[]): Promise<void>;
  /** All records by (deviceId, seq). */
  loadRecords(): Promise<StoredRecord[]>;
  /** Files whose fragments this device is still placing. */
  loadOutbox(): Promise<FileId[]>;
  putOutbox(fileId: FileId): Promise<void>;
  dropOutbox(fileId: FileId): Promise<void>;
  /** Named values, structured-cloneable; undefined when absent. They come back unchecked: decode them. */
  getMeta(name: string): Promise<unknown>;
  putMeta(name: string, value: unknown): Promise<void>;
  dropMeta(name: string): Promise<void>;
  /** Removes everything but the device identity. */
  clear(): Promise<void>;
}

/**
 * Small values that can be erased: once `put` replaced one, or `clear` resolved, nothing on the disk opens
 * the old value, where the platform can overwrite in place. Every method throws PalmError 'storage-full' or
 * 'storage-failed'.
 */
export interface SecretStore {
  /** Undefined when there is none. @throws PalmError also 'corrupt' when it is damaged. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Durable ('strict') when it resolves. */
  put(name: string, secret: Uint8Array): Promise<void>;
  /** Removes everything. */
  clear(): Promise<void>;
}

/**
 * A file that a later page can open again, where the platform supports this (FileSystemFileHandle).
 * Structured-cloneable.
 */
export interface SourceHandle {
  readonly kind: 'file';
  readonly name: string;
}

/** What a store needs, besides what it kept, to continue after its page is gone. */
export interface UnfinishedStore extends Geometry {
  /** 32 lower-case hex digits. `ownerOfStore` of it claims its blocks. */
  readonly storeId: string;
  readonly name: string;
  readonly path: string;
  readonly mime: string;
  readonly modifiedMs: number;
  readonly isPrivate: boolean;
  /** Kc, Kq and the salt, 32 bytes each. */
  readonly linkKey: Uint8Array<ArrayBuffer>;
  readonly sharedKey: Uint8Array<ArrayBuffer>;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly handle: SourceHandle | undefined;
  /** Ms since the Unix epoch. */
  readonly begunAtMs: number;
}

/**
 * Stores that have begun and are not published yet. A private file's handle may not come back, because it has
 * the file's name. Every method throws PalmError 'storage-full' or 'storage-failed'.
 */
export interface StoreJournal {
  /** The oldest first. Rows that do not decode are removed and counted. */
  load(): Promise<{ readonly stores: readonly UnfinishedStore[]; readonly damagedCount: number }>;
  /** Durable ('strict') when it resolves. Replaces an earlier row of the same id. */
  put(store: UnfinishedStore): Promise<void>;
  /**
   * Removes the store. Erases its keys and names where the platform can overwrite in place. Ignores unknown
   * ids.
   */
  end(storeId: string): Promise<void>;
  /** Removes everything. */
  clear(): Promise<void>;
}

/** Everything on a device that is erasable, and the blocks, under one owner. */
export interface DeviceStore {
  readonly fragments: FragmentStore;
  readonly journal: StoreJournal;
  readonly secrets: SecretStore;
  readonly lock: DeviceLock;
}

/** A file being stored: `size` bytes, readable more than once. */
export interface ByteSource {
  readonly size: number;
  /** Whether the platform fails reads of bytes that changed. Otherwise only a second reading can tell. */
  readonly noticesChanges: boolean;
  /** @throws PalmError 'source-changed' when the platform knows that the file changed after it was chosen. */
  checkUnchanged(): Promise<void>;
  /** Bytes start..end-1. @throws PalmError 'source-changed' when they can no longer be read whole. */
  read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}
