// The erasure code and the segment codec under Node, with the wasm from node_modules.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadReedSolomon } from '../../src/adapters/portable/reed-solomon.ts';
import { createSegmentCodec } from '../../src/adapters/portable/segment-codec.ts';
import type { SegmentCodec } from '../../src/core/ports.ts';
import { dirtyMemory } from '../dirty-memory.ts';

export function reedSolomonWasm(): Uint8Array<ArrayBuffer> {
  const { resolve } = createRequire(import.meta.url);
  return new Uint8Array(
    readFileSync(resolve('@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm')),
  );
}

export async function loadNodeCodec(): Promise<SegmentCodec> {
  return createSegmentCodec(await loadReedSolomon(reedSolomonWasm()), dirtyMemory);
}
