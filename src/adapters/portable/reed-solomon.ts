// ErasureCode over the npm package @subspace/reed-solomon-erasure.wasm: the Rust crate reed-solomon-erasure compiled to
// WebAssembly. Field, matrix and shards are those of FORMATS.md, "Blocks".
//
// The package's own JavaScript is not used: it is a UMD module that requires `fs`, and it copies all shards twice for
// each call, and after `reconstruct` it frees a buffer that the wasm has freed already, so that later allocations overlap.
// Its wasm has four functions, no imports, and these traps, which this file keeps away from its callers:
//  - it aborts, and must not be used again, on no parity shards and on empty shards: those never reach it;
//  - its allocator (wee_alloc) loses memory when buffers of changing sizes come and go: one scratch buffer is kept and
//    only ever grows, in powers of two;
//  - `reconstruct` takes the buffer of flags and frees it itself; `encode` takes nothing;
//  - memory may be replaced while it runs: views are made afresh after each call.

import { PalmError } from '../../core/model/errors.ts';
import type { ErasureCode, IndexedBlock } from '../../core/ports.ts';
import { checkData, checkIndex, checkShards, copyOfPresent } from './erasure-arguments.ts';

/**
 * Compiles the package's `dist/reed_solomon_erasure_bg.wasm`, given as bytes: who calls knows where they are kept.
 * One instance works on one segment at a time and keeps as much memory as the largest segment it has coded needed.
 * @throws PalmError 'unsupported' when this engine cannot run the wasm, or the bytes are not it.
 */
export async function loadReedSolomon(wasmBytes: BufferSource): Promise<ErasureCode> {
  try {
    const module = await WebAssembly.compile(wasmBytes);
    return new ReedSolomon(module, await start(module));
  } catch (cause) {
    throw new PalmError('unsupported', 'The erasure code could not be started in this browser.', { cause });
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

class ReedSolomon implements ErasureCode {
  readonly #module: WebAssembly.Module;
  #kernel: Kernel;
  /** Room for one segment's shards. */
  #scratch = { pointer: 0, bytes: 0 };

  constructor(module: WebAssembly.Module, kernel: Kernel) {
    this.#module = module;
    this.#kernel = kernel;
  }

  encode(data: Uint8Array, k: number, n: number): Uint8Array<ArrayBuffer> {
    const shardBytes = checkData(data, k, n);
    if (n === k) return new Uint8Array(0);
    return this.#guarded(() => {
      const shards = this.#reserve(n * shardBytes);
      new Uint8Array(this.#kernel.memory.buffer).set(data, shards);
      check(this.#kernel.encode(shards, n * shardBytes, k, n - k));
      const parityAt = shards + data.length;
      return new Uint8Array(this.#kernel.memory.buffer.slice(parityAt, shards + n * shardBytes));
    });
  }

  decode(shards: readonly IndexedBlock[], k: number, n: number): Uint8Array<ArrayBuffer> {
    const shardBytes = checkShards(shards, k, n);
    const rowCount = rowsUpTo(shards);
    if (rowCount === k) return inOrder(shards, shardBytes);
    return this.#reconstruct(shards, k, rowCount, 0, k - 1);
  }

  rebuild(shards: readonly IndexedBlock[], index: number, k: number, n: number): Uint8Array<ArrayBuffer> {
    checkShards(shards, k, n);
    checkIndex(index, n);
    const present = copyOfPresent(shards, index);
    if (present !== undefined) return present;
    return this.#reconstruct(shards, k, Math.max(rowsUpTo(shards), index + 1), index, index);
  }

  /** Shards first..last of a segment with `rowCount` shards; some of them are missing. */
  #reconstruct(
    shards: readonly IndexedBlock[],
    k: number,
    rowCount: number,
    first: number,
    last: number,
  ): Uint8Array<ArrayBuffer> {
    const shardBytes = shards[0]?.bytes.length ?? 0;
    return this.#guarded(() => {
      const pointer = this.#reserve(rowCount * shardBytes);
      const presentAt = this.#kernel.allocate(rowCount); // freed by `reconstruct`
      const memory = new Uint8Array(this.#kernel.memory.buffer);
      memory.fill(0, presentAt, presentAt + rowCount);
      for (const { index, bytes } of shards) {
        memory.set(bytes, pointer + index * shardBytes);
        memory[presentAt + index] = 1;
      }
      check(this.#kernel.reconstruct(pointer, rowCount * shardBytes, k, rowCount - k, presentAt, rowCount));
      return new Uint8Array(
        this.#kernel.memory.buffer.slice(pointer + first * shardBytes, pointer + (last + 1) * shardBytes),
      );
    });
  }

  /** Runs `work`; after an abort (arguments are checked, so: no memory) the instance is replaced, not trusted again. */
  #guarded<Answer>(work: () => Answer): Answer {
    try {
      return work();
    } catch (cause) {
      this.#kernel = instantiate(this.#module);
      this.#scratch = { pointer: 0, bytes: 0 };
      throw new PalmError('worker-failed', 'The erasure code stopped; this device may be out of memory.', {
        cause,
      });
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
    throw new PalmError('unsupported', 'The wasm is not the erasure code.');
  }
  return {
    memory,
    encode: (...operands) => Number(encode(...operands)),
    reconstruct: (...operands) => Number(reconstruct(...operands)),
    allocate: (bytes) => Number(__wbindgen_malloc(bytes)) >>> 0, // wasm integers are signed in JavaScript
    free: (pointer, bytes) => void __wbindgen_free(pointer, bytes),
  };
}

/** Row i of the matrix does not depend on n, so shards beyond the last present one need no room. */
function rowsUpTo(shards: readonly IndexedBlock[]): number {
  return 1 + shards.reduce((last, shard) => Math.max(last, shard.index), 0);
}

/** All k data shards are here: nothing to compute. */
function inOrder(shards: readonly IndexedBlock[], shardBytes: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(shards.length * shardBytes);
  for (const { index, bytes } of shards) data.set(bytes, index * shardBytes);
  return data;
}

function check(result: number): void {
  if (result !== 0) throw new Error(`reed-solomon-erasure answered error ${result}.`);
}
