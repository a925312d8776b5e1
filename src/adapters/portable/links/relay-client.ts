// The client end of the relay: one WebSocket in one room or its lobby, reopened until it is closed for good.
//
// Invariants: at most one socket at a time, and events of an earlier one do not count; a relay that falls
// silent is noticed within DEAD_AFTER_MS; bytes waiting in the socket are bounded. Frames from the relay go
// through their decoder, and one that fails it ends the connection: the relay is trusted with carrying
// envelopes, and with nothing more.

import { ClockWatch } from '../../../core/clock-watch.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import { MAX_RELAY_FRAME_BYTES } from '../../../core/model/limits.ts';
import type { MonotonicMs } from '../../../core/model/time.ts';
import type { Clock, Random } from '../../../core/ports.ts';
import type { RelayState } from '../../../core/transport-port.ts';
import {
  decodeRelayFrame,
  encodeClientFrame,
  FIRST_RELAY_CODE,
  RELAY_ICE_SUBPROTOCOL,
  RELAY_SUBPROTOCOL,
  type ClientFrame,
  type ConnectionId,
  type EntryFrame,
  type ListedPool,
  type IceOffer,
  type RelayFrame,
} from '../../../core/wire/relay-protocol.ts';

const SUBPROTOCOLS = [RELAY_ICE_SUBPROTOCOL, RELAY_SUBPROTOCOL];
/** From opening a socket to the relay's 'entered'. */
const ENTER_TIMEOUT_MS = 8_000;
/** A WebSocket that a proxy swallows neither opens nor fails. */
const TRIAL_MS = 3_000;
/** Silence after which the relay is asked for a sign of life. */
const PING_AFTER_MS = 3_000;
/** Silence after which it is given up; the time since the ping is ample on any LAN. */
const DEAD_AFTER_MS = 9_000;
/**
 * Time to answer when we may have slept: a LAN needs milliseconds, and links that did not survive either can
 * only be mended through the relay. A relay that was merely slow is entered again.
 */
const CHECK_MS = 500;
/** A socket that opens for longer than this when we wake began before we slept. */
const OPENING_MS = 1_000;
/**
 * A timer that fires this late, or a clock that jumped this far ahead, means that we slept: silence before it
 * says nothing about the relay.
 */
const OVERSLEPT_MS = 5_000;
/** The first wait before opening again; doubles with each failure. */
const BACKOFF_FIRST_MS = 500;
/** Short enough that people find a restarted relay while they still look. */
const BACKOFF_MAX_MS = 10_000;
/** A connection that lasted this long was sound: the next wait starts over. */
const STABLE_AFTER_MS = 10_000;
/** Bytes waiting in the socket; beyond it envelopes are dropped, as on any lossy path. */
const MAX_BUFFERED_BYTES = 32 * MAX_RELAY_FRAME_BYTES;

/** The part of a WebSocket that is used: the platform's, or the `ws` package's in Node. */
export interface RelaySocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: 'open' | 'error', listener: () => void): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(
    type: 'close',
    listener: (event: { readonly code: number; readonly reason: string }) => void,
  ): void;
}

/** Makes a relay socket: for example the platform's WebSocket. */
export type RelaySocketClass = new (url: string, subprotocols: string[]) => RelaySocket;

export interface RelayClientOptions {
  /** ws: or wss:, with the path. */
  readonly url: string;
  readonly entry: EntryFrame;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: the platform's WebSocket. */
  readonly WebSocket?: RelaySocketClass | undefined;
  /** Used where a relay that answers is not reached by a WebSocket. */
  readonly Fallback?: RelaySocketClass | undefined;
}

export interface RelayClientEvents {
  state(state: RelayState): void;
  /** We are in the room with these. Clients that left before the last 'lost' are not reported. */
  entered(others: readonly ConnectionId[]): void;
  /** In the lobby, to look: these pools are listed now. */
  pools?(pools: readonly ListedPool[]): void;
  /** Another one is. */
  listed?(pool: ListedPool): void;
  arrived(connection: ConnectionId): void;
  departed(connection: ConnectionId): void;
  /** The callee owns `envelope`. */
  envelope(from: ConnectionId, envelope: Uint8Array): void;
  /** The relay sent something it should not, or closed us for a reason of its own. */
  rejected(rejection: Rejection): void;
  /** What the relay offers links, until it says otherwise. */
  ice?(offer: IceOffer): void;
}

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'waiting'; readonly cancel: () => void }
  | {
      readonly kind: 'entering';
      readonly socket: RelaySocket;
      readonly sinceMs: MonotonicMs;
      readonly cancel: () => void;
    }
  | {
      readonly kind: 'entered';
      readonly socket: RelaySocket;
      readonly sinceMs: MonotonicMs;
      pingAtMs: MonotonicMs;
      deadAtMs: MonotonicMs;
      /** It has to show soon that it survived this device's sleep. */
      isWaking: boolean;
      cancel: () => void;
    };

