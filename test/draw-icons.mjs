// Draws the PNG icons for stores and home screens from public/icon.svg. Run it by hand after changing the
// drawing: `npm run icons`.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from '@playwright/test';
import { findBrowser } from './browser.mjs';

const PUBLIC = fileURLToPath(new URL('../public/', import.meta.url));

const rounded = await readFile(`${PUBLIC}icon.svg`, 'utf8');
/** Systems that cut their own shape need the background up to the edge. */
const square = rounded.replace(' rx="14"', '');
/** A circle may cut away only background: the drawing stays in the middle 80 % (W3C, maskable icons). */
const maskable = square.replace('scale(0.86)', 'scale(0.68)');

const executablePath = findBrowser();
const browser = await chromium.launch({
  args: ['--no-sandbox', '--disable-gpu'],
  ...(executablePath === undefined ? {} : { executablePath }),
});
await draw(rounded, 192, 'icon-192.png');
await draw(rounded, 512, 'icon-512.png');
await draw(maskable, 512, 'icon-maskable-512.png');
await draw(square, 180, 'apple-touch-icon.png');
await browser.close();

/**
 * @param {string} svg
 * @param {number} sizePx
 * @param {string} name
 */
async function draw(svg, sizePx, name) {
  const page = await browser.newPage({ viewport: { width: sizePx, height: sizePx } });
  const url = `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`;
  await page.setContent(
    `<style>body{margin:0}img{display:block;width:${sizePx}px}</style><img src="${url}" alt="">`,
  );
  await page.screenshot({ path: `${PUBLIC}${name}`, omitBackground: true });
  await page.close();
}
