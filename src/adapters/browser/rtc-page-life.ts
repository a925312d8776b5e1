// What becomes of the page, as far as links care: it goes away, it comes back, the network comes back.

export interface PageLife {
  /** The page is closing, or put aside where nothing runs: the last moment to say goodbye. */
  leaving(): void;
  /** Something may have been missed: links and the relay are to be checked now. */
  woke(): void;
}

/** Tells `life` from now on; the answer ends that. */
export function watchPageLife(life: PageLife): () => void {
  const ending = new AbortController();
  const { signal } = ending;
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
  // Page Lifecycle, "resume": Chromium froze the page and lets it run again.
  document.addEventListener('resume', woke, { signal });
  document.addEventListener(
    'visibilitychange',
    () => {
      if (document.visibilityState === 'visible') life.woke();
    },
    { signal },
  );
  return () => {
    ending.abort();
  };
}
