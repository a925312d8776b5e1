// Why the relay cannot be reached. It is tried while the relay is lost and nobody else is linked: one try at
// a time, further and further apart, and at once when the browser says that the network changed or somebody
// comes back to the page.

import { signal, type ReadonlySignal } from '@preact/signals';
import type { RelayTrouble } from '../../core/model/relay-trouble.ts';
import type { Palm } from '../../runtime/api.ts';

/** Never rejects. `slow` is called if the relay answers, and only its WebSocket takes long to try. */
export type ProbeRelay = (slow: () => void) => Promise<RelayTrouble>;

/** The first wait before the next try, ms; it doubles with each. */
const FIRST_WAIT_MS = 4_000;
/** Short enough that a sentence is right again soon after its cause is mended. */
const LONGEST_WAIT_MS = 30_000;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'trying' }
  | { readonly kind: 'waiting'; readonly cancel: () => void };

export interface RelayWatch {
  /** Undefined while there is none, or none was found yet. */
  readonly trouble: ReadonlySignal<RelayTrouble | undefined>;
  stop(): void;
}

/** `watchPage` calls back when a try may turn out otherwise. It returns the unsubscribe function. */
export function watchRelay(
  palm: Pick<Palm, 'status' | 'subscribe'>,
  probe: ProbeRelay,
  delay: (delayMs: number, callback: () => void) => () => void,
  watchPage: (changed: () => void) => () => void = watchNetwork,
): RelayWatch {
  const trouble = signal<RelayTrouble | undefined>(undefined);
  let state: State = { kind: 'idle' };
  let waitMs = FIRST_WAIT_MS;
  let isStopped = false;

  const tryNow = async (): Promise<void> => {
    if (state.kind === 'waiting') state.cancel();
    state = { kind: 'trying' };
    const found = await probe(() => {
      // What was found to stop WebSockets may do so still.
      if (isCutOff(palm) && trouble.value?.kind !== 'no-socket') trouble.value = { kind: 'passed' };
    });
    if (isStopped || !isCutOff(palm)) {
      state = { kind: 'idle' };
      return;
    }
    trouble.value = found;
    const cancel = delay(waitMs, () => void tryNow());
    state = { kind: 'waiting', cancel };
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  };
  const look = (): void => {
    const { pool } = palm.status();
    if (isCutOff(palm)) {
      if (state.kind === 'idle' && pool?.relay === 'lost') void tryNow();
      return;
    }
    trouble.value = undefined;
    waitMs = FIRST_WAIT_MS;
    if (state.kind !== 'waiting') return;
    state.cancel();
    state = { kind: 'idle' };
  };
  const unsubscribe = palm.subscribe(look);
  const unwatch = watchPage(() => {
    if (state.kind === 'waiting') void tryNow();
  });
  look();
  return {
    trouble,
    stop() {
      isStopped = true;
      unsubscribe();
      unwatch();
      if (state.kind === 'waiting') state.cancel();
    },
  };
}

/** Neither the relay nor another device is connected. */
function isCutOff(palm: Pick<Palm, 'status'>): boolean {
  const { pool, devices } = palm.status();
  if (pool === undefined || pool.relay === 'connected') return false;
  return devices.every((device) => device.self || device.state !== 'reachable');
}

function watchNetwork(changed: () => void): () => void {
  const shown = (): void => {
    if (document.visibilityState === 'visible') changed();
  };
  window.addEventListener('online', changed);
  window.addEventListener('offline', changed);
  document.addEventListener('visibilitychange', shown);
  return () => {
    window.removeEventListener('online', changed);
    window.removeEventListener('offline', changed);
    document.removeEventListener('visibilitychange', shown);
  };
}
