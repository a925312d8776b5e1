// Builds the stories of pools that are left alone (test/sim/alone) into one program: Node runs it faster than
// a test runner does, and a profiler can read it.

import { join } from 'node:path';
import { build } from 'vite';

/**
 * @param {string} root a copy of this project
 * @param {string} outDir
 * @returns {Promise<string>} the program
 */
export async function buildStories(root, outDir) {
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    build: {
      ssr: join(root, 'test', 'sim', 'alone', 'main.ts'),
      outDir,
      emptyOutDir: false,
      sourcemap: true,
      minify: false,
      rollupOptions: { output: { entryFileNames: 'alone.mjs' } },
    },
  });
  return join(outDir, 'alone.mjs');
}
