// What becomes of the page, as far as links care: it goes away, it comes back, the network comes back.

import type { PageLife } from '../../portable/links/connection.ts';

/** Tells `life` from now on. Returns what ends that. */
export function watchPageLife(life: PageLife): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  let frozenAtMs: number | undefined;
  const woke = (): void => {
    life.woke();
  };
  window.addEventListener(
    'pagehide',
    () => {
      life.leaving();
    },
    { signal },
  );
  window.addEventListener('pageshow', woke, { signal });
  window.addEventListener('online', woke, { signal });
  document.addEventListener(
    'freeze',
    () => {
      frozenAtMs = performance.now();
      life.freezing();
    },
    { signal },
  );
  // Page Lifecycle, "resume": Chromium froze the page and lets it run again. Nothing else tells for how long
  // if no timer was due meanwhile.
  document.addEventListener(
    'resume',
    () => {
      life.woke(frozenAtMs === undefined ? 0 : performance.now() - frozenAtMs);
      frozenAtMs = undefined;
    },
    { signal },
  );
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') life.woke();
      // A file picker, the camera or a share sheet hides a phone's page, too, and engines other than Chromium
      // freeze hidden pages without an event.
      else life.freezing();
    },
    { signal },
  );
  return () => {
    ending.abort();
  };
}
