// Keeps the screen on while bytes move: a phone that goes dark freezes its page, and with it the transfer.

import { effect, type ReadonlySignal } from '@preact/signals';

/** The part of the platform that is used: `navigator.wakeLock` and `document`. */
export interface ScreenPlatform {
  /** Undefined where the browser has none, as on pages that are not secure. */
  readonly wakeLock: { request(type: 'screen'): Promise<HeldLock> } | undefined;
  readonly document: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;
}

export interface HeldLock {
  release(): Promise<void>;
  addEventListener(type: 'release', listener: () => void): void;
}

/** Until the function that it returns is called. */
export function keepScreenOn(
  isBusy: ReadonlySignal<boolean>,
  { wakeLock, document }: ScreenPlatform,
): () => void {
  if (wakeLock === undefined) return () => undefined;
  let held: HeldLock | undefined;
  let isAsking = false;
  const isWanted = (): boolean => isBusy.peek() && document.visibilityState === 'visible';
  const decide = (): void => {
    if (isWanted() && held === undefined && !isAsking) ask();
    else if (!isBusy.peek() && held !== undefined) letGo(held);
  };
  const letGo = (lock: HeldLock): void => {
    held = undefined;
    // One that the browser took back already is gone all the same.
    lock.release().catch(() => undefined);
  };
  const ask = (): void => {
    isAsking = true;
    wakeLock
      .request('screen')
      .then((lock) => {
        held = lock;
        // The browser takes it back when the page is hidden; `visibilitychange` asks again.
        lock.addEventListener('release', () => {
          if (held === lock) held = undefined;
        });
      })
      // Refused, as while the battery is low: the screen may go dark, and the transfer resumes afterwards.
      .catch(() => undefined)
      .finally(() => {
        isAsking = false;
        if (!isWanted()) decide();
      });
  };
  document.addEventListener('visibilitychange', decide);
  const stop = effect(() => {
    void isBusy.value;
    decide();
  });
  return () => {
    stop();
    document.removeEventListener('visibilitychange', decide);
    if (held !== undefined) letGo(held);
  };
}
