// What the codec worker offers across its boundary: Outcomes, and buffers that are transferred both ways, so
// that no segment is copied between threads.

import { transfer } from 'comlink';
import { buffersOf } from '../threads/buffers.ts';
import type {
  ArrivedBlock,
  Opening,
  Rebuilding,
  SealedSegment,
  SegmentCodec,
  SegmentParameters,
} from '../../../core/ports.ts';
import { outcomeOf, type Outcome } from '../threads/outcome.ts';

/** See SegmentCodec. Every failure there is an Outcome here; nothing is thrown. */
export interface CodecService {
  hash(plain: Uint8Array<ArrayBuffer>): Promise<FromPlain<Uint8Array>>;
  seal(
    parameters: SegmentParameters,
    plain: Uint8Array<ArrayBuffer>,
    plainHash: Uint8Array | undefined,
    into: readonly Uint8Array<ArrayBuffer>[],
  ): Promise<FromPlain<SealedSegment>>;
  open(
    parameters: SegmentParameters,
    blocks: readonly ArrivedBlock[],
    plainBytes: number,
  ): Promise<FromBlocks<Opening>>;
  rebuild(blocks: readonly ArrivedBlock[], wanted: readonly number[]): Promise<FromBlocks<Rebuilding>>;
}

/** The result of sealing a plaintext. */
export interface FromPlain<Value> {
  readonly outcome: Outcome<Value>;
  /** The plaintext's memory, to be used again. */
  readonly spent: Uint8Array<ArrayBuffer>;
}

/** What became of the blocks of a segment. */
export interface FromBlocks<Value> {
  readonly outcome: Outcome<Value>;
  /** Memory of blocks that are no longer needed, to be used again. */
  readonly spent: readonly Uint8Array<ArrayBuffer>[];
}

/** Serves `loading` once it is there. Until then calls wait; if it fails, they fail with it. */
export function createCodecService(loading: Promise<SegmentCodec>): CodecService {
  return {
    async hash(plain) {
      const outcome = await outcomeOf(async () => (await loading).hash(plain));
      return transfer({ outcome, spent: plain }, [plain.buffer]);
    },
    async seal(parameters, plain, plainHash, into) {
      const outcome = await outcomeOf(async () =>
        (await loading).seal(parameters, plain, plainHash, undefined, into),
      );
      const blocks = outcome.kind === 'done' ? outcome.value.blocks : [];
      return transfer({ outcome, spent: plain }, buffersOf([plain, ...blocks]));
    },
    async open(parameters, blocks, plainBytes) {
      const outcome = await outcomeOf(async () => (await loading).open(parameters, blocks, plainBytes));
      return fromBlocks(blocks, outcome);
    },
    async rebuild(blocks, wanted) {
      const outcome = await outcomeOf(async () => (await loading).rebuild(blocks, wanted));
      return fromBlocks(blocks, outcome);
    },
  };
}

function fromBlocks<Value extends Opening | Rebuilding>(
  blocks: readonly ArrivedBlock[],
  outcome: Outcome<Value>,
): FromBlocks<Value> {
  const answered = outcome.kind === 'done' ? bytesIn(outcome.value) : [];
  const spent = blocks.map(({ bytes }) => bytes).filter((bytes) => !answered.includes(bytes));
  return transfer({ outcome, spent }, buffersOf([...answered, ...spent]));
}

function bytesIn(result: Opening | Rebuilding): Uint8Array<ArrayBuffer>[] {
  switch (result.kind) {
    case 'opened':
      return [result.plain];
    case 'rebuilt':
      return result.blocks.map(({ bytes }) => bytes);
    case 'unsound':
      return result.sound.map(({ bytes }) => bytes);
  }
}