type Entered = Extract<State, { kind: 'entered' }>;

const OPEN = 1;

export class RelayClient {
  readonly #options: RelayClientOptions;
  readonly #WebSocket: RelaySocketClass;
  readonly #clockWatch: ClockWatch;
  #events: RelayClientEvents | undefined;
  #state: State = { kind: 'closed' };
  #failureCount = 0;
  /** Whether the next socket is a fallback: of attempts that fail before they are open, every other one. */
  #fallsBack = false;

  constructor(options: RelayClientOptions) {
    this.#options = options;
    this.#WebSocket = options.WebSocket ?? globalThis.WebSocket;
    this.#clockWatch = new ClockWatch(options.clock);
  }

  /** Starts connecting. May be called once. */
  open(events: RelayClientEvents): void {
    this.#events = events;
    this.#connect();
  }

  /**
   * Sends an envelope to one connection, or to everyone else. Returns false when it could not be handed over.
   */
  forward(to: ConnectionId | null, envelope: Uint8Array): boolean {
    if (this.#state.kind !== 'entered') return false;
    return this.#send(this.#state.socket, { kind: 'forward', to, envelope });
  }

  /** We may have slept: connect now if the connection is lost, otherwise check it. */
  wake(): void {
    const state = this.#state;
    const nowMs = this.#options.clock.monotonicMs();
    if (state.kind === 'waiting') {
      state.cancel();
      this.#connectAnew();
    } else if (state.kind === 'entering' && nowMs >= state.sinceMs + OPENING_MS) {
      this.#end(state);
      this.#connectAnew();
    } else if (state.kind === 'entered' && !state.isWaking) {
      this.#check(state);
    }
  }

  close(): void {
    const state = this.#state;
    this.#state = { kind: 'closed' };
    if (state.kind !== 'closed') state.cancel();
    if (state.kind === 'entering' || state.kind === 'entered') state.socket.close();
  }

  #connect(): void {
    this.#events?.state('connecting');
    const { Fallback } = this.#options;
    const isFallback = this.#fallsBack && Fallback !== undefined;
    let socket: RelaySocket;
    try {
      socket = new (isFallback ? Fallback : this.#WebSocket)(this.#options.url, SUBPROTOCOLS);
    } catch (error) {
      // A URL that the platform refuses (plain ws: from a secure page, say) stays refused, but the page can
      // be told.
      this.#events?.rejected({ kind: 'relay-address', detail: String(error) });
      this.#retry();
      return;
    }
    socket.binaryType = 'arraybuffer';
    const cancel = this.#options.clock.after(ENTER_TIMEOUT_MS, () => {
      this.#lose(socket);
    });
    this.#state = { kind: 'entering', socket, sinceMs: this.#options.clock.monotonicMs(), cancel };
    let hasOpened = false;
    socket.addEventListener('open', () => {
      hasOpened = true;
      const enter = (): void => {
        if (this.#isCurrent(socket)) this.#send(socket, this.#options.entry);
      };
      if (isFallback) this.#unlessNeedless(socket, enter);
      else enter();
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.#isCurrent(socket)) this.#receive(socket, data);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (!this.#isCurrent(socket)) return;
      if (!hasOpened) this.#fallsBack = !this.#fallsBack;
      if (code >= FIRST_RELAY_CODE) this.#events?.rejected({ kind: 'relay-closed', detail: reason });
      this.#lose(socket);
    });
    // 'close' follows every 'error', and says as much.
    socket.addEventListener('error', () => undefined);
  }

