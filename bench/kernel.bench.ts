// The erasure kernel beside the npm wasm build and, if installed, native ISA-L: 256 KiB blocks, one thread,
// real Chromium. Palm's side is the ErasureCode that the codec worker uses, including copies into and out of
// the wasm's memory; ISA-L works in place. Every code must first derive the right shards.
//
// Rates are per second of the thread's own processor time, so other load on the machine costs neither side
// anything but a share of the caches.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type CDPSession, type Page, test } from '@playwright/test';
import { build } from 'vite';
import { buildKernel } from '../src/wasm/build.mjs';
import { compileIsal, type MeasureIsal } from './isal/isal.ts';
import type { CodeName, Operation, Work } from './kernel-page.ts';
import { type LineInput, report } from './results.ts';
import { REPEATS } from './scale.ts';

const BLOCK_BYTES = 262_144;
/** The minimum time of one measurement: many calls, so that overhead is negligible. */
const LEAST_MS = 250;

const MODULES: Readonly<Record<CodeName, string>> = {
  npm: '../node_modules/@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm',
  simd: '../src/wasm/build/kernel-simd.wasm',
  relaxed: '../src/wasm/build/kernel-relaxed.wasm',
};

/** Palm's side of a line, and the other side. */
interface Comparison {
  readonly operation: Operation;
  readonly k: number;
  readonly n: number;
  readonly palm: 'best' | 'simd';
  readonly beside: 'npm' | 'isal';
  /** Every result in new buffers. */
  readonly fresh?: boolean;
  readonly atLeast?: number;
}

const COMPARISONS: readonly Comparison[] = [
  { operation: 'encode', k: 4, n: 8, palm: 'best', beside: 'npm', atLeast: 10 },
  { operation: 'rebuild', k: 4, n: 8, palm: 'best', beside: 'npm' },
  { operation: 'encode', k: 12, n: 20, palm: 'best', beside: 'npm' },
  { operation: 'rebuild', k: 12, n: 20, palm: 'best', beside: 'npm', atLeast: 8 },
  { operation: 'encode', k: 20, n: 30, palm: 'best', beside: 'npm' },
  { operation: 'rebuild', k: 20, n: 30, palm: 'best', beside: 'npm' },
  { operation: 'single', k: 12, n: 20, palm: 'best', beside: 'npm' },
  { operation: 'encode', k: 4, n: 8, palm: 'simd', beside: 'npm' },
  { operation: 'rebuild', k: 12, n: 20, palm: 'simd', beside: 'npm' },
  { operation: 'encode', k: 4, n: 8, palm: 'best', beside: 'npm', fresh: true },
  { operation: 'rebuild', k: 12, n: 20, palm: 'best', beside: 'npm', fresh: true },
  { operation: 'encode', k: 4, n: 8, palm: 'best', beside: 'isal', atLeast: 0.3 },
  { operation: 'rebuild', k: 4, n: 8, palm: 'best', beside: 'isal' },
  { operation: 'encode', k: 12, n: 20, palm: 'best', beside: 'isal' },
  { operation: 'rebuild', k: 12, n: 20, palm: 'best', beside: 'isal' },
  { operation: 'encode', k: 20, n: 30, palm: 'best', beside: 'isal' },
  { operation: 'rebuild', k: 20, n: 30, palm: 'best', beside: 'isal' },
];

test('the erasure kernel beside the npm wasm build and ISA-L', async ({ browser, page }) => {
  await buildKernel();
  const best = await openPage(page);
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const measureIsal = await compileIsal();
  const lines: LineInput[] = [];
  for (const comparison of COMPARISONS) {
    if (comparison.beside === 'isal' && measureIsal === undefined) continue;
    lines.push(await compare({ page, session, best, measureIsal }, comparison));
  }
  await report({
    name: 'kernel',
    title: 'Erasure coding of 256 KiB blocks, MB of data a second in one thread',
    engine: `Chromium ${browser.version()}`,
    lines,
    details: { blockBytes: BLOCK_BYTES, leastMs: LEAST_MS, bestBuild: best, isal: measureIsal !== undefined },
  });
});

/**
 * Has the page load the codes that it can run; returns the build of the kernel that Palm uses in this engine.
 */
