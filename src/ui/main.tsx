// Composition root of the app: draws the first screen, loads the rest behind it, takes the device for this
// tab, and opens the pool with the browser's adapters.
//
// This module and what it imports are all that the first screen needs. `palm.ready` waits until everything
// else is here, because its origin may be gone later.

import { signal } from '@preact/signals';
import { render, type ComponentType } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { whyNotImported } from '../adapters/browser/page/app-part.ts';
import { firstPaint } from '../adapters/browser/page/first-paint.ts';
import { isNewBrowser } from '../adapters/browser/page/new-browser.ts';
import { browserPasskeys } from '../adapters/browser/page/passkeys.ts';
import { requestDevice } from '../adapters/browser/page/tab-lock.ts';
import { isPalmError } from '../core/model/errors.ts';
import { FINGERPRINTS_PATH, LAN_PATH } from '../core/model/relay-paths.ts';
import type { Palm } from '../runtime/api.ts';
import { AwaitedPalm } from '../runtime/awaited-palm.ts';
import type { Sharing } from '../runtime/tabs/seats.ts';
import type { DeviceRequest } from '../runtime/tabs/tab-ports.ts';
import { WordedPalm, type WordlessPalm } from '../runtime/worded-palm.ts';
import { App } from './app.tsx';
import type { Diagnose } from './dialogs/doctor-dialog.tsx';
import { loadDetector } from './dialogs/camera.ts';
import type { DownloadStore } from './download/download-store.ts';
import { awaitedStore } from './download/awaited-store.ts';
import { checkPlatform } from './platform-check.ts';
import { isLoopback } from './route.ts';
import { StartScreen, type StartState } from './start-screen.tsx';
import './styles/main.css';
import { guessDeviceName } from './text/device-name.ts';
import { explain } from './text/explain.ts';
import { watchForUpdate, type AppUpdate } from './state/app-update.ts';
import type { ProbeRelay } from './state/relay-trouble.ts';
import { askRelay } from './state/relay-answers.ts';
import { watchForInstall } from './state/install.ts';
import { refuseStrayDrops } from './state/stray-drops.ts';
import { words } from './text/words.ts';

declare global {
  // The public face for scripts and tests; docs/API.md describes it.
  var palm: Palm;
}

type State = StartState | ({ readonly kind: 'open'; readonly palm: Palm } & Omit<Rest, 'device'>);

/** What the first screen does without. */
interface Rest {
  readonly device: WordlessPalm;
  readonly downloadStore: DownloadStore;
  readonly probeRelay: ProbeRelay;
}

const state = signal<State>({ kind: 'opening' });
const poolScreen = signal<ComponentType | undefined>(undefined);
const update = signal<AppUpdate | undefined>(undefined);
const install = watchForInstall();
/** How many tabs ended whose work may go on in this one. */
const endedTabs = signal(0);

/** Loaded when it is asked for: a page that opens has a doctor of its own. */
const diagnose: Diagnose = async (options) => (await import('./compose-doctor.ts')).diagnoseAlone(options);

function Root() {
  const now = state.value;
  const [bug] = useErrorBoundary();
  // Reloading redraws everything from what is stored, which drawing cannot have changed.
  if (bug !== undefined)
    return <StartScreen state={{ kind: 'failed', reason: explain(bug) }} diagnose={diagnose} />;
  if (now.kind !== 'open') return <StartScreen state={now} diagnose={diagnose} />;
  const { palm, downloadStore, probeRelay } = now;
  return <App {...{ palm, downloadStore, probeRelay, poolScreen, update, install, endedTabs }} />;
}

/** Never rejects: the screen shows the reason of any failure. */
async function start(): Promise<void> {
  const verdict = checkPlatform(globalThis);
  if (verdict.kind !== 'fit') {
    state.value = { kind: 'unfit', verdict };
    return;
  }
  let showFirst: (() => void) | undefined;
  const isFirstShown = new Promise<void>((resolve) => (showFirst = resolve));
  const request = requestDevice();
  const rest = isFirstShown.then(() => loadRest(request));
  const coming = rest.then(({ device }) => device);
  const awaited = new AwaitedPalm(coming, guessDeviceName(navigator.userAgent));
  const palm = new WordedPalm(awaited, words, browserPasskeys);
  globalThis.palm = palm;
  const downloadStore = awaitedStore(palm.ready.then(async () => (await rest).downloadStore));
  const probeRelay: ProbeRelay = async (slow) => (await rest).probeRelay(slow);
  try {
    // A browser without a device is in no pool: its first screen needs nothing else, and is drawn first. Any
    // other waits for the rest.
    if (!(await request.isElsewhere) && (await isNewBrowser())) {
      state.value = { kind: 'open', palm, downloadStore, probeRelay };
      await firstPaint();
    }
    showFirst?.();
    await palm.ready;
    if (state.value.kind !== 'open') state.value = { kind: 'open', palm, downloadStore, probeRelay };
    // In development modules come straight from the source: a service worker would serve stale ones.
    if (import.meta.env.PROD) update.value = watchForUpdate(palm);
  } catch (error) {
    state.value = { kind: 'failed', reason: explain(error), leave: () => palm.leave() };
    showFirst?.();
  }
}

/** An app that is open stays as it is: its calls wait. */
function showSharing(sharing: Sharing): void {
  if (state.value.kind === 'open') return;
  state.value = sharing === 'usable' ? { kind: 'opening' } : { kind: 'other-tab', sharing };
}

/**
 * The app does without the relay's answers, ms: packets to one that sleeps are lost, and a browser goes on
 * for minutes.
 */
const ANSWERS_WITHIN_MS = 1_000;

/**
 * Loads everything that the app will ever need, in every tab: one that does not run the device may have to
 * after the relay is gone.
 * @throws PalmError 'worker-failed' when a part does not arrive.
 */
async function loadRest(firstRequest: DeviceRequest): Promise<Rest> {
  try {
    const answers = Promise.all([
      askRelay(FINGERPRINTS_PATH),
      isLoopback(location.hostname) ? askRelay(LAN_PATH) : undefined,
    ]);
    const [{ openDevice, openDownloadStore, probeRelay }, { PoolScreen }, parts] = await Promise.all([
      import('./compose.ts'),
      import('./pool/pool-screen.tsx'),
      import('./loaded-parts.ts').then(({ loadParts }) => loadParts()),
      loadDetector(),
      // For a device that does not open.
      import('./compose-doctor.ts'),
    ]);
    poolScreen.value = PoolScreen;
    const device = openDevice(
      {
        firstRequest,
        build: import.meta.url,
        sharing: showSharing,
        tabEnded: () => (endedTabs.value += 1),
        storageGone: () => {
          state.value = { kind: 'gone', reason: words.errorText({ code: 'storage-failed', reason: 'gone' }) };
        },
        deviceName: guessDeviceName(navigator.userAgent),
      },
      parts,
    );
    await Promise.race([answers, new Promise((resolve) => setTimeout(resolve, ANSWERS_WITHIN_MS))]);
    return { device, downloadStore: openDownloadStore(parts), probeRelay };
  } catch (error) {
    throw isPalmError(error) ? error : await whyNotImported(import.meta.url, error);
  }
}

const container = document.getElementById('app');
if (container === null) throw new Error('index.html has no #app element.');
render(<Root />, container);
refuseStrayDrops();
void start();
