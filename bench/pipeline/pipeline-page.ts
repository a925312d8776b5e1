// The page's side of the pipeline bench: the codec pool as the app opens it, used as a store and a read use
// it.

import { openCodecPool } from '../../src/adapters/portable/codec/codec-pool.ts';
import { loadParts } from '../../src/ui/loaded-parts.ts';
import { geometryOf, segmentBytesOf } from '../../src/core/model/geometry.ts';
import type { IndexedBlock } from '../../src/core/coding/erasure-code.ts';
import type { SegmentParameters } from '../../src/core/ports.ts';

export interface PipelinePage {
  /** Hashes, seals, codes and hashes the blocks of `segmentCount` segments; ms. */
  seal(segmentCount: number): Promise<number>;
  /** Opens as many segments from their last k blocks, so all data blocks must be computed; ms. */
  open(segmentCount: number): Promise<number>;
}

declare global {
  interface Window {
    pipelinePage: PipelinePage;
  }
}

const K = 4;
const N = 8;
const SEGMENT_BYTES = segmentBytesOf(geometryOf(0, K, N));
/** As many as a store works on at a time. */
const LANES = 3;

const { startCodecWorker } = await loadParts();
const codec = openCodecPool({ createWorker: startCodecWorker });
const key = crypto.getRandomValues(new Uint8Array(32));
const salt = crypto.getRandomValues(new Uint8Array(32));
const plain = new Uint8Array(SEGMENT_BYTES);
for (let at = 0; at < plain.length; at += 65_536) crypto.getRandomValues(plain.subarray(at, at + 65_536));

window.pipelinePage = {
  seal: (segmentCount) =>
    timed(segmentCount, async (segmentIndex) => {
      const { blocks, hashes } = await sealed(segmentIndex, segmentCount);
      if (blocks.length !== N || hashes.length !== N) throw new Error('a block for each fragment');
    }),
  async open(segmentCount) {
    const { blocks } = await sealed(0, 1);
    const last = blocks.map((bytes, index): IndexedBlock => ({ index, bytes })).slice(-K);
    return timed(segmentCount, async () => {
      // The codec takes the blocks' buffers.
      const copies = last.map(({ index, bytes }) => ({ index, bytes: bytes.slice() }));
      const opened = await codec.open(parametersOf(0, 1), copies, SEGMENT_BYTES);
      if (opened.kind !== 'opened' || opened.plain.length !== SEGMENT_BYTES)
        throw new Error('a whole segment');
    });
  },
};

function sealed(segmentIndex: number, segmentCount: number): ReturnType<typeof codec.seal> {
  // As a store seals bytes that it reads once. The codec takes the buffer.
  return codec.seal(parametersOf(segmentIndex, segmentCount), plain.slice(), undefined);
}

function parametersOf(segmentIndex: number, segmentCount: number): SegmentParameters {
  return { key, salt, segmentIndex, segmentCount, k: K, n: N };
}

async function timed(segmentCount: number, work: (segmentIndex: number) => Promise<void>): Promise<number> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < segmentCount) await work(next++);
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: LANES }, lane));
  return performance.now() - startMs;
}
