// The service worker: keeps the app itself (never anyone's files), so that it opens without the relay or the
// network. A new version waits until the page asks for it: two versions never run at the same time.

import {
  cleanupOutdatedCaches,
  getCacheKeyForURL,
  matchPrecache,
  precacheAndRoute,
  type PrecacheEntry,
} from 'workbox-precaching';

declare const self: ServiceWorkerGlobalScope & {
  /** Filled in by the build: every file of the app with its revision. */
  readonly __WB_MANIFEST: (PrecacheEntry | string)[];
};

cleanupOutdatedCaches();
// The app has one page; what follows '#' never gets here.
precacheAndRoute(self.__WB_MANIFEST, { cleanURLs: false });

/** What the relay itself answers. */
const RELAY_PATHS: readonly string[] = [
  '/fingerprints',
  '/lan',
  '/palm-ca.crt',
  '/palm-ca.mobileconfig',
  '/ping',
  '/reached',
];

/** Whatever path is opened, the app answers: an invite may have become part of it. */
self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.mode !== 'navigate' || origin !== self.location.origin) return;
  const isRouted = pathname === '/' || getCacheKeyForURL(pathname) !== undefined;
  if (isRouted || RELAY_PATHS.includes(pathname)) return;
  event.respondWith(matchPrecache('/index.html').then((page) => page ?? fetch(event.request)));
});

self.addEventListener('message', (event) => {
  if (isSkipWaiting(event.data)) void self.skipWaiting();
});

/** The message of workbox-window's `messageSkipWaiting`. */
function isSkipWaiting(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'type' in data && data.type === 'SKIP_WAITING';
}
