// Which erasure code this engine runs. All three make the same shards; they differ in speed.
//
// Choosing and compiling is one step, starting another: a page compiles once, and every codec worker that it
// starts, however late, gets the compiled module.

import { relaxedSimd, simd } from 'wasm-feature-detect';
import type { ErasureCode } from '../../core/coding/erasure-code.ts';
import { compiled } from './erasure-operations.ts';
import { loadReedSolomon } from './reed-solomon.ts';
import { loadSimdReedSolomon } from './simd-reed-solomon.ts';

/** Where each module comes from. Only the chosen one is loaded. */
export interface ErasureModules {
  /** Palm's kernel with relaxed SIMD. */
  readonly relaxedBytes: () => Promise<BufferSource>;
  /** Palm's kernel. */
  readonly simdBytes: () => Promise<BufferSource>;
  /** The npm package's wasm, which needs no SIMD. */
  readonly portableBytes: () => Promise<BufferSource>;
}

/** The engine's abilities, found by validating a few bytes that use each feature. */
export interface EngineFeatures {
  readonly relaxedSimd: () => Promise<boolean>;
  readonly simd: () => Promise<boolean>;
}

/** A compiled module, which can be posted to a worker. `simd`: Palm's kernel, in either build. */
export interface ErasureKernel {
  readonly kind: 'simd' | 'portable';
  readonly module: WebAssembly.Module;
}

/**
 * The fastest that this engine runs.
 * @throws WebAssembly.CompileError when the bytes are no wasm; the loader's errors.
 */
export async function compileErasureKernel(
  modules: ErasureModules,
  engine: EngineFeatures = { relaxedSimd, simd },
): Promise<ErasureKernel> {
  if (await engine.relaxedSimd()) {
    return { kind: 'simd', module: await compiled(await modules.relaxedBytes()) };
  }
  if (await engine.simd()) return { kind: 'simd', module: await compiled(await modules.simdBytes()) };
  return { kind: 'portable', module: await compiled(await modules.portableBytes()) };
}

/** @throws PalmError 'unsupported' when the module is not the expected one. */
export function startErasureCode({ kind, module }: ErasureKernel): Promise<ErasureCode> {
  return kind === 'simd' ? loadSimdReedSolomon(module) : loadReedSolomon(module);
}

/** @throws TypeError for a message that is no kernel. */
export function parseErasureKernel(message: unknown): ErasureKernel {
  if (typeof message === 'object' && message !== null && 'kind' in message && 'module' in message) {
    const { kind, module } = message;
    if ((kind === 'simd' || kind === 'portable') && module instanceof WebAssembly.Module) {
      return { kind, module };
    }
  }
  throw new TypeError('no erasure kernel');
}
