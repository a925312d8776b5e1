// Builds the pipeline's page as the app is built, and serves it from this machine.

import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { serveFiles } from '../../signaling/app-files.ts';
import { buildKernel } from '../../src/wasm/build.mjs';

export interface PipelineServer {
  readonly url: string;
  close(): Promise<void>;
}

export async function servePipeline(): Promise<PipelineServer> {
  await buildKernel();
  const outDir = await mkdtemp(join(tmpdir(), 'palm-pipeline-'));
  await build({
    configFile: false,
    logLevel: 'warn',
    root: fileURLToPath(new URL('.', import.meta.url)),
    worker: { format: 'es' },
    build: { outDir, emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, modulePreload: false },
  });
  const files = serveFiles(outDir);
  const server = createServer((request, response) => files(request, response, () => response.end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a server on TCP has a port');
  return {
    url: `http://localhost:${address.port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(outDir, { recursive: true });
    },
  };
}
