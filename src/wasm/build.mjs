// Compiles the erasure kernel to build/kernel-simd.wasm and build/kernel-relaxed.wasm, when it is newer than
// they are. `npm run kernel` runs it; Vite and Vitest call it before they need the modules. Plain JavaScript,
// because it runs before anything is built. The modules are written whole or not at all, so two runs at a
// time do no harm.

import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = dirname(fileURLToPath(import.meta.url));
const SOURCE = 'kernel.ts';
const OUTPUT_FOLDER = join(FOLDER, 'build');
/** 64 KiB each: what the kernel's layout of memory adds up to, rounded up. It never grows. */
const MEMORY_PAGES = '13';
/** Of both modules. */
const OPTIONS = [
  '--baseDir',
  FOLDER,
  '--outFile',
  'kernel.wasm',
  '--runtime',
  'stub',
  '-O3',
  '--initialMemory',
  MEMORY_PAGES,
  '--maximumMemory',
  MEMORY_PAGES,
];
const MODULES = [
  { name: 'kernel-simd.wasm', options: ['--enable', 'simd'] },
  { name: 'kernel-relaxed.wasm', options: ['--enable', 'simd', '--enable', 'relaxed-simd'] },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildKernel();

/**
 * Builds what is missing or older than the source or this file.
 * @returns {Promise<void>}
 */
export async function buildKernel() {
  const sourceMs = Math.max(changedMs(join(FOLDER, SOURCE)), changedMs(fileURLToPath(import.meta.url)));
  const stale = MODULES.filter(({ name }) => changedMs(join(OUTPUT_FOLDER, name)) <= sourceMs);
  if (stale.length === 0) return;
  mkdirSync(OUTPUT_FOLDER, { recursive: true });
  for (const { name, options } of stale) {
    const partial = join(OUTPUT_FOLDER, `${name}.${process.pid}`);
    writeFileSync(partial, await compile(options));
    renameSync(partial, join(OUTPUT_FOLDER, name));
  }
}

/** For Vitest's `globalSetup`. */
export const setup = buildKernel;

/**
 * When `path` was last changed, ms; 0 where nothing is.
 * @param {string} path
 */
function changedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * @param {readonly string[]} options
 * @returns {Promise<Uint8Array>}
 */
async function compile(options) {
  // Loaded only when there is something to compile: the compiler is large.
  const { default: asc } = await import('assemblyscript/asc');
  /** @type {Uint8Array | undefined} */
  let wasm;
  const diagnostics = asc.createMemoryStream();
  const { error } = await asc.main([SOURCE, ...OPTIONS, ...options], {
    stderr: diagnostics,
    writeFile(_name, contents) {
      if (typeof contents !== 'string') wasm = contents;
    },
  });
  if (error !== null || wasm === undefined) {
    throw new Error(`The erasure kernel could not be compiled.\n${diagnostics.toString()}`, { cause: error });
  }
  return wasm;
}
