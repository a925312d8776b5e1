// ErasureCode over the npm package @subspace/reed-solomon-erasure.wasm: the Rust crate reed-solomon-erasure
// compiled to WebAssembly. Field, matrix and shards are those of FORMATS.md, "Blocks".
//
// The package's own JavaScript is not used. It is a UMD module that requires `fs`, it copies all shards twice
// for each call, and after `reconstruct` it frees a buffer that the wasm has freed already, so that later
// allocations overlap. Its wasm has four functions, no imports, and these traps, from which this file
// protects its callers:
//  - it aborts, and must not be used again, on no parity shards and on empty shards: those never reach it;
//  - its allocator (wee_alloc) loses memory when buffers of changing sizes come and go: one scratch buffer
//    is kept and only ever grows, in powers of two;
//  - `reconstruct` takes the buffer of flags and frees it itself; `encode` takes nothing;
//  - `reconstruct` leaves missing parity shards as they are;
//  - memory may be replaced while it runs: views are made afresh after each call.

import { PalmError } from '../../core/model/errors.ts';
import type { ErasureCode, IndexedBlock } from '../../core/coding/erasure-code.ts';
import { compiled, erasureCodeOver } from './erasure-operations.ts';

/**
 * Starts the package's `dist/reed_solomon_erasure_bg.wasm`, given compiled or as bytes: callers know where it
 * is kept. One instance works on one segment at a time, and keeps as much memory as its largest segment so
 * far needed.
 * @throws PalmError 'unsupported' when this engine cannot run the wasm, or it is another.
 */
export async function loadReedSolomon(wasm: BufferSource | WebAssembly.Module): Promise<ErasureCode> {
  try {
    const module = await compiled(wasm);
    const reedSolomon = new ReedSolomon(module, await start(module));
    return erasureCodeOver((sources, targets) => reedSolomon.derive(sources, targets));
  } catch (cause) {
    throw new PalmError({ code: 'unsupported', reason: 'coding' }, { cause });
  }
}

/** What the wasm exports; results are 0 or an error number. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly encode: (shards: number, shardsBytes: number, k: number, parityCount: number) => number;
  readonly reconstruct: (
    shards: number,
    shardsBytes: number,
    k: number,
    parityCount: number,
    present: number,
    presentBytes: number,
  ) => number;
  readonly allocate: (bytes: number) => number;
  readonly free: (pointer: number, bytes: number) => void;
}

class ReedSolomon {
  readonly #module: WebAssembly.Module;
  #kernel: Kernel;
  /** Room for one segment's shards. */
  #scratch = { pointer: 0, bytes: 0 };

  constructor(module: WebAssembly.Module, kernel: Kernel) {
    this.#module = module;
    this.#kernel = kernel;
  }

  /** See Derive. */
  derive(sources: readonly IndexedBlock[], targets: readonly IndexedBlock[]): void {
    const k = sources.length;
    const shardBytes = sources[0]?.bytes.length ?? 0;
    // Row i of the matrix does not depend on n, so shards after the last one in question need no room.
    const rowCount = 1 + Math.max(...[...sources, ...targets].map((shard) => shard.index));
    this.#guarded(() => {
      const shardsAt = this.#reserve(rowCount * shardBytes);
      const memory = new Uint8Array(this.#kernel.memory.buffer);
      for (const { index, bytes } of sources) memory.set(bytes, shardsAt + index * shardBytes);
      if (sources.at(-1)?.index === k - 1) {
        check(this.#kernel.encode(shardsAt, rowCount * shardBytes, k, rowCount - k));
      } else {
        this.#reconstruct(sources, shardsAt, rowCount * shardBytes, rowCount);
        // It brings back data only; lost parity stays as it lay in the scratch memory.
        if (targets.some(({ index }) => index >= k))
          check(this.#kernel.encode(shardsAt, rowCount * shardBytes, k, rowCount - k));
      }
      const results = new Uint8Array(this.#kernel.memory.buffer);
      for (const { index, bytes } of targets) {
        const at = shardsAt + index * shardBytes;
        bytes.set(results.subarray(at, at + shardBytes));
      }
    });
  }

  /** All missing data shards, in place. */
  #reconstruct(
    sources: readonly IndexedBlock[],
    shardsAt: number,
    shardsBytes: number,
    rowCount: number,
  ): void {
    const k = sources.length;
    const presentAt = this.#kernel.allocate(rowCount); // freed by `reconstruct`
    const present = new Uint8Array(this.#kernel.memory.buffer, presentAt, rowCount).fill(0);
    for (const { index } of sources) present[index] = 1;
    check(this.#kernel.reconstruct(shardsAt, shardsBytes, k, rowCount - k, presentAt, rowCount));
  }

  /**
   * Runs `work`. After an abort (arguments are checked, so: no memory) the instance is no longer trusted, and
   * replaced.
   */
  #guarded<Answer>(work: () => Answer): Answer {
    try {
      return work();
    } catch (cause) {
      this.#kernel = instantiate(this.#module);
      this.#scratch = { pointer: 0, bytes: 0 };
      throw new PalmError(
        { code: 'worker-failed', reason: 'coding' },
        {
          cause,
        },
      );
    }
  }

  #reserve(bytes: number): number {
    if (bytes <= this.#scratch.bytes) return this.#scratch.pointer;
    if (this.#scratch.bytes > 0) this.#kernel.free(this.#scratch.pointer, this.#scratch.bytes);
    this.#scratch = { pointer: 0, bytes: 0 };
    const roomBytes = 2 ** Math.ceil(Math.log2(bytes));
    this.#scratch = { pointer: this.#kernel.allocate(roomBytes), bytes: roomBytes };
    return this.#scratch.pointer;
  }
}

async function start(module: WebAssembly.Module): Promise<Kernel> {
  return kernelOf(await WebAssembly.instantiate(module));
}

function instantiate(module: WebAssembly.Module): Kernel {
  return kernelOf(new WebAssembly.Instance(module));
}

function kernelOf(instance: WebAssembly.Instance): Kernel {
  const { memory, encode, reconstruct, __wbindgen_malloc, __wbindgen_free } = instance.exports;
  if (
    !(memory instanceof WebAssembly.Memory) ||
    typeof encode !== 'function' ||
    typeof reconstruct !== 'function' ||
    typeof __wbindgen_malloc !== 'function' ||
    typeof __wbindgen_free !== 'function'
  ) {
    throw new PalmError({ code: 'unsupported', reason: 'wasm', detail: 'not the erasure code' });
  }
  return {
    memory,
    encode: (...operands) => Number(encode(...operands)),
    reconstruct: (...operands) => Number(reconstruct(...operands)),
    allocate: (bytes) => Number(__wbindgen_malloc(bytes)) >>> 0, // wasm integers are signed in JavaScript
    free: (pointer, bytes) => void __wbindgen_free(pointer, bytes),
  };
}

function check(result: number): void {
  if (result !== 0) throw new Error(`reed-solomon-erasure answered error ${result}.`);
}
