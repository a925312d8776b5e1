// The service worker, seen from the page: it is registered after the app runs, and a new version waits until
// the person accepts it. Where service workers cannot run (private windows, a certificate that is not
// trusted) the app works without one, and only cannot be opened offline.

import { signal, type ReadonlySignal } from '@preact/signals';
import { Workbox } from 'workbox-window';

export interface AppUpdate {
  /** A newer version is installed and waits. */
  readonly ready: ReadonlySignal<boolean>;
  /** Activates it and reloads the page. */
  apply(): void;
}

/** Registers `/sw.js`; undefined where there are no service workers. */
export function watchForUpdate(): AppUpdate | undefined {
  if (!('serviceWorker' in navigator)) return undefined;
  const ready = signal(false);
  const workbox = new Workbox('/sw.js');
  workbox.addEventListener('waiting', () => {
    ready.value = true;
  });
  workbox.register().catch(() => {
    // The browser refused: nothing on the page depends on it, and there is nothing for a person to do.
    ready.value = false;
  });
  return {
    ready,
    apply() {
      workbox.addEventListener('controlling', () => location.reload());
      workbox.messageSkipWaiting();
    },
  };
}
