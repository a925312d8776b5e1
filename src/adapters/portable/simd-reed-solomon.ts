// ErasureCode over Palm's own kernel (src/wasm/kernel.ts), in either of its two builds. Shards are those of FORMATS.md,
// "Blocks", as in reed-solomon.ts.
//
// A segment goes through the kernel in stripes: as many bytes of every shard as its arena holds. Each byte is copied in
// once and out once while the stripe is still in the processor's cache, and the wasm memory has one size, below 1 MiB,
// whatever a segment has. Nothing of a segment is needed after its call.

import { multiply } from '../../core/coding/gf256.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { ErasureCode, IndexedBlock } from '../../core/ports.ts';
import { checkData, checkIndex, checkShards, copyOfPresent } from './erasure-arguments.ts';
import { CodingMatrices, type CodingMatrix } from './erasure-matrix.ts';

/**
 * Compiles the kernel, given as bytes: build/kernel-simd.wasm, or kernel-relaxed.wasm where the engine has relaxed SIMD.
 * One instance works on one segment at a time.
 * @throws PalmError 'unsupported' when this engine cannot run the wasm, or the bytes are not it.
 */
export async function loadSimdReedSolomon(wasmBytes: BufferSource): Promise<ErasureCode> {
  try {
    const { instance } = await WebAssembly.instantiate(wasmBytes);
    return new SimdReedSolomon(kernelOf(instance));
  } catch (cause) {
    throw new PalmError('unsupported', 'The erasure code could not be started in this browser.', { cause });
  }
}

/** What the wasm exports; the meaning of each is in kernel.ts. Addresses and sizes are in bytes. */
interface Kernel {
  readonly memory: Uint8Array<ArrayBuffer>;
  readonly productsAt: number;
  readonly matrixAt: number;
  readonly arenaAt: number;
  readonly arenaBytes: number;
  readonly stepBytes: number;
  readonly prepare: (rowCount: number, sourceCount: number) => void;
  readonly combine: (rowCount: number, sourceCount: number, strideBytes: number, lengthBytes: number) => void;
}

class SimdReedSolomon implements ErasureCode {
  readonly #kernel: Kernel;
  readonly #matrices = new CodingMatrices();
  /** The matrix whose tables the kernel holds. */
  #prepared: CodingMatrix | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    writeProducts(kernel);
  }

  encode(data: Uint8Array, k: number, n: number): Uint8Array<ArrayBuffer> {
    const shardBytes = checkData(data, k, n);
    if (n === k) return new Uint8Array(0);
    const parity = new Uint8Array((n - k) * shardBytes);
    const matrix = this.#matrices.from(range(0, k), range(k, n));
    this.#combine(matrix, cut(data, shardBytes), cut(parity, shardBytes));
    return parity;
  }

  decode(shards: readonly IndexedBlock[], k: number, n: number): Uint8Array<ArrayBuffer> {
    const shardBytes = checkShards(shards, k, n);
    const data = new Uint8Array(k * shardBytes);
    const places = cut(data, shardBytes);
    const missing = new Map(places.entries());
    for (const { index, bytes } of shards) {
      places[index]?.set(bytes); // parity has no place
      missing.delete(index);
    }
    if (missing.size === 0) return data;
    const sources = inOrder(shards);
    const matrix = this.#matrices.from(indicesOf(sources), [...missing.keys()]);
    this.#combine(matrix, bytesOf(sources), [...missing.values()]);
    return data;
  }

  rebuild(shards: readonly IndexedBlock[], index: number, k: number, n: number): Uint8Array<ArrayBuffer> {
    const shardBytes = checkShards(shards, k, n);
    checkIndex(index, n);
    const present = copyOfPresent(shards, index);
    if (present !== undefined) return present;
    const shard = new Uint8Array(shardBytes);
    const sources = inOrder(shards);
    this.#combine(this.#matrices.from(indicesOf(sources), [index]), bytesOf(sources), [shard]);
    return shard;
  }

  /** Writes to each of `outputs` its row of `matrix` times `sources`. All have one length. */
  #combine(matrix: CodingMatrix, sources: readonly Uint8Array[], outputs: readonly Uint8Array[]): void {
    const { memory, arenaAt } = this.#kernel;
    this.#prepare(matrix, outputs.length, sources.length);
    const shardBytes = outputs[0]?.length ?? 0;
    const strideBytes = this.#strideBytes(sources.length + outputs.length);
    const outputsAt = arenaAt + sources.length * strideBytes;
    for (let start = 0; start < shardBytes; start += strideBytes) {
      const end = Math.min(start + strideBytes, shardBytes);
      for (const [place, source] of sources.entries()) {
        memory.set(source.subarray(start, end), arenaAt + place * strideBytes);
      }
      this.#kernel.combine(outputs.length, sources.length, strideBytes, end - start);
      for (const [place, output] of outputs.entries()) {
        const at = outputsAt + place * strideBytes;
        output.set(memory.subarray(at, at + end - start), start);
      }
    }
  }

  #prepare(matrix: CodingMatrix, rowCount: number, sourceCount: number): void {
    if (matrix === this.#prepared) return;
    this.#kernel.memory.set(matrix, this.#kernel.matrixAt);
    this.#kernel.prepare(rowCount, sourceCount);
    this.#prepared = matrix;
  }

  /**
   * How far apart shards lie in the arena: an odd number of steps. A step is a cache line, so at an even distance, and
   * worst at a power of two, the shards would crowd in a few sets of the cache and push each other out.
   */
  #strideBytes(shardCount: number): number {
    const { arenaBytes, stepBytes } = this.#kernel;
    const steps = Math.floor(arenaBytes / shardCount / stepBytes);
    return (steps % 2 === 0 ? steps - 1 : steps) * stepBytes;
  }
}

