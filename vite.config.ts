// Builds the app into dist/app. Nothing is inlined and nothing comes from elsewhere: the page runs under a
// Content-Security-Policy that allows this origin alone, without inline scripts or styles.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { buildKernel } from './src/wasm/build.mjs';

const OUT_DIR = 'dist/app';

/** Text and code; pictures are compressed already. */
const COMPRESSIBLE = ['.css', '.html', '.js', '.svg', '.wasm', '.webmanifest'];

/**
 * Writes each file's compressed forms next to it, as small as can be, because the relay sends them many times
 * (signaling/app-files.ts). The service worker is written last, so this comes after it.
 */
function compressedForms(): Plugin {
  return {
    name: 'compressed-forms',
    apply: 'build',
    closeBundle: {
      order: 'post',
      sequential: true,
      handler() {
        for (const entry of readdirSync(OUT_DIR, { recursive: true, withFileTypes: true })) {
          if (!entry.isFile() || !COMPRESSIBLE.includes(extname(entry.name))) continue;
          const path = join(entry.parentPath, entry.name);
          const bytes = readFileSync(path);
          const brotli = brotliCompressSync(bytes, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
              [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
            },
          });
          const forms = { br: brotli, gz: gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }) };
          for (const [suffix, form] of Object.entries(forms)) {
            if (form.length < 0.9 * bytes.length) writeFileSync(`${path}.${suffix}`, form);
          }
        }
      },
    },
  };
}

export default defineConfig({
  plugins: [
    { name: 'erasure-kernel', buildStart: () => buildKernel() },
    preact(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/sw',
      filename: 'sw.ts',
      // The app registers it itself; the plugin would use an inline script.
      injectRegister: false,
      registerType: 'prompt',
      injectManifest: {
        // The installer's pictures; the app never shows them.
        globIgnores: ['screenshot-*.png'],
        globPatterns: ['**/*.{html,js,css,svg,png,wasm,webmanifest}'],
        // The largest file is far below this; a larger one would be a mistake, and fails the build.
        maximumFileSizeToCacheInBytes: 4 * 1024 * 1024,
      },
      manifest: {
        id: '/',
        name: 'Palm',
        short_name: 'Palm',
        description: 'Your phones and laptops keep your files together, on your own network.',
        start_url: '/',
        scope: '/',
        display: 'standalone',
        background_color: '#f8f3e9',
        theme_color: '#1d5c46',
        screenshots: [
          {
            src: '/screenshot-phone.png',
            sizes: '390x844',
            type: 'image/png',
            form_factor: 'narrow',
            label: 'A pool on a phone',
          },
          {
            src: '/screenshot-laptop.png',
            sizes: '1280x800',
            type: 'image/png',
            form_factor: 'wide',
            label: 'A pool on a laptop',
          },
        ],
        shortcuts: [
          {
            name: 'Invite a device',
            url: '/#/invite',
            icons: [{ src: '/icon-192.png', sizes: '192x192', type: 'image/png' }],
          },
        ],
        icons: [
          { src: '/icon.svg', sizes: 'any', type: 'image/svg+xml' },
          { src: '/icon-192.png', sizes: '192x192', type: 'image/png' },
          { src: '/icon-512.png', sizes: '512x512', type: 'image/png' },
          { src: '/icon-maskable-512.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
        ],
      },
    }),
    compressedForms(),
  ],
  worker: { format: 'es' },
  build: {
    outDir: OUT_DIR,
    target: 'es2022',
    // The policy treats a data: URL as another origin; files are cached just as well.
    assetsInlineLimit: 0,
    // Every supported browser preloads modules itself.
    modulePreload: { polyfill: false },
  },
});
