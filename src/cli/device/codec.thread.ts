// The codec thread: encryption and erasure coding off the main thread. Its first message is the compiled
// erasure kernel.

import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { BufferPool } from '../../adapters/portable/buffer-pool.ts';
import { createCodecService } from '../../adapters/portable/codec/codec-service.ts';
import { parseErasureKernel, startErasureCode } from '../../adapters/portable/erasure-code.ts';
import { createSegmentCodec } from '../../adapters/portable/segment-codec.ts';
import type { SegmentCodec } from '../../core/ports.ts';

const port = parentPort;
if (port === null) throw new Error('no thread');
port.once('message', (message: unknown) => {
  const loading = load(message);
  // Each call meets the failure and reports it.
  loading.catch(() => {});
  expose(createCodecService(loading), nodeEndpoint(port));
});

async function load(message: unknown): Promise<SegmentCodec> {
  const code = await startErasureCode(parseErasureKernel(message));
  return createSegmentCodec(code, new BufferPool());
}
