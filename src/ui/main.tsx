// Composition root of the app: takes the device for this tab, opens the pool with the browser's adapters, and
// renders.

import { signal } from '@preact/signals';
import { render } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { acquireDevice } from '../adapters/browser/page/tab-lock.ts';
import type { Palm } from '../runtime/api.ts';
import { App } from './app.tsx';
import { openBrowserPalm, openDownloadStore } from './compose.ts';
import { checkPlatform } from './platform-check.ts';
import { StartScreen, type StartState } from './start-screen.tsx';
import './styles/main.css';
import { explain } from './text/explain.ts';
import { watchForUpdate, type AppUpdate } from './state/app-update.ts';

type State =
  | StartState
  | { readonly kind: 'open'; readonly palm: Palm; readonly update: AppUpdate | undefined };

const downloadStore = openDownloadStore();
const state = signal<State>({ kind: 'opening' });

function Root() {
  const now = state.value;
  const [bug] = useErrorBoundary();
  // Reloading redraws everything from what is stored, which drawing cannot have changed.
  if (bug !== undefined) return <StartScreen state={{ kind: 'failed', reason: explain(bug) }} />;
  if (now.kind !== 'open') return <StartScreen state={now} />;
  const { palm } = now;
  return <App {...{ palm, downloadStore }} {...(now.update === undefined ? {} : { update: now.update })} />;
}

/** Never rejects: the screen shows the reason of any failure. */
async function start(): Promise<void> {
  const verdict = checkPlatform(globalThis);
  if (verdict.kind !== 'fit') {
    state.value = { kind: 'unfit', verdict };
    return;
  }
  let leave: (() => Promise<void>) | undefined;
  try {
    const acquired = acquireDevice({
      onWaiting: () => {
        state.value = { kind: 'other-tab' };
      },
    });
    const palm = openBrowserPalm(
      acquired.then(() => {
        state.value = { kind: 'opening' };
      }),
      () => state.value.kind === 'other-tab',
    );
    leave = () => palm.leave();
    await palm.ready;
    // In development modules come straight from the source: a service worker would serve stale ones.
    state.value = { kind: 'open', palm, update: import.meta.env.PROD ? watchForUpdate() : undefined };
  } catch (error) {
    state.value = { kind: 'failed', reason: explain(error), ...(leave === undefined ? {} : { leave }) };
  }
}

const container = document.getElementById('app');
if (container === null) throw new Error('index.html has no #app element.');
render(<Root />, container);
void start();
