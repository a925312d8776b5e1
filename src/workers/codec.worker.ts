// The codec worker: encryption and erasure coding off the main thread. The wasm comes from Palm's own origin,
// and only the module that this engine runs.

import portableUrl from '@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm?url';
import { expose } from 'comlink';
import { BufferPool } from '../adapters/portable/buffer-pool.ts';
import { loadErasureCode } from '../adapters/portable/erasure-code.ts';
import { createSegmentCodec } from '../adapters/portable/segment-codec.ts';
import { PalmError } from '../core/model/errors.ts';
import type { SegmentCodec } from '../core/ports.ts';
import relaxedUrl from '../wasm/build/kernel-relaxed.wasm?url';
import simdUrl from '../wasm/build/kernel-simd.wasm?url';
import { createCodecService } from '../adapters/browser/codec/codec-service.ts';

const loading = load();
// Each call meets the failure and reports it; without this line a failure before the first call would also be
// an unhandled rejection.
loading.catch(() => {});
expose(createCodecService(loading));

async function load(): Promise<SegmentCodec> {
  const code = await loadErasureCode({
    relaxedBytes: () => fetchBytes(relaxedUrl),
    simdBytes: () => fetchBytes(simdUrl),
    portableBytes: () => fetchBytes(portableUrl),
  });
  return createSegmentCodec(code, new BufferPool());
}

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new PalmError({ code: 'worker-failed', reason: 'not-loaded', status: response.status });
  }
  return response.arrayBuffer();
}
