// The codec worker: encryption and erasure coding off the main thread. The wasm comes from Palm's own origin.

import wasmUrl from '@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm?url';
import { expose } from 'comlink';
import { loadReedSolomon } from '../adapters/portable/reed-solomon.ts';
import { createSegmentCodec } from '../adapters/portable/segment-codec.ts';
import { PalmError } from '../core/model/errors.ts';
import type { SegmentCodec } from '../core/ports.ts';
import { createCodecService } from './codec-service.ts';

const loading = load();
// Each call that comes meets the failure and reports it; without this line a failure before the first call would also
// be an unhandled rejection.
loading.catch(() => {});
expose(createCodecService(loading));

async function load(): Promise<SegmentCodec> {
  const response = await fetch(wasmUrl);
  if (!response.ok) {
    throw new PalmError(
      'worker-failed',
      `A part of Palm could not be loaded (${response.status}). Reload the page.`,
    );
  }
  return createSegmentCodec(await loadReedSolomon(await response.arrayBuffer()));
}
