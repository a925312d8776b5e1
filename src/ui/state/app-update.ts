// Newer versions of the app, looked for while the page is open: now and then, when somebody comes back to the
// page or the network, and when the relay comes back, which is when it was updated.
//
// With a service worker, a new version waits until the person accepts it. Where none can run (private
// windows, a certificate that is not trusted) the relay's page is compared with this one, and accepting
// reloads it.

import { signal, type ReadonlySignal } from '@preact/signals';
import { Workbox } from 'workbox-window';
import type { Palm } from '../../runtime/api.ts';

export interface AppUpdate {
  /** A newer version can be had. */
  readonly ready: ReadonlySignal<boolean>;
  /** Activates it and reloads the page. */
  apply(): void;
}

/** Where a newer version is looked for. */
interface Source {
  /** Whether there is one; false when nobody answers. Never rejects. */
  look(): Promise<boolean>;
  apply(): void;
}

/** A look costs the relay some hundred bytes. Hidden pages do not look. */
const LOOK_EVERY_MS = 5 * 60_000;

/** Looks from now on, for as long as the page is open. */
export function watchForUpdate(palm: Pick<Palm, 'status' | 'subscribe'>): AppUpdate {
  const ready = signal(false);
  const source = findSource(() => (ready.value = true));
  const look = (): void => {
    if (ready.value || document.visibilityState === 'hidden') return;
    void source.then((found) => found.look()).then((isNewer) => (ready.value ||= isNewer));
  };
  setInterval(look, LOOK_EVERY_MS);
  document.addEventListener('visibilitychange', look);
  window.addEventListener('online', look);
  whenRelayReturns(palm, look);
  return {
    ready,
    apply: () => void source.then((found) => found.apply()),
  };
}

function whenRelayReturns(palm: Pick<Palm, 'status' | 'subscribe'>, look: () => void): void {
  let wasLost = false;
  palm.subscribe(() => {
    const relay = palm.status().pool?.relay;
    if (relay === 'connected' && wasLost) look();
    if (relay !== 'connecting') wasLost = relay === 'lost';
  });
}

/** `onWaiting` is called when the browser finds a newer version without being asked. */
async function findSource(onWaiting: () => void): Promise<Source> {
  return (await workerSource(onWaiting)) ?? pageSource();
}

/** Registers `/sw.js`; undefined where it cannot be registered. */
async function workerSource(onWaiting: () => void): Promise<Source | undefined> {
  if (!('serviceWorker' in navigator)) return undefined;
  const workbox = new Workbox('/sw.js');
  workbox.addEventListener('waiting', onWaiting);
  // No worker has a page on its first visit, so a newer one waits for nothing.
  workbox.addEventListener('activated', ({ isExternal }) => {
    if (isExternal === true) onWaiting();
  });
  let registration: ServiceWorkerRegistration | undefined;
  try {
    registration = await workbox.register();
    if (registration === undefined) return undefined;
  } catch {
    // The browser refused, as behind a certificate that it does not trust: there is nothing to do about it.
    return undefined;
  }
  return {
    async look() {
      // A newer version shows as 'waiting' once it is installed. Without the relay nothing is found.
      await workbox.update().catch(() => undefined);
      return false;
    },
    apply() {
      // It is in already, as when another tab let it in: only this page is still the one of before.
      if (registration.waiting === null) return location.reload();
      workbox.addEventListener('controlling', () => location.reload());
      workbox.messageSkipWaiting();
    },
  };
}

/** Compares the script that the relay's page names, whose name carries a hash, with the one that runs. */
function pageSource(): Source {
  const own = document.querySelector<HTMLScriptElement>('script[type="module"][src]')?.getAttribute('src');
  return {
    async look() {
      if (typeof own !== 'string') return false;
      try {
        const response = await fetch('/', { cache: 'no-cache' });
        const page = response.ok ? await response.text() : '';
        // Something else may answer at this address by now.
        return page.includes('id="app"') && !page.includes(own);
      } catch {
        return false;
      }
    },
    apply: () => location.reload(),
  };
}
