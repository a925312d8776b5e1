// Bundles the command line and its threads for Node: dist/cli, because Node 20 runs no TypeScript. Packages
// are not bundled: they are installed where it runs.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { buildKernel } from '../wasm/build.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));

export default defineConfig({
  root,
  publicDir: false,
  plugins: [{ name: 'erasure-kernel', buildStart: () => buildKernel() }],
  define: { PALM_VERSION: JSON.stringify(version) },
  build: {
    ssr: true,
    outDir: 'dist/cli',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    sourcemap: true,
    rollupOptions: {
      // Side by side: the program finds its threads next to itself.
      output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
      input: {
        main: 'src/cli/main.ts',
        keep: 'signaling/keep.ts',
        'codec.thread': 'src/cli/device/codec.thread.ts',
        'fragment.thread': 'src/cli/device/fragment.thread.ts',
      },
    },
  },
});
