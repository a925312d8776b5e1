// Which erasure code is taken for which engine, and that nothing else is loaded for it.

import { describe, expect, it } from 'vitest';
import { relaxedSimd, simd } from 'wasm-feature-detect';
import {
  compileErasureKernel,
  type ErasureModules,
  startErasureCode,
} from '../../../../src/adapters/portable/erasure-code.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { encodeSlowly, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { parityOf } from '../../../fixtures/erasure-coding.ts';
import { enableRelaxedSimd, kernelWasm } from '../../../fixtures/kernel-modules.ts';
import { reedSolomonWasm } from '../../../fixtures/node-codec.ts';

await enableRelaxedSimd();

/** An engine that says it has these. */
const engine = (hasRelaxedSimd: boolean, hasSimd: boolean) => ({
  relaxedSimd: () => Promise.resolve(hasRelaxedSimd),
  simd: () => Promise.resolve(hasSimd),
});

describe('an engine', () => {
  it.each([
    { features: 'relaxed SIMD', detected: engine(true, true), loaded: 'relaxed' },
    { features: 'SIMD only', detected: engine(false, true), loaded: 'simd' },
    { features: 'no SIMD', detected: engine(false, false), loaded: 'portable' },
  ])('with $features loads $loaded alone, and it works', async ({ detected, loaded }) => {
    const { modules, asked } = watchedModules();
    const code = await startErasureCode(await compileErasureKernel(modules, detected));
    expect(asked).toEqual([loaded]);
    const data = seededBytes(100, 1);
    const shards = encodeSlowly([data.subarray(0, 50), data.subarray(50)], 3);
    expect(parityOf(code, data, 2, 3)).toEqual(shards[2]);
  });

  it('is tested itself when no features are given', async () => {
    const { modules, asked } = watchedModules();
    await compileErasureKernel(modules);
    const best = (await relaxedSimd()) ? 'relaxed' : (await simd()) ? 'simd' : 'portable';
    expect(asked).toEqual([best]);
  });
});

describe('a module', () => {
  it('that cannot be fetched fails with its loader’s error', async () => {
    const failure = new PalmError({ code: 'worker-failed', reason: 'not-loaded', status: 503 });
    const modules = { ...watchedModules().modules, simdBytes: () => Promise.reject(failure) };
    await expect(compileErasureKernel(modules, engine(false, true))).rejects.toBe(failure);
  });
});

function watchedModules(): { readonly modules: ErasureModules; readonly asked: string[] } {
  const asked: string[] = [];
  const from = (name: string, read: () => Uint8Array<ArrayBuffer>) => () => {
    asked.push(name);
    return Promise.resolve(read());
  };
  return {
    asked,
    modules: {
      relaxedBytes: from('relaxed', () => kernelWasm('relaxed')),
      simdBytes: from('simd', () => kernelWasm('simd')),
      portableBytes: from('portable', reedSolomonWasm),
    },
  };
}
