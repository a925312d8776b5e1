// What a camera of a test sees: a file that Chromium plays in its place, with one screen in the picture.

import { writeFile } from 'node:fs/promises';
import type { Page } from '@playwright/test';

const WIDTH = 1280;
const HEIGHT = 720;

/** The browser's arguments: any page may use the camera, which plays `path`. */
export function filmArguments(path: string): string[] {
  return [
    '--use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
    `--use-file-for-fake-video-capture=${path}`,
  ];
}

/** A camera that is opened from now on sees the screen of `page` as it is now. */
export async function film(path: string, page: Page): Promise<void> {
  const picture = (await page.screenshot({ type: 'png' })).toString('base64');
  const grey = await page.evaluate(greyOf, { picture, width: WIDTH, height: HEIGHT });
  await writeFilm(path, Buffer.from(grey, 'base64'));
}

/** A camera that sees nothing. */
export async function filmNothing(path: string): Promise<void> {
  await writeFilm(path, Buffer.alloc(WIDTH * HEIGHT, 40));
}

/** YUV4MPEG2: one frame, without colours, which Chromium plays again and again. */
async function writeFilm(path: string, grey: Buffer): Promise<void> {
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420jpeg\nFRAME\n`);
  await writeFile(path, Buffer.concat([header, grey, Buffer.alloc((WIDTH * HEIGHT) / 2, 128)]));
}

/** In the page: the picture's brightness, fitted into the size, in base64. */
async function greyOf(given: { picture: string; width: number; height: number }): Promise<string> {
  const { picture, width, height } = given;
  const bytes = Uint8Array.from(atob(picture), (char) => char.codePointAt(0) ?? 0);
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('no canvas');
  const scale = Math.min(width / image.width, height / image.height);
  const [across, down] = [image.width * scale, image.height * scale];
  context.drawImage(image, (width - across) / 2, (height - down) / 2, across, down);
  const { data } = context.getImageData(0, 0, width, height);
  let text = '';
  for (let at = 0; at < data.length; at += 4) {
    const [red = 0, green = 0, blue = 0] = data.subarray(at, at + 3);
    text += String.fromCodePoint(Math.round(0.299 * red + 0.587 * green + 0.114 * blue));
  }
  return btoa(text);
}
