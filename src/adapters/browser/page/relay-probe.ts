// Finds out why the relay cannot be reached: asks the page's own origin, and nothing else, once over HTTP and
// once over a WebSocket. A page learns of a failed connection only that it failed, so what can be told apart
// is whether anything answers, what it says, and how soon a connection fails.

import type { RelaySeen } from '../../../core/doctor/facts.ts';
import { REACHED_PATH } from '../../../core/model/relay-paths.ts';
import type { RelayTrouble } from '../../../core/model/relay-trouble.ts';
import {
  decodeRelayFrame,
  encodeClientFrame,
  FIRST_RELAY_CODE,
  RELAY_PATH,
  RELAY_SUBPROTOCOL,
} from '../../../core/wire/relay-protocol.ts';

/** An answer must come within this, ms: ample on any LAN. */
const ANSWER_WITHIN_MS = 6_000;
/** A pong must: Firefox lets a WebSocket wait for up to a minute where earlier ones failed, ms. */
const SOCKET_WITHIN_MS = 65_000;
/** A try of a WebSocket takes moments unless it waits, ms. */
const SLOW_MS = 2_000;
/**
 * A connection that fails sooner was refused, ms. Where nobody is at an address, systems try for three
 * seconds or more.
 */
const AT_ONCE_MS = 1_500;
/** HTTP: the relay was asked for by a name that is none of its own. */
const MISDIRECTED = 421;
/** The relay's answer is shorter than this, characters. */
const MAX_ANSWER_CHARS = 1_000;

/**
 * Never rejects. `slow` is called if the relay answers, and the WebSocket takes so long to try that people
 * should be told that much.
 */
export async function probeRelay(slow: () => void): Promise<RelayTrouble> {
  const asked = await askRelay();
  if (asked.kind !== 'passed') return asked;
  const slowTimer = setTimeout(slow, SLOW_MS);
  return trySocket().finally(() => clearTimeout(slowTimer));
}

/** Asks over HTTP. Never rejects. */
export async function askRelay(): Promise<RelaySeen> {
  const begunAtMs = performance.now();
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), ANSWER_WITHIN_MS);
  try {
    const response = await fetch(REACHED_PATH, {
      cache: 'no-store',
      headers: { Accept: 'application/json' },
      redirect: 'manual',
      signal: control.signal,
    });
    const text = response.type === 'opaqueredirect' ? '' : await response.text();
    return judged(response.status, text);
  } catch {
    // Browsers give no reason.
    if (!navigator.onLine) return { kind: 'offline' };
    return { kind: performance.now() - begunAtMs < AT_ONCE_MS ? 'refused' : 'no-answer' };
  } finally {
    clearTimeout(timer);
  }
}

function judged(status: number, text: string): RelaySeen {
  if (status === MISDIRECTED) return { kind: 'other-host', seen: undefined };
  const seen = status === 200 ? originIn(text) : undefined;
  if (seen === undefined) return { kind: 'not-palm', status };
  return seen === location.origin ? { kind: 'passed' } : { kind: 'other-host', seen };
}

/** The origin at which the relay says that it was asked; undefined when this is no relay's answer. */
function originIn(text: string): string | undefined {
  if (text.length > MAX_ANSWER_CHARS) return undefined;
  try {
    const answer: unknown = JSON.parse(text);
    const hasOrigin = typeof answer === 'object' && answer !== null && 'origin' in answer;
    return hasOrigin && typeof answer.origin === 'string' ? answer.origin : undefined;
  } catch {
    return undefined;
  }
}

/**
 * A client may send pings before it enters a room, so both directions can be tried. Rejects only if there can
 * be no WebSocket at all.
 */
export async function trySocket(
  signal?: AbortSignal,
): Promise<Extract<RelayTrouble, { kind: 'passed' | 'no-socket' | 'closed' }>> {
  const url = new URL(RELAY_PATH, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, RELAY_SUBPROTOCOL);
  socket.binaryType = 'arraybuffer';
  const outcome = new Promise<Awaited<ReturnType<typeof trySocket>>>((resolve) => {
    const timer = setTimeout(() => resolve({ kind: 'no-socket' }), SOCKET_WITHIN_MS);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve({ kind: 'no-socket' });
    });
    socket.addEventListener('close', ({ code, reason }) => {
      clearTimeout(timer);
      resolve(code >= FIRST_RELAY_CODE ? { kind: 'closed', reason } : { kind: 'no-socket' });
    });
    socket.addEventListener('open', () => socket.send(encodeClientFrame({ kind: 'ping' })));
    socket.addEventListener('message', ({ data }) =>
      resolve({ kind: isPong(data) ? 'passed' : 'no-socket' }),
    );
  });
  return outcome.finally(() => socket.close());
}

function isPong(data: unknown): boolean {
  if (!(data instanceof ArrayBuffer)) return false;
  try {
    return decodeRelayFrame(new Uint8Array(data)).kind === 'pong';
  } catch {
    // Whoever that is, it is no relay.
    return false;
  }
}
