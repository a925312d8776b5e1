// Which calls at a direct address are answered: those of callers who have the address, a few at a time. Pure.
//
// Invariants: a packet of anybody else costs one hash, and keeps nothing. No call is answered twice while it
// is remembered: a recorded packet opens nothing.

import { MAX_DIRECT_CALLS, MAX_DIRECT_CALLS_PER_HOST, MAX_REMEMBERED_CALLS } from '../model/limits.ts';
import { readCall, type DirectCall } from './direct-call.ts';

/** The first packet of a caller. */
export interface Knock {
  /** Both halves of the packet's user name. */
  readonly called: string;
  readonly caller: string;
  readonly host: string;
}

export class CallGate {
  readonly #secret: Uint8Array;
  /** Calls under way, and where they came from. */
  readonly #hosts = new Map<string, string>();
  readonly #answered = new Set<string>();

  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** The call to answer now, if it is one. It is under way until `ended`. */
  take({ called, caller, host }: Knock): DirectCall | undefined {
    if (this.#answered.has(called) || this.#hosts.size >= MAX_DIRECT_CALLS) return undefined;
    const count = [...this.#hosts.values()].filter((other) => other === host).length;
    if (count >= MAX_DIRECT_CALLS_PER_HOST) return undefined;
    const call = readCall(this.#secret, called, caller);
    if (call === undefined) return undefined;
    this.#hosts.set(called, host);
    this.#answered.add(called);
    const [oldest] = this.#answered;
    if (this.#answered.size > MAX_REMEMBERED_CALLS && oldest !== undefined) this.#answered.delete(oldest);
    return call;
  }

  ended(called: string): void {
    this.#hosts.delete(called);
  }
}
