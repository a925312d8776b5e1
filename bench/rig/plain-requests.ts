// A page's plain requests to plain-server.mjs, which it came from.

import type { Page } from '@playwright/test';

/** One request's body, bytes: a run of the lane. */
const BODY_BYTES = 2 ** 20;

/** ms until all have come. */
export function fetchPlain(page: Page, byteCount: number): Promise<number> {
  return page.evaluate(async (wantedBytes) => {
    const startMs = performance.now();
    const reader = (await fetch(`/${wantedBytes}`, { cache: 'no-store' })).body?.getReader();
    let receivedBytes = 0;
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read())
      receivedBytes += next.value.length;
    if (receivedBytes !== wantedBytes) throw new Error(`${receivedBytes} of ${wantedBytes} bytes arrived.`);
    return performance.now() - startMs;
  }, byteCount);
}

/** ms until all were taken: two requests at a time, as the lane makes them. */
export function sendPlain(page: Page, byteCount: number): Promise<number> {
  return page.evaluate(
    async ([wantedBytes, bodyBytes]) => {
      const startMs = performance.now();
      // Chromium sends a Blob's bytes ten times as fast as those of an array.
      const body = new Blob([new Uint8Array(bodyBytes)]);
      let left = wantedBytes;
      const sendAll = async (): Promise<void> => {
        while (left > 0) {
          const part = body.slice(0, Math.min(left, bodyBytes));
          left -= part.size;
          await fetch('/', { method: 'POST', body: part });
        }
      };
      await Promise.all([sendAll(), sendAll()]);
      return performance.now() - startMs;
    },
    [byteCount, BODY_BYTES] as const,
  );
}
