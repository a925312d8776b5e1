// ErasureCode over Palm's own kernel (src/wasm/kernel.ts), in either of its two builds. Shards are those of
// FORMATS.md, "Blocks", as in reed-solomon.ts.
//
// A segment goes through the kernel in stripes: as many bytes of every shard as its arena holds. Each byte is
// copied in once and out once while the stripe is still in the processor's cache, and the wasm memory has one
// size, below 1 MiB, for segments of any size. Nothing of a segment is needed after its call.

import { invert, multiply } from '../../core/coding/gf256.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { ErasureCode, IndexedBlock } from '../../core/coding/erasure-code.ts';
import { CodingMatrices, type CodingMatrix } from './erasure-matrix.ts';
import { compiled, erasureCodeOver } from './erasure-operations.ts';

/**
 * Starts the kernel, given compiled or as bytes: build/kernel-simd.wasm, or kernel-relaxed.wasm where the
 * engine has relaxed SIMD. One instance works on one segment at a time.
 * @throws PalmError 'unsupported' when this engine cannot run the wasm, or it is another.
 */
export async function loadSimdReedSolomon(wasm: BufferSource | WebAssembly.Module): Promise<ErasureCode> {
  try {
    const instance = await WebAssembly.instantiate(await compiled(wasm));
    const reedSolomon = new SimdReedSolomon(kernelOf(instance));
    return erasureCodeOver((sources, targets) => reedSolomon.derive(sources, targets));
  } catch (cause) {
    throw new PalmError({ code: 'unsupported', reason: 'coding' }, { cause });
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
  readonly extrapolateFour: (
    firstOutput: number,
    base: number,
    level: number,
    strideBytes: number,
    lengthBytes: number,
  ) => void;
}

/** Computes what lies in the arena in stripes. */
type Computation = (strideBytes: number, lengthBytes: number) => void;

class SimdReedSolomon {
  readonly #kernel: Kernel;
  readonly #matrices = new CodingMatrices();
  /** The matrix whose tables the kernel holds. */
  #prepared: CodingMatrix | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    writeProducts(kernel);
  }

  /** See Derive. */
  derive(sources: readonly IndexedBlock[], targets: readonly IndexedBlock[]): void {
    const { memory, arenaAt } = this.#kernel;
    const compute = isFromFirstFour(sources, targets)
      ? this.#extrapolation(targets)
      : this.#combination(sources, targets);
    const shardBytes = sources[0]?.bytes.length ?? 0;
    const strideBytes = this.#strideBytes(sources.length + targets.length);
    const targetsAt = arenaAt + sources.length * strideBytes;
    for (let start = 0; start < shardBytes; start += strideBytes) {
      const end = Math.min(start + strideBytes, shardBytes);
      for (const [position, { bytes }] of sources.entries()) {
        memory.set(bytes.subarray(start, end), arenaAt + position * strideBytes);
      }
      compute(strideBytes, end - start);
      for (const [position, { bytes }] of targets.entries()) {
        const at = targetsAt + position * strideBytes;
        bytes.set(memory.subarray(at, at + end - start), start);
      }
    }
  }

  #combination(sources: readonly IndexedBlock[], targets: readonly IndexedBlock[]): Computation {
    const matrix = this.#matrices.from(sources, targets);
    if (matrix !== this.#prepared) {
      this.#kernel.memory.set(matrix, this.#kernel.matrixAt);
      this.#kernel.prepare(targets.length, sources.length);
      this.#prepared = matrix;
    }
    return (strideBytes, lengthBytes) =>
      this.#kernel.combine(targets.length, sources.length, strideBytes, lengthBytes);
  }

  #extrapolation(targets: readonly IndexedBlock[]): Computation {
    return (strideBytes, lengthBytes) => {
      for (let first = 0; first < targets.length; first += 4) {
        const base = targets[first]?.index ?? 0;
        this.#kernel.extrapolateFour(first, base, levelOf(base), strideBytes, lengthBytes);
      }
    };
  }

  /**
   * How far apart shards lie in the arena: an odd number of steps. A step is a cache line, so at an even
   * distance, and worst at a power of two, the shards would crowd in a few sets of the cache and push each
   * other out.
   */
  #strideBytes(shardCount: number): number {
    const { arenaBytes, stepBytes } = this.#kernel;
    const steps = Math.floor(arenaBytes / shardCount / stepBytes);
    return (steps % 2 === 0 ? steps - 1 : steps) * stepBytes;
  }
}

function kernelOf(instance: WebAssembly.Instance): Kernel {
  const { memory, prepare, combine, extrapolateFour, ...globals } = instance.exports;
  if (
    !(memory instanceof WebAssembly.Memory) ||
    typeof prepare !== 'function' ||
    typeof combine !== 'function' ||
    typeof extrapolateFour !== 'function'
  ) {
    throw new PalmError({ code: 'unsupported', reason: 'wasm', detail: 'not the erasure kernel' });
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
    extrapolateFour: (...operands) => void extrapolateFour(...operands),
  };
}

function constantOf(exported: WebAssembly.ExportValue | undefined): number {
  const value: unknown = exported instanceof WebAssembly.Global ? exported.value : undefined;
  if (typeof value !== 'number')
    throw new PalmError({ code: 'unsupported', reason: 'wasm', detail: 'not the erasure kernel' });
  return value;
}

/**
 * The products of every constant with 0..15 and with 0, 16 … 240, which the kernel looks up for the halves of
 * a byte.
 */
function writeProducts({ memory, productsAt }: Kernel): void {
  let at = productsAt;
  for (let constant = 0; constant < 256; constant++) {
    for (let low = 0; low < 16; low++) memory[at++] = multiply(constant, low);
    for (let high = 0; high < 16; high++) memory[at++] = multiply(constant, high << 4);
  }
}

/**
 * Whether the sources are shards 0..3 and the targets fours from a multiple of 4 on, as when 4-of-8 is
 * encoded.
 */
function isFromFirstFour(sources: readonly IndexedBlock[], targets: readonly IndexedBlock[]): boolean {
  return (
    sources.length === 4 &&
    sources.every(({ index }, position) => index === position) &&
    targets.length % 4 === 0 &&
    targets.every(
      ({ index }, position) =>
        index % 4 === position % 4 && index - (position % 4) === targets[position - (position % 4)]?.index,
    )
  );
}

/** s(x) = x (x + 1) / 6, see `extrapolateFour`. */
function levelOf(x: number): number {
  return multiply(multiply(x, x ^ 1), invert(6));
}
