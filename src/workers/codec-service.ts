// What the codec worker offers across its boundary: Outcomes, and buffers that are transferred both ways, so that a segment is
// never copied between threads.

import { transfer } from 'comlink';
import { buffersOf } from './buffers.ts';
import { discard } from '../core/model/bytes.ts';
import type { BlockHash } from '../core/model/ids.ts';
import type { IndexedBlock, SegmentCodec, SegmentParameters } from '../core/ports.ts';
import { outcomeOf, type Outcome } from './outcome.ts';

/** See SegmentCodec; whatever fails there is an Outcome here, and nothing is thrown. */
export interface CodecService {
  hash(plain: Uint8Array<ArrayBuffer>): Promise<Outcome<Uint8Array>>;
  check(
    block: Uint8Array<ArrayBuffer>,
    hash: BlockHash,
  ): Promise<Outcome<Uint8Array<ArrayBuffer> | undefined>>;
  seal(
    parameters: SegmentParameters,
    plain: Uint8Array<ArrayBuffer>,
    plainHash: Uint8Array,
  ): Promise<Outcome<{ blocks: Uint8Array<ArrayBuffer>[]; hashes: BlockHash[] }>>;
  open(
    parameters: SegmentParameters,
    blocks: readonly IndexedBlock[],
    plainBytes: number,
  ): Promise<OpenAnswer>;
}

/** The segment, and the blocks' memory, to be used again. */
export interface OpenAnswer {
  readonly opened: Outcome<Uint8Array<ArrayBuffer>>;
  readonly spent: readonly Uint8Array<ArrayBuffer>[];
}

/** Serves `loading` once it is there; while it is not, or never comes, calls wait or fail with it. */
export function createCodecService(loading: Promise<SegmentCodec>): CodecService {
  return {
    async hash(plain) {
      const outcome = await outcomeOf(async () => (await loading).hash(plain));
      discard(plain);
      return outcome;
    },
    async check(block, hash) {
      const outcome = await outcomeOf(async () => (await loading).check(block, hash));
      const isSound = outcome.kind === 'done' && outcome.value !== undefined;
      if (!isSound) discard(block);
      return transfer(outcome, isSound ? [block.buffer] : []);
    },
    async seal(parameters, plain, plainHash) {
      const outcome = await outcomeOf(async () => (await loading).seal(parameters, plain, plainHash));
      discard(plain);
      const blocks = outcome.kind === 'done' ? outcome.value.blocks : [];
      return transfer(
        outcome,
        blocks.map(({ buffer }) => buffer),
      );
    },
    async open(parameters, blocks, plainBytes) {
      const opened = await outcomeOf(async () => (await loading).open(parameters, blocks, plainBytes));
      const spent = blocks.map(({ bytes }) => bytes).filter(isOwn);
      const plain = opened.kind === 'done' ? [opened.value.buffer] : [];
      return transfer({ opened, spent }, [...plain, ...buffersOf(spent)]);
    },
  };
}

/** Blocks arrive by transfer: their buffers are nobody else's. */
function isOwn(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}
