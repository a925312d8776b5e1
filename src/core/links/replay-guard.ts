// Which signaling letters were seen already. Letters of one session are numbered; a number counts once, and numbers far
// behind the newest count as seen (the anti-replay window of RFC 4303, section 3.4.3).
//
// Invariants: no (device, session, seq) is accepted twice while its session is remembered; memory is bounded by
// MAX_SESSIONS windows. Copies are everyday: the relay and neighbours may both bring a letter.

import type { OpenedLetter } from './envelope.ts';

/** Sessions remembered; the one heard longest ago is forgotten first. A pool's devices, and some reloads of each. */
const MAX_SESSIONS = 1_024;
/** How far behind the newest a letter may arrive and still count. */
const WINDOW_LENGTH = 1_024;

interface Window {
  newestSeq: number;
  /** The window's numbers that were seen: at most WINDOW_LENGTH after each pruning. */
  readonly seen: Set<number>;
}

export class ReplayGuard {
  /** In the order in which they were heard last. */
  readonly #windows = new Map<string, Window>();

  /** Whether the letter is new. It is remembered from now on. */
  accept({ from, fromSession, seq }: Pick<OpenedLetter, 'from' | 'fromSession' | 'seq'>): boolean {
    const key = `${from}/${fromSession}`;
    const window = this.#windows.get(key) ?? { newestSeq: seq, seen: new Set<number>() };
    if (window.seen.has(seq) || seq <= window.newestSeq - WINDOW_LENGTH) return false;
    window.seen.add(seq);
    window.newestSeq = Math.max(window.newestSeq, seq);
    if (window.seen.size > 2 * WINDOW_LENGTH) prune(window);
    this.#windows.delete(key);
    this.#windows.set(key, window);
    this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    if (this.#windows.size <= MAX_SESSIONS) return;
    const [oldest] = this.#windows.keys();
    if (oldest !== undefined) this.#windows.delete(oldest);
  }
}

function prune(window: Window): void {
  for (const seq of window.seen) {
    if (seq <= window.newestSeq - WINDOW_LENGTH) window.seen.delete(seq);
  }
}
