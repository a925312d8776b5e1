// Remembers which signaling letters were seen. Letters of one session are numbered; a number counts once, and
// numbers far behind the newest count as seen (the anti-replay window of RFC 4303, section 3.4.3, as the ring
// of bits of RFC 6479).
//
// Invariants: no (device, session, seq) is accepted twice while its session is remembered. Memory is bounded
// by MAX_SESSIONS windows of fixed size, and MAX_SESSIONS_PER_DEVICE for one device, so that a device that
// makes up sessions displaces its own. Copies are common: the relay and neighbours may both bring a letter. A
// copy from a forgotten session does no harm: the link machine itself compares sessions and offers.

import type { DeviceId } from '../model/ids.ts';
import type { OpenedLetter } from './envelope.ts';
import type { SessionId } from './link-ids.ts';

/**
 * Sessions remembered; the one heard longest ago is forgotten first. Enough for a pool's devices, with some
 * reloads of each.
 */
const MAX_SESSIONS = 1_024;
const MAX_SESSIONS_PER_DEVICE = 8;
/** How far behind the newest a letter may arrive and still count. */
const WINDOW_LENGTH = 1_024;
/** Words of 32 bits: the window, and the word that the newest number begins. */
const RING_WORDS = WINDOW_LENGTH / 32 + 1;

export class ReplayGuard {
  /** In the order in which they were last heard. */
  readonly #windows = new Map<string, Window>();
  /** For each device, in the order in which they were first heard. */
  readonly #sessions = new Map<DeviceId, Set<SessionId>>();

  /** Whether the letter is new. It is remembered from now on. */
  accept({ from, fromSession, seq }: Pick<OpenedLetter, 'from' | 'fromSession' | 'seq'>): boolean {
    const key = `${from}/${fromSession}`;
    const window = this.#windows.get(key) ?? new Window(from, fromSession, seq);
    if (!window.accept(seq)) return false;
    this.#windows.delete(key);
    this.#windows.set(key, window);
    const sessions = this.#sessions.get(from) ?? new Set();
    this.#sessions.set(from, sessions.add(fromSession));
    if (sessions.size > MAX_SESSIONS_PER_DEVICE) this.#forget(from, [...sessions][0]);
    this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    if (this.#windows.size <= MAX_SESSIONS) return;
    const [oldest] = this.#windows.values();
    if (oldest !== undefined) this.#forget(oldest.device, oldest.session);
  }

  #forget(device: DeviceId, session: SessionId | undefined): void {
    if (session === undefined) return;
    this.#windows.delete(`${device}/${session}`);
    const sessions = this.#sessions.get(device);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#sessions.delete(device);
  }
}

/** The seen numbers of one session: one bit for each of the newest WINDOW_LENGTH. */
class Window {
  readonly device: DeviceId;
  readonly session: SessionId;
  readonly #words = new Uint32Array(RING_WORDS);
  #newestSeq: number;

  /** `seq` is the first number heard. */
  constructor(device: DeviceId, session: SessionId, seq: number) {
    this.device = device;
    this.session = session;
    this.#newestSeq = seq;
  }

  accept(seq: number): boolean {
    if (seq <= this.#newestSeq - WINDOW_LENGTH) return false;
    this.#advance(seq);
    const word = Math.floor(seq / 32) % RING_WORDS;
    const bit = 1 << (seq % 32);
    const seen = this.#words[word] ?? 0;
    if ((seen & bit) !== 0) return false;
    this.#words[word] = seen | bit;
    return true;
  }

  /** Clears the words that the window moves onto. */
  #advance(seq: number): void {
    if (seq <= this.#newestSeq) return;
    const from = Math.floor(this.#newestSeq / 32);
    const stepCount = Math.min(Math.floor(seq / 32) - from, RING_WORDS);
    for (let step = 1; step <= stepCount; step++) this.#words[(from + step) % RING_WORDS] = 0;
    this.#newestSeq = seq;
  }
}
