// Watches for events that must not happen in any page of any test: a request that leaves the relay's origin,
// an error on the console, an uncaught error. A test that provokes one declares it.

import type { BrowserContext } from '@playwright/test';

/** What pages log when their relay is killed: it resets what it was answering, and answers nothing after. */
export const RELAY_KILLED = /WebSocket connection to .* failed|ERR_CONNECTION_(?:REFUSED|RESET)/;

export class Faults {
  readonly #seen: string[] = [];
  readonly #allowed: RegExp[] = [];

  /** Watches every current and later page of `context`; its app is served from `appUrl`. */
  watch(context: BrowserContext, deviceName: string, appUrl: string): void {
    const { origin, host } = new URL(appUrl);
    const note = (text: string): void => void this.#seen.push(`${deviceName}: ${text}`);
    context.on('request', (request) => {
      const url = new URL(request.url());
      // The `origin` of a blob: URL is its creator's.
      if (url.origin !== origin && url.protocol !== 'data:') note(`request to ${request.url()}`);
    });
    context.on('console', (message) => {
      if (message.type() === 'error') note(`console error: ${message.text()}`);
    });
    context.on('weberror', (webError) => note(`uncaught error: ${webError.error().stack ?? ''}`));
    context.on('page', (page) => {
      page.on('websocket', (socket) => {
        if (new URL(socket.url()).host !== host) note(`WebSocket to ${socket.url()}`);
      });
      page.on('crash', () => note('the page crashed'));
    });
  }

  /** Notes what must not happen, seen by other means. */
  note(text: string): void {
    this.#seen.push(text);
  }

  /** Accepts faults whose text matches `pattern` in this test, before or after they happen. */
  allow(pattern: RegExp): void {
    this.#allowed.push(pattern);
  }

  unexpected(): string[] {
    return this.#seen.filter((text) => !this.#allowed.some((pattern) => pattern.test(text)));
  }
}
