// Installing the app on the home screen: where the browser asks by an event (Chromium), and where the person
// does it by hand (iPhones and iPads). Installed, Palm opens without the relay, and engines keep its storage.

import { signal, type ReadonlySignal } from '@preact/signals';

/** 'by-hand': the steps are shown. */
export type InstallWay = 'none' | 'offered' | 'by-hand';

export interface Install {
  readonly way: ReadonlySignal<InstallWay>;
  /** The browser's own question follows. Call it within a press of a button. */
  accept(): void;
  /** Is not offered again for some months. */
  decline(): void;
}

/** In no standard; Chromium's browsers fire it where the app is not installed and can be. */
interface InstallPrompt extends Event {
  prompt(): Promise<{ readonly outcome: 'accepted' | 'dismissed' }>;
}

const DECLINED = 'palm-install-declined';
const DECLINED_FOR_MS = 90 * 24 * 60 * 60_000;

/** Call it with the first script: the event comes once, and early. */
export function watchForInstall(): Install {
  const way = signal<InstallWay>('none');
  let prompt: InstallPrompt | undefined;
  const decline = (): void => {
    way.value = 'none';
    remember();
  };
  window.addEventListener('beforeinstallprompt', (event) => {
    // The browser's own bar would come at once, whatever the person is doing.
    event.preventDefault();
    if (!isPrompt(event) || isDeclined()) return;
    prompt = event;
    way.value = 'offered';
  });
  window.addEventListener('appinstalled', () => (way.value = 'none'));
  if (isAppleTab() && 'serviceWorker' in navigator && !isDeclined()) {
    // Without a service worker, as behind a certificate that is not trusted, it would not open offline.
    void navigator.serviceWorker.ready.then(() => (way.value = 'by-hand'));
  }
  return {
    way,
    decline,
    accept() {
      way.value = 'none';
      void prompt?.prompt().then(({ outcome }) => {
        if (outcome === 'dismissed') decline();
      });
      // It can be asked once.
      prompt = undefined;
    },
  };
}

function isPrompt(event: Event): event is InstallPrompt {
  return 'prompt' in event && typeof event.prompt === 'function';
}

/** A page in a tab on an iPhone or iPad, which calls itself a Mac. */
function isAppleTab(): boolean {
  const isIpad = navigator.userAgent.includes('Macintosh') && navigator.maxTouchPoints > 1;
  const isApple = isIpad || /iPhone|iPad|iPod/.test(navigator.userAgent);
  return isApple && !matchMedia('(display-mode: standalone)').matches;
}

function isDeclined(): boolean {
  try {
    const atMs = Number(localStorage.getItem(DECLINED) ?? Number.NaN);
    // A clock that was set back since does not end it early; one that is far off ends it at last.
    return Math.abs(Date.now() - atMs) < DECLINED_FOR_MS;
  } catch {
    // No storage is given: there is nothing to remember it by.
    return false;
  }
}

function remember(): void {
  try {
    localStorage.setItem(DECLINED, `${Date.now()}`);
  } catch {
    // As above: it is offered again by the next page.
  }
}
