// The service worker, seen from the page: it is registered after the app runs, and a new version waits until
// the person takes it. Where service workers cannot run (private windows, a certificate that is not trusted)
// the app goes on without one: only opening it offline is missing.

import { signal, type ReadonlySignal } from '@preact/signals';
import { Workbox } from 'workbox-window';

export interface AppUpdate {
  /** A newer version is installed and waits. */
  readonly ready: ReadonlySignal<boolean>;
  /** Activates it and loads the page anew. */
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
    // Refused by the browser: nothing that the page does depends on it, and there is nothing for a person to
    // do.
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
