// Bundles the relay for Node: dist/relay/main.js, because Node 20 runs no TypeScript. Packages are not
// bundled: they are installed where it runs.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

export default defineConfig({
  root,
  publicDir: false,
  define: { PALM_VERSION: JSON.stringify(version) },
  build: {
    ssr: 'signaling/main.ts',
    outDir: 'dist/relay',
    emptyOutDir: true,
    target: 'node20',
    minify: false,
    sourcemap: true,
  },
});