async function openPage(page: Page): Promise<'simd' | 'relaxed'> {
  await page.addScriptTag({ content: await bundle() });
  const best = await page.evaluate(() => window.kernelBench.bestBuild());
  const names: readonly CodeName[] = best === 'relaxed' ? ['npm', 'simd', 'relaxed'] : ['npm', 'simd'];
  for (const name of names) {
    const wasm = await readFile(new URL(MODULES[name], import.meta.url), 'base64');
    await page.evaluate(([code, base64]) => window.kernelBench.load(code, base64), [name, wasm] as const);
    for (const { operation, k, n } of COMPARISONS) {
      const work: Work = { operation, k, n, blockBytes: BLOCK_BYTES };
      await page.evaluate(([code, given]) => window.kernelBench.check(code, given), [name, work] as const);
    }
  }
  return best;
}

interface Bench {
  readonly page: Page;
  readonly session: CDPSession;
  readonly best: 'simd' | 'relaxed';
  readonly measureIsal: MeasureIsal | undefined;
}

async function compare(bench: Bench, comparison: Comparison): Promise<LineInput> {
  const { operation, k, n, palm, beside, fresh = false, atLeast } = comparison;
  const work: Work = { operation, k, n, blockBytes: BLOCK_BYTES };
  const code = palm === 'best' ? bench.best : palm;
  const measureOther = async (): Promise<number> =>
    beside === 'npm' || bench.measureIsal === undefined
      ? measure(bench, 'npm', work, fresh)
      : bench.measureIsal(work, LEAST_MS);

  const own: number[] = [];
  const other: number[] = [];
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const otherRate = await measureOther();
    const ownRate = await measure(bench, code, work, fresh);
    if (repeat < 0) continue; // the first round warms up: the engine compiles hot code
    own.push(ownRate);
    other.push(otherRate);
  }
  return {
    kind: 'ratio',
    label: labelOf(
      work,
      code === bench.best ? '' : ', without relaxed SIMD',
      fresh ? ', answers in new buffers' : '',
      beside === 'isal' ? ', beside ISA-L' : '',
    ),
    unit: 'MB/s',
    better: 'more',
    palm: { label: `kernel-${code}`, values: own },
    beside: { label: beside === 'npm' ? 'npm wasm' : 'ISA-L', values: other },
    ...(atLeast === undefined ? {} : { atLeast }),
  };
}

/** MB (10^6 bytes) of data a second of the page's main thread. */
async function measure(
  { page, session }: Bench,
  code: CodeName,
  work: Work,
  fresh: boolean,
): Promise<number> {
  await page.evaluate(([name, given, isFresh]) => window.kernelBench.prepare(name, given, isFresh), [
    code,
    work,
    fresh,
  ] as const);
  const startSeconds = await threadSeconds(session);
  const dataBytes = await page.evaluate(([given, leastMs]) => window.kernelBench.run(given, leastMs), [
    work,
    LEAST_MS,
  ] as const);
  return dataBytes / 1e6 / ((await threadSeconds(session)) - startSeconds);
}

/** Processor time of the page's main thread so far. */
async function threadSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics');
  const metric = metrics.find(({ name }) => name === 'ThreadTime');
  if (metric === undefined) throw new Error("Chromium does not tell the thread's time.");
  return metric.value;
}

function labelOf({ operation, k, n }: Work, ...more: readonly string[]): string {
  const what: Readonly<Record<Operation, string>> = {
    encode: 'encode',
    rebuild: `rebuild of ${n - k} lost`,
    single: 'rebuild of one shard',
  };
  return `${what[operation]}, ${k}/${n}${more.join('')}`;
}

/** kernel-page.ts as one script that sets `window.kernelBench`. */
async function bundle(): Promise<string> {
  const results = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2023',
      lib: {
        entry: fileURLToPath(new URL('kernel-page.ts', import.meta.url)),
        formats: ['iife'],
        name: 'kernelBench',
      },
    },
  });
  for (const result of Array.isArray(results) ? results : [results]) {
    if ('output' in result) return result.output[0].code;
  }
  throw new Error('Vite built no script.');
}
