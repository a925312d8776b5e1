// The erasure kernel's two modules under Node, as src/wasm/build.mjs compiled them before the tests began.

import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { relaxedSimd } from 'wasm-feature-detect';

export function kernelWasm(build: 'simd' | 'relaxed'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../../src/wasm/build/kernel-${build}.wasm`, import.meta.url)));
}

/** Node 20 has relaxed SIMD behind a flag, which counts from the next module on. Throws when it does not help. */
export async function enableRelaxedSimd(): Promise<void> {
  if (await relaxedSimd()) return;
  setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (!(await relaxedSimd())) throw new Error('This Node cannot run relaxed SIMD.');
}
