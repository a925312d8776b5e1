// SegmentCodec in the thread that calls it: WebCrypto for AES-256-GCM and SHA-256, an ErasureCode for parity.
// The format is FORMATS.md, "Segments":
//
//   plain --AES-256-GCM--> plain + 16 bytes --zero-padded--> k blocks --Reed-Solomon--> n blocks
//
// Invariant: where the plaintext's expected hash is given, nothing is encrypted before the hash was found to
// match, because a (key, nonce) pair may seal one plaintext only, and the nonce is the segment's index (NIST
// SP 800-38D, section 8: uniqueness). Where none is given, the caller ensures that nothing else leaves the
// device under this key and index.

import { discard, equalBytes } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { sealedBlockBytes } from '../../core/model/geometry.ts';
import { type BlockHash, parseBlockHash } from '../../core/model/ids.ts';
import {
  BLOCK_BYTES,
  GCM_TAG_BYTES,
  MAX_FRAGMENT_COUNT,
  MAX_SEGMENT_COUNT,
} from '../../core/model/limits.ts';
import type { ErasureCode, IndexedBlock } from '../../core/coding/erasure-code.ts';
import type {
  ArrivedBlock,
  Memory,
  Opening,
  Rebuilding,
  SealedSegment,
  SegmentCodec,
  SegmentParameters,
} from '../../core/ports.ts';
import { encodeCbor } from '../../core/encoding/decode.ts';

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const NONCE_BYTES = 12;

interface OwnBlock extends IndexedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * A codec over `code` and `globalThis.crypto.subtle`; ciphertext of a segment is put together in `memory`.
 * Aborts are noticed between its steps. In addition to the errors in `SegmentCodec`: 'bad-argument' for
 * parameters out of range, 'cancelled' after an abort.
 */
export function createSegmentCodec(code: ErasureCode, memory: Memory): SegmentCodec {
  return {
    async hash(plain, signal) {
      checkNotAborted(signal);
      return sha256(plain);
    },
    seal: (parameters, plain, plainHash, signal, into) =>
      seal(code, parameters, plain, plainHash, signal, into),
    open: (parameters, blocks, plainBytes, signal) =>
      open(code, memory, parameters, blocks, plainBytes, signal),
    rebuild: (blocks, wanted, signal) => rebuild(code, memory, blocks, wanted, signal),
    close() {},
  };
}

async function seal(
  code: ErasureCode,
  parameters: SegmentParameters,
  plain: Uint8Array<ArrayBuffer>,
  expectedHash: Uint8Array | undefined,
  signal: AbortSignal | undefined,
  into: readonly Uint8Array<ArrayBuffer>[] | undefined,
): Promise<SealedSegment> {
  checkParameters(parameters, plain.length);
  checkNotAborted(signal);
  const plainHash = await sha256(plain);
  if (expectedHash !== undefined && !equalBytes(plainHash, expectedHash)) {
    throw new PalmError({ code: 'source-changed', reason: 'while-sealed' });
  }
  const key = await importKey(parameters.key, 'encrypt');
  const sealed = await crypto.subtle.encrypt(gcmOf(parameters), key, plain);
  checkNotAborted(signal);

  const { k, n } = parameters;
  const blocks = blocksFor(new Uint8Array(sealed), k, n, into);
  discard(new Uint8Array(sealed));
  const hashes = k === 1 ? await mirrored(blocks) : await coded(code, blocks, k);
  checkNotAborted(signal);
  return { plainHash, blocks: blocks.map(({ bytes }) => bytes), hashes };
}

/** Derives the parity of k blocks, the first ones; returns the hashes of all. */
function coded(code: ErasureCode, blocks: readonly OwnBlock[], k: number): Promise<BlockHash[]> {
  code.derive(blocks.slice(0, k), blocks.slice(k));
  return Promise.all(blocks.map(({ bytes }) => blockHashOf(bytes)));
}

/** The same of a mirror: all of its blocks are the first one. */
async function mirrored([first, ...others]: readonly OwnBlock[]): Promise<BlockHash[]> {
  if (first === undefined) throw new Error('n is at least k');
  for (const { bytes } of others) bytes.set(first.bytes);
  const hash = await blockHashOf(first.bytes);
  return [hash, ...others.map(() => hash)];
}

async function open(
  code: ErasureCode,
  memory: Memory,
  parameters: SegmentParameters,
  blocks: readonly ArrivedBlock[],
  plainBytes: number,
  signal: AbortSignal | undefined,
): Promise<Opening> {
  checkParameters(parameters, plainBytes);
  checkNotAborted(signal);
  const sound = await soundOf(blocks);
  if (sound.length < blocks.length) return { kind: 'unsound', sound };
  checkNotAborted(signal);
  const { k, n } = parameters;
  const sealedBytes = plainBytes + GCM_TAG_BYTES;
  const blockBytes = sealedBlockBytes(plainBytes, k);
  // The file's maker chose its block hashes, so a block that matches its hash may still have any length.
  if (blocks.some((block) => block.bytes.length !== blockBytes)) {
    throw corrupt(parameters, `its blocks do not have ${blockBytes} bytes`);
  }
  const whole = mirrorOf(blocks, k, n);
  const data = whole ?? code.decode(blocks, k, n, memory.take(k * blockBytes));
  if (data.subarray(sealedBytes).some((byte) => byte !== 0))
    throw corrupt(parameters, 'its padding is not zero');

  const key = await importKey(parameters.key, 'decrypt');
  checkNotAborted(signal);
  try {
    const plain = await crypto.subtle.decrypt(gcmOf(parameters), key, data.subarray(0, sealedBytes));
    if (data !== whole) memory.give(data);
    return { kind: 'opened', plain: new Uint8Array(plain) };
  } catch (cause) {
    throw corrupt(parameters, 'its authentication tag does not fit', cause);
  }
}