  /** The relay may have come back since a WebSocket failed: then one is used after all. */
  #unlessNeedless(socket: RelaySocket, enter: () => void): void {
    const trial = new this.#WebSocket(this.#options.url, SUBPROTOCOLS);
    let isOver = false;
    const decide = (isNeedless: boolean): void => {
      if (isOver) return;
      isOver = true;
      cancel();
      trial.close();
      if (!isNeedless) enter();
      else if (this.#isCurrent(socket)) {
        this.#fallsBack = false;
        this.#lose(socket);
      }
    };
    const cancel = this.#options.clock.after(TRIAL_MS, () => decide(false));
    trial.addEventListener('open', () => decide(true));
    trial.addEventListener('close', () => decide(false));
    trial.addEventListener('error', () => undefined);
  }

  #receive(socket: RelaySocket, data: unknown): void {
    let frame: RelayFrame;
    try {
      frame = decodeRelayFrame(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array());
    } catch (error) {
      if (!isPalmError(error, 'bad-message')) throw error;
      this.#events?.rejected({ kind: 'failure', failure: error.failure });
      this.#lose(socket);
      return;
    }
    if (this.#state.kind === 'entered') {
      const nowMs = this.#options.clock.monotonicMs();
      this.#state.pingAtMs = nowMs + PING_AFTER_MS;
      this.#state.deadAtMs = nowMs + DEAD_AFTER_MS;
      this.#state.isWaking = false;
    }
    this.#take(socket, frame);
  }

  #take(socket: RelaySocket, frame: RelayFrame): void {
    switch (frame.kind) {
      case 'entered':
        this.#enter(socket, frame.others);
        break;
      case 'pools':
        this.#enter(socket, []);
        this.#events?.pools?.(frame.pools);
        break;
      case 'listed':
        this.#events?.listed?.({ id: frame.id, name: frame.name });
        break;
      case 'arrived':
        this.#events?.arrived(frame.id);
        break;
      case 'departed':
        this.#events?.departed(frame.id);
        break;
      case 'envelope':
        this.#events?.envelope(frame.from, frame.envelope);
        break;
      case 'ice':
        this.#events?.ice?.(frame);
        break;
      case 'pong':
        break;
    }
  }

  #enter(socket: RelaySocket, others: readonly ConnectionId[]): void {
    if (this.#state.kind !== 'entering') return;
    this.#state.cancel();
    const nowMs = this.#options.clock.monotonicMs();
    const state: Entered = {
      kind: 'entered',
      socket,
      sinceMs: nowMs,
      pingAtMs: nowMs + PING_AFTER_MS,
      deadAtMs: nowMs + DEAD_AFTER_MS,
      isWaking: false,
      cancel: () => undefined,
    };
    this.#state = state;
    this.#watch(state);
    this.#events?.state('connected');
    this.#events?.entered(others);
  }

  /** Plans the next check of the relay's silence. A frame in the meantime only makes that check too early. */
  #watch(state: Entered): void {
    state.cancel();
    const nowMs = this.#options.clock.monotonicMs();
    const dueMs = Math.min(state.pingAtMs, state.deadAtMs);
    state.cancel = this.#options.clock.after(dueMs - nowMs, () => {
      if (this.#state === state) this.#look(state, dueMs);
    });
  }

  #look(state: Entered, dueMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    const sleptMs = Math.max(nowMs - dueMs, this.#clockWatch.look()?.byMs ?? 0);
    if (sleptMs > OVERSLEPT_MS) {
      this.#check(state);
    } else if (nowMs >= state.deadAtMs) {
      this.#lose(state.socket);
    } else if (nowMs >= state.pingAtMs) {
      this.#ask(state, state.deadAtMs);
    } else {
      this.#watch(state);
    }
  }

  #check(state: Entered): void {
    state.isWaking = true;
    this.#ask(state, this.#options.clock.monotonicMs() + CHECK_MS);
  }

  /** Asks for a sign of life, and gives the relay up at `deadAtMs` if there is none. */
  #ask(state: Entered, deadAtMs: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#send(state.socket, { kind: 'ping' });
    state.pingAtMs = nowMs + PING_AFTER_MS;
    state.deadAtMs = deadAtMs;
    this.#watch(state);
  }

  #lose(socket: RelaySocket): void {
    const state = this.#state;
    if (state.kind === 'closed' || state.kind === 'waiting' || state.socket !== socket) return;
    const wasStable =
      state.kind === 'entered' && this.#options.clock.monotonicMs() - state.sinceMs >= STABLE_AFTER_MS;
    if (wasStable) this.#failureCount = 0;
    this.#end(state);
    if (wasStable && state.isWaking) {
      this.#events?.state('lost');
      this.#connectAnew();
    } else this.#retry();
  }

  #end(state: Exclude<State, { kind: 'closed' | 'waiting' }>): void {
    state.cancel();
    this.#state = { kind: 'closed' };
    state.socket.close();
  }

  #connectAnew(): void {
    this.#failureCount = 0;
    this.#connect();
  }

  #retry(): void {
    const wholeMs = Math.min(BACKOFF_FIRST_MS * 2 ** this.#failureCount, BACKOFF_MAX_MS);
    // Up to half of the wait is jitter, so that a room does not come back to a restarted relay all at once.
    const [byte = 0] = this.#options.random.bytes(1);
    const cancel = this.#options.clock.after(wholeMs * (1 - byte / 512), () => {
      this.#connect();
    });
    this.#failureCount += 1;
    this.#state = { kind: 'waiting', cancel };
    this.#events?.state('lost');
  }

  #send(socket: RelaySocket, frame: ClientFrame): boolean {
    if (socket.readyState !== OPEN || socket.bufferedAmount > MAX_BUFFERED_BYTES) return false;
    socket.send(encodeClientFrame(frame));
    return true;
  }

  #isCurrent(socket: RelaySocket): boolean {
    return (
      (this.#state.kind === 'entering' || this.#state.kind === 'entered') && this.#state.socket === socket
    );
  }
}
