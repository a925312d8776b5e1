// What the app needs after its first screen, apart from its modules: the scripts of its workers, the erasure
// kernel and, where the browser reads no QR codes itself, a decoder. Everything is loaded before the app says
// that it is ready, because its origin may be gone afterwards (docs/decisions/0028).

import portableUrl from '@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm?url';
import { fetchPart, keepScript } from '../adapters/browser/page/app-part.ts';
import { compileErasureKernel } from '../adapters/portable/erasure-code.ts';
import relaxedUrl from '../wasm/build/kernel-relaxed.wasm?url';
import simdUrl from '../wasm/build/kernel-simd.wasm?url';
// The bundler makes a worker of what ends in `?worker&url`, and exports its address.
// oxlint-disable import/default
import codecUrl from '../workers/codec.worker.ts?worker&url';
import fragmentUrl from '../workers/fragment.worker.ts?worker&url';
import opfsUrl from '../workers/opfs.worker.ts?worker&url';
// oxlint-enable import/default

/** Each starts a worker of its kind, and fetches nothing. */
export interface LoadedParts {
  readonly startCodecWorker: () => Worker;
  readonly startFragmentWorker: () => Worker;
  readonly startOpfsWorker: () => Worker;
}

/** @throws PalmError 'worker-failed' when a part cannot be fetched. */
export async function loadParts(): Promise<LoadedParts> {
  const [startCodec, startFragmentWorker, startOpfsWorker, kernel] = await Promise.all([
    workerStarter(codecUrl, 'codec.worker'),
    workerStarter(fragmentUrl, 'fragment.worker'),
    workerStarter(opfsUrl, 'opfs.worker'),
    compileErasureKernel({
      relaxedBytes: () => fetchBytes(relaxedUrl),
      simdBytes: () => fetchBytes(simdUrl),
      portableBytes: () => fetchBytes(portableUrl),
    }),
  ]);
  return {
    startCodecWorker: () => {
      const worker = startCodec();
      worker.postMessage(kernel, []);
      return worker;
    },
    startFragmentWorker,
    startOpfsWorker,
  };
}

async function workerStarter(url: string, name: string): Promise<() => Worker> {
  // In development a worker imports its modules one by one from the server, relative to its own address.
  if (import.meta.env.DEV) return () => new Worker(url, { type: 'module', name });
  return keepScript(url, name);
}

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  return (await fetchPart(url)).arrayBuffer();
}