function kernelOf(instance: WebAssembly.Instance): Kernel {
  const { memory, prepare, combine, ...globals } = instance.exports;
  if (
    !(memory instanceof WebAssembly.Memory) ||
    typeof prepare !== 'function' ||
    typeof combine !== 'function'
  ) {
    throw new PalmError('unsupported', 'The wasm is not the erasure kernel.');
  }
  return {
    // The kernel's memory never grows, so its buffer is never replaced.
    memory: new Uint8Array(memory.buffer),
    productsAt: constantOf(globals['PRODUCTS']),
    matrixAt: constantOf(globals['MATRIX']),
    arenaAt: constantOf(globals['ARENA']),
    arenaBytes: constantOf(globals['ARENA_BYTES']),
    stepBytes: constantOf(globals['STEP_BYTES']),
    prepare: (...operands) => void prepare(...operands),
    combine: (...operands) => void combine(...operands),
  };
}

function constantOf(exported: WebAssembly.ExportValue | undefined): number {
  const value: unknown = exported instanceof WebAssembly.Global ? exported.value : undefined;
  if (typeof value !== 'number') throw new PalmError('unsupported', 'The wasm is not the erasure kernel.');
  return value;
}

/** The products of every constant with 0..15 and with 0, 16 … 240: what the kernel looks up for the halves of a byte. */
function writeProducts({ memory, productsAt }: Kernel): void {
  let at = productsAt;
  for (let constant = 0; constant < 256; constant++) {
    for (let low = 0; low < 16; low++) memory[at++] = multiply(constant, low);
    for (let high = 0; high < 16; high++) memory[at++] = multiply(constant, high << 4);
  }
}

/** Views of `bytes` cut every `sliceBytes`. */
function cut(bytes: Uint8Array, sliceBytes: number): Uint8Array[] {
  const count = bytes.length / sliceBytes;
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * sliceBytes, (at + 1) * sliceBytes));
}

/** By index, so that one loss pattern has one matrix however its shards arrived. */
function inOrder(shards: readonly IndexedBlock[]): readonly IndexedBlock[] {
  return shards.toSorted((a, b) => a.index - b.index);
}

function indicesOf(shards: readonly IndexedBlock[]): number[] {
  return shards.map((shard) => shard.index);
}

function bytesOf(shards: readonly IndexedBlock[]): Uint8Array[] {
  return shards.map((shard) => shard.bytes);
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, offset) => start + offset);
}
