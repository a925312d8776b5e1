// The codec worker: encryption and erasure coding off the main thread. Its first message is the compiled
// erasure kernel, so that a worker which starts late fetches nothing.

import { expose } from 'comlink';
import { createCodecService } from '../adapters/portable/codec/codec-service.ts';
import { BufferPool } from '../adapters/portable/buffer-pool.ts';
import { parseErasureKernel, startErasureCode } from '../adapters/portable/erasure-code.ts';
import { createSegmentCodec } from '../adapters/portable/segment-codec.ts';
import type { SegmentCodec } from '../core/ports.ts';

addEventListener(
  'message',
  (first: MessageEvent<unknown>) => {
    const loading = load(first.data);
    // Each call meets the failure and reports it; without this line a failure before the first call would
    // also be an unhandled rejection.
    loading.catch(() => {});
    expose(createCodecService(loading));
  },
  { once: true },
);

async function load(message: unknown): Promise<SegmentCodec> {
  const code = await startErasureCode(parseErasureKernel(message));
  return createSegmentCodec(code, new BufferPool());
}
