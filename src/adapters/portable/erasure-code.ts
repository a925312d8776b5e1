// Which erasure code this engine runs. All three make the same shards; they differ in speed.

import { relaxedSimd, simd } from 'wasm-feature-detect';
import type { ErasureCode } from '../../core/ports.ts';
import { loadReedSolomon } from './reed-solomon.ts';
import { loadSimdReedSolomon } from './simd-reed-solomon.ts';

/** Where each module's bytes come from. Only the chosen one is loaded. */
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

/**
 * The fastest code that this engine runs.
 * @throws PalmError 'unsupported' when the bytes are not the expected module; the loader's errors.
 */
export async function loadErasureCode(
  modules: ErasureModules,
  engine: EngineFeatures = { relaxedSimd, simd },
): Promise<ErasureCode> {
  if (await engine.relaxedSimd()) return loadSimdReedSolomon(await modules.relaxedBytes());
  if (await engine.simd()) return loadSimdReedSolomon(await modules.simdBytes());
  return loadReedSolomon(await modules.portableBytes());
}
