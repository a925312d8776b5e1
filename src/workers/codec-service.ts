// What the codec worker offers across its boundary. Errors do not keep their class or code when they are cloned, so every
// answer is an Outcome; and buffers are transferred both ways, so a segment is never copied between threads.

import { transfer } from 'comlink';
import { isPalmError, type PalmErrorCode } from '../core/model/errors.ts';
import type { BlockHash } from '../core/model/ids.ts';
import type { IndexedBlock, SegmentCodec, SegmentParameters } from '../core/ports.ts';

export type Outcome<Value> =
  | { readonly kind: 'done'; readonly value: Value }
  | { readonly kind: 'failed'; readonly code: PalmErrorCode; readonly message: string };

/** See SegmentCodec; whatever fails there is an Outcome here, and nothing is thrown. */
export interface CodecService {
  seal(
    parameters: SegmentParameters,
    plain: Uint8Array<ArrayBuffer>,
    plainHash: Uint8Array,
  ): Promise<Outcome<{ blocks: Uint8Array<ArrayBuffer>[]; hashes: BlockHash[] }>>;
  open(
    parameters: SegmentParameters,
    blocks: readonly IndexedBlock[],
    plainBytes: number,
  ): Promise<Outcome<Uint8Array<ArrayBuffer>>>;
}

/** Serves `loading` once it is there; while it is not, or never comes, calls wait or fail with it. */
export function createCodecService(loading: Promise<SegmentCodec>): CodecService {
  return {
    async seal(parameters, plain, plainHash) {
      const outcome = await outcomeOf(async () => (await loading).seal(parameters, plain, plainHash));
      const blocks = outcome.kind === 'done' ? outcome.value.blocks : [];
      return transfer(
        outcome,
        blocks.map((block) => block.buffer),
      );
    },
    async open(parameters, blocks, plainBytes) {
      const outcome = await outcomeOf(async () => (await loading).open(parameters, blocks, plainBytes));
      return transfer(outcome, outcome.kind === 'done' ? [outcome.value.buffer] : []);
    },
  };
}

async function outcomeOf<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    if (isPalmError(error)) return { kind: 'failed', code: error.code, message: error.message };
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { kind: 'failed', code: 'worker-failed', message };
  }
}
