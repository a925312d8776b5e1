// The other tabs of this browser, as tabs that share a device need them: messages, presence, and the moments
// in which the browser stops a tab.

import { absenceOf, type DeviceRequest, requestDevice, showPresence } from './tab-lock.ts';

export interface BrowserTabs {
  openChannel(
    name: string,
    onMessage: (message: unknown) => void,
  ): { post(message: unknown): void; close(): void };
  requestDevice(): DeviceRequest;
  showPresence(tabId: string): Promise<{ hide(): void }>;
  absenceOf(tabId: string): Promise<void>;
  watchFreezing(life: { freezes(): void; resumes(): void }): void;
}

export const browserTabs: BrowserTabs = {
  requestDevice,
  showPresence,
  absenceOf,
  openChannel(name, onMessage) {
    // The DOM library declares it always present. Without it, other tabs wait as if this one were stuck.
    if (!('BroadcastChannel' in globalThis)) return { post: () => undefined, close: () => undefined };
    // Copies between all tabs of an origin in every engine. What can transfer instead, a port, needs a
    // broker: a shared worker, which Chrome on Android had not for years, or a service worker, which private
    // windows and untrusted certificates rule out.
    const channel = new BroadcastChannel(name);
    channel.addEventListener('message', ({ data }) => onMessage(data));
    // A channel reaches its own origin only.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    return { post: (message) => channel.postMessage(message), close: () => channel.close() };
  },
  watchFreezing(life) {
    const freezes = (): void => life.freezes();
    const resumes = (): void => life.resumes();
    // Page Lifecycle: Chromium freezes hidden pages. A page in the back/forward cache is frozen in all
    // engines.
    document.addEventListener('freeze', freezes);
    document.addEventListener('resume', resumes);
    window.addEventListener('pagehide', ({ persisted }) => {
      if (persisted) freezes();
    });
    window.addEventListener('pageshow', ({ persisted }) => {
      if (persisted) resumes();
    });
  },
};