/** A mirror's block, which is its segment; it stays the caller's. */
function mirrorOf(
  blocks: readonly ArrivedBlock[],
  k: number,
  n: number,
): Uint8Array<ArrayBuffer> | undefined {
  const [only, ...others] = blocks;
  return k === 1 && others.length === 0 && only !== undefined && isWithin(only.index, 0, n - 1)
    ? only.bytes
    : undefined;
}

/** Sealed blocks are enough: the code is linear in them, so the lost ones come back byte by byte. */
async function rebuild(
  code: ErasureCode,
  memory: Memory,
  blocks: readonly ArrivedBlock[],
  wanted: readonly number[],
  signal: AbortSignal | undefined,
): Promise<Rebuilding> {
  checkNotAborted(signal);
  const sound = await soundOf(blocks);
  if (sound.length < blocks.length) return { kind: 'unsound', sound };
  checkNotAborted(signal);
  const blockBytes = blocks[0]?.bytes.length ?? 0;
  const targets = wanted.map((index) => ({ index, bytes: memory.take(blockBytes) }));
  code.derive(blocks, targets);
  const rebuilt = targets.map(async ({ index, bytes }) => ({ index, bytes, hash: await blockHashOf(bytes) }));
  return { kind: 'rebuilt', blocks: await Promise.all(rebuilt) };
}

function gcmOf(parameters: SegmentParameters): AesGcmParams {
  const { salt, segmentIndex, segmentCount, k, n } = parameters;
  const nonce = new Uint8Array(NONCE_BYTES);
  // 96 bits, big-endian; the index has at most 32.
  new DataView(nonce.buffer).setUint32(NONCE_BYTES - 4, segmentIndex);
  return {
    name: 'AES-GCM',
    iv: nonce,
    additionalData: encodeCbor([salt, segmentIndex, segmentCount, k, n]),
    tagLength: GCM_TAG_BYTES * 8,
  };
}

function importKey(key: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', new Uint8Array(key), 'AES-GCM', false, [usage]);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

/** Those of `blocks` that match their hashes. */
async function soundOf(
  blocks: readonly ArrivedBlock[],
): Promise<readonly Pick<ArrivedBlock, 'index' | 'bytes'>[]> {
  const areSound = await Promise.all(blocks.map(isSound));
  return blocks.filter((_, at) => areSound[at]).map(({ index, bytes }) => ({ index, bytes }));
}

async function isSound({ bytes, hash }: ArrivedBlock): Promise<boolean> {
  return hash === undefined || equalBytes(await sha256(bytes), hash);
}

async function blockHashOf(block: Uint8Array<ArrayBuffer>): Promise<BlockHash> {
  return parseBlockHash(await sha256(block));
}

/** The n blocks of a segment, each with a buffer of its own: k with `sealed` in them, the rest for parity. */
function blocksFor(
  sealed: Uint8Array,
  k: number,
  n: number,
  into: readonly Uint8Array<ArrayBuffer>[] = [],
): OwnBlock[] {
  const blockBytes = Math.ceil(sealed.length / k);
  return Array.from({ length: n }, (_, index) => {
    const bytes = into[index] ?? new Uint8Array(blockBytes);
    if (bytes.length !== blockBytes) throw new RangeError('memory for blocks of another length');
    if (index < k) {
      const part = sealed.subarray(index * blockBytes, (index + 1) * blockBytes);
      bytes.set(part);
      bytes.fill(0, part.length);
    }
    return { index, bytes };
  });
}

function checkParameters(parameters: SegmentParameters, plainBytes: number): void {
  const { key, salt, segmentIndex, segmentCount, k, n } = parameters;
  const fits =
    key.length === KEY_BYTES &&
    salt.length === SALT_BYTES &&
    isWithin(k, 1, n) &&
    isWithin(n, k, MAX_FRAGMENT_COUNT) &&
    isWithin(segmentCount, 1, MAX_SEGMENT_COUNT) &&
    isWithin(segmentIndex, 0, segmentCount - 1) &&
    isWithin(plainBytes, 0, k * BLOCK_BYTES - GCM_TAG_BYTES);
  if (!fits) {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `segment ${segmentIndex} of ${segmentCount} with ${plainBytes} bytes, k = ${k}, n = ${n}`,
    });
  }
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function checkNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new PalmError({ code: 'cancelled', reason: 'not-wanted' }, { cause: signal.reason });
  }
}

function corrupt(parameters: SegmentParameters, why: string, cause?: unknown): PalmError {
  const { segmentIndex, segmentCount } = parameters;
  return new PalmError(
    { code: 'corrupt', reason: 'segment', segment: segmentIndex, segmentCount, detail: why },
    {
      cause,
    },
  );
}
