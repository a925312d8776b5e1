// The page's side of the kernel benchmark, which bundles it as `window.kernelBench`. The modules come as
// base64, because the page has no server of its own.

import { relaxedSimd } from 'wasm-feature-detect';
import { loadReedSolomon } from '../src/adapters/portable/reed-solomon.ts';
import { loadSimdReedSolomon } from '../src/adapters/portable/simd-reed-solomon.ts';
import type { ErasureCode, IndexedBlock } from '../src/core/coding/erasure-code.ts';
import { parityOf, rebuiltOf } from '../test/fixtures/erasure-coding.ts';

export type CodeName = 'npm' | 'simd' | 'relaxed';

/**
 * encode: all parity from the data. rebuild: the first n - k shards, all data, from the rest. single: only
 * the first.
 */
export type Operation = 'encode' | 'rebuild' | 'single';

export interface Work {
  readonly operation: Operation;
  readonly k: number;
  readonly n: number;
  readonly blockBytes: number;
}

declare global {
  interface Window {
    readonly kernelBench: typeof import('./kernel-page.ts');
  }
}

const codes = new Map<CodeName, ErasureCode>();
let prepared = (): void => {
  throw new Error('nothing was prepared');
};

/** The build of the kernel that Palm uses in this engine. */
export async function bestBuild(): Promise<'simd' | 'relaxed'> {
  return (await relaxedSimd()) ? 'relaxed' : 'simd';
}

/** Instantiates a code from its module. */
export async function load(name: CodeName, wasmBase64: string): Promise<void> {
  const bytes = Uint8Array.from(atob(wasmBase64), (character) => character.charCodeAt(0));
  codes.set(name, name === 'npm' ? await loadReedSolomon(bytes) : await loadSimdReedSolomon(bytes));
}

/**
 * Makes a segment for `run`. Shards are copied into the wasm's memory, and results out of it to reused
 * buffers, as with ISA-L; with `fresh` the code returns new buffers, whose pages the system must first
 * provide.
 */
export function prepare(name: CodeName, work: Work, fresh: boolean): void {
  prepared = callOf(name, work, fresh);
  prepared();
}

/**
 * Works for at least `leastMs`; returns the bytes of data processed: a segment's data is its k data shards.
 */
export function run({ k, blockBytes }: Work, leastMs: number): number {
  const startMs = performance.now();
  let calls = 0;
  while (performance.now() - startMs < leastMs) {
    prepared();
    calls += 1;
  }
  return calls * k * blockBytes;
}

/** @throws Error when the code derives other shards than the npm build. */
export function check(name: CodeName, work: Work): void {
  const expected = segmentOf(codeOf('npm'), work);
  const actual = segmentOf(codeOf(name), work);
  const { sources, targets } = rolesOf(actual, work);
  for (const target of targets) target.bytes.fill(0);
  codeOf(name).derive(sources, targets);
  for (const { index, bytes } of actual) {
    if (expected[index]?.bytes.some((byte, at) => byte !== bytes[at]) !== false) {
      throw new Error(`shard ${index} of ${name} is wrong`);
    }
  }
}

function callOf(name: CodeName, work: Work, fresh: boolean): () => void {
  const code = codeOf(name);
  const { k, n, blockBytes } = work;
  const { sources, targets } = rolesOf(segmentOf(code, work), work);
  if (!fresh) return () => code.derive(sources, targets);
  switch (work.operation) {
    case 'encode': {
      const data = new Uint8Array(k * blockBytes);
      for (const { index, bytes } of sources) data.set(bytes, index * blockBytes);
      return () => void parityOf(code, data, k, n);
    }
    case 'rebuild':
      return () => void code.decode(sources, k, n);
    case 'single':
      return () => void rebuiltOf(code, sources, 0);
  }
}

function codeOf(name: CodeName): ErasureCode {
  const code = codes.get(name);
  if (code === undefined) throw new Error(`${name} was not loaded`);
  return code;
}

/** All n shards of a segment with pseudo-random bytes that are always the same. */
function segmentOf(code: ErasureCode, { k, n, blockBytes }: Work): IndexedBlock[] {
  let state = 1;
  const shards = Array.from({ length: n }, (_, index) => ({ index, bytes: new Uint8Array(blockBytes) }));
  for (const { bytes } of shards.slice(0, k)) {
    for (const at of bytes.keys()) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[at] = state >>> 24;
    }
  }
  code.derive(shards.slice(0, k), shards.slice(k));
  return shards;
}

interface Roles {
  readonly sources: readonly IndexedBlock[];
  readonly targets: readonly IndexedBlock[];
}

/** Losing data shards needs the most computation. */
function rolesOf(shards: readonly IndexedBlock[], { operation, k, n }: Work): Roles {
  switch (operation) {
    case 'encode':
      return { sources: shards.slice(0, k), targets: shards.slice(k) };
    case 'rebuild':
      return { sources: shards.slice(n - k), targets: shards.slice(0, n - k) };
    case 'single':
      return { sources: shards.slice(1, k + 1), targets: shards.slice(0, 1) };
  }
}
