// Native ISA-L for comparison with the kernel, if installed (Debian: libisal-dev): isal-bench.c, compiled
// when a bench starts.

import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Work } from '../kernel-page.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('isal-bench.c', import.meta.url));
const BUILD_FOLDER = fileURLToPath(new URL('../../node_modules/.cache/isal/', import.meta.url));

/** MB (10^6 bytes) of data a second of processor time, over at least `leastMs` of it. */
export type MeasureIsal = (work: Work, leastMs: number) => Promise<number>;

/** Undefined, with a message on the terminal, if the library or a C compiler is missing. */
export async function compileIsal(): Promise<MeasureIsal | undefined> {
  const program = join(BUILD_FOLDER, 'isal-bench');
  await mkdir(BUILD_FOLDER, { recursive: true });
  try {
    await run('cc', ['-O2', '-o', program, SOURCE, '-lisal']);
  } catch (error) {
    const reason =
      error instanceof Error ? error.message.split('\n').find((line) => line.includes('error')) : '';
    console.log(
      `ISA-L is left out: isal-bench.c did not compile here (Debian: libisal-dev). ${reason ?? ''}`,
    );
    return undefined;
  }
  return async ({ operation, k, n, blockBytes }, leastMs) => {
    const { stdout } = await run(program, [operation, k, n, blockBytes, leastMs].map(String));
    const rate = Number(stdout);
    if (!(rate > 0)) throw new Error(`isal-bench printed "${stdout}"`);
    return rate;
  };
}
