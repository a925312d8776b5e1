// What the connection doctor tries in a page. Nothing here asks the person for anything, except the camera,
// and that only when it may be opened.

import { addressKindOf } from '../../../core/doctor/address-kind.ts';
import type {
  ClockSeen,
  DoctorProbes,
  EventsSeen,
  NameSeen,
  PermissionSeen,
  WorkerSeen,
} from '../../../core/doctor/facts.ts';
import { REACHED_PATH } from '../../../core/model/relay-paths.ts';
import { RELAY_EVENTS_PATH } from '../../../core/wire/relay-protocol.ts';
import { relayClock } from '../../portable/doctor/relay-clock.ts';
import { gatherCandidates, tryLoopback } from '../../portable/doctor/webrtc-probes.ts';
import { askRelay, trySocket } from '../page/relay-probe.ts';
import { pageSurroundings } from './page-surroundings.ts';
import { tryCamera } from './camera-probe.ts';
import { lookAtStorage } from './storage-probe.ts';

/** The relay answers this to anybody, of any origin. */
const PING_PATH = '/ping';
/** What Chromium called and calls the permission (since 142 and 145); Firefox has the later ones. */
const LOCAL_NETWORK_PERMISSIONS = ['local-network', 'local-network-access'];
/** The relay's own name has this form: nothing else that an answer says is asked for anything. */
const RELAY_NAME = /^https:\/\/[a-z0-9-]{1,63}\.local(?::\d{1,5})?$/u;

export function browserProbes(): DoctorProbes {
  return {
    surroundings: pageSurroundings,
    relay: askRelay,
    socket: async (signal) => {
      const { kind } = await trySocket(signal);
      if (kind === 'passed') return 'pong';
      return kind === 'closed' ? 'closed' : 'refused';
    },
    events: tryEvents,
    worker: lookAtWorker,
    ...(addressKindOf(location.hostname) === 'ip' ? { name: tryName } : {}),
    candidates: (signal) => gatherCandidates(signal, globalThis),
    loopback: (signal) => tryLoopback(signal, globalThis),
    localNetwork: lookAtLocalNetwork,
    camera: tryCamera,
    storage: lookAtStorage,
    relayClock: readClock,
  };
}

function tryEvents(signal: AbortSignal): Promise<EventsSeen> {
  const events = new EventSource(RELAY_EVENTS_PATH);
  const outcome = new Promise<EventsSeen>((resolve) => {
    events.addEventListener('opened', () => resolve('opened'));
    events.addEventListener('error', () => resolve('refused'));
    signal.addEventListener('abort', () => resolve('refused'));
  });
  return outcome.finally(() => events.close());
}

/** Registers the app's own worker, as the app does; one that is there is left as it is. */
async function lookAtWorker(): Promise<WorkerSeen> {
  if (!('serviceWorker' in navigator)) return 'absent';
  if (navigator.serviceWorker.controller !== null) return 'controls';
  const known = await navigator.serviceWorker.getRegistration();
  if (known !== undefined && known.active !== null) return 'registered';
  try {
    await navigator.serviceWorker.register('/sw.js');
    return 'registered';
  } catch (error) {
    if (error instanceof DOMException && error.name === 'SecurityError') return 'refused';
    throw error;
  }
}

/** Asks the relay by its own name, which it says. */
async function tryName(signal: AbortSignal): Promise<NameSeen> {
  const reached = await fetch(REACHED_PATH, {
    cache: 'no-store',
    headers: { Accept: 'application/json' },
    signal,
  });
  const answer: unknown = await reached.json();
  const name: unknown =
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, 'name') : undefined;
  if (typeof name !== 'string' || !RELAY_NAME.test(name)) return 'no-name';
  try {
    await fetch(name + PING_PATH, { cache: 'no-store', signal });
    return 'answers';
  } catch {
    return 'silent'; // browsers give no reason
  }
}

async function lookAtLocalNetwork(): Promise<PermissionSeen | 'absent'> {
  for (const name of LOCAL_NETWORK_PERMISSIONS) {
    try {
      // The library does not know these names yet.
      const { state } = await navigator.permissions.query({ name: name as PermissionName });
      return state;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a name that the browser does not know
    }
  }
  return 'absent';
}

async function readClock(signal: AbortSignal): Promise<ClockSeen> {
  const askedAtMs = Date.now();
  const { headers } = await fetch(PING_PATH, { cache: 'no-store', signal });
  const clock = relayClock(headers.get('date'), askedAtMs, Date.now());
  if (clock === undefined) throw new TypeError('an answer without a date');
  return clock;
}
