// This device's requests to others, as promises: core's peer matches answers with tickets, and this class
// matches tickets with callers.
//
// Invariant: each request settles exactly once: by its answer, its abort, or `close`.

import { AbortWatch } from '../../core/abort-watch.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { PeerInput } from '../../core/peer/peer-events.ts';
import type { RequestResult } from '../../core/peer/requests.ts';
import type { Ask } from '../../core/wire/asks.ts';

interface Waiting {
  readonly resolve: (payload: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: PalmError) => void;
}

export class RequestWaits {
  readonly #input: (input: PeerInput) => void;
  readonly #lifetime: AbortSignal;
  readonly #waiting = new Map<number, Waiting>();
  readonly #aborts = new AbortWatch();
  #nextTicket = 1;

  /** Once `lifetime` aborts, nothing more is asked. */
  constructor(input: (input: PeerInput) => void, lifetime: AbortSignal) {
    this.#input = input;
    this.#lifetime = lifetime;
  }

  /**
   * @throws PalmError 'link-closed', 'deadline', 'refused' (the peer lacks it), 'corrupt'; or the signal's
   * reason.
   */
  request(to: DeviceId, ask: Ask, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      this.#lifetime.throwIfAborted();
      const ticket = this.#nextTicket++;
      const abandon = (): void => {
        this.#waiting.delete(ticket);
        this.#input({ kind: 'abandon', ticket });
        reject(signal.reason);
      };
      const settled = this.#aborts.watch(signal, abandon);
      this.#waiting.set(ticket, {
        resolve: (payload) => (settled(), resolve(payload)),
        reject: (error) => (settled(), reject(error)),
      });
      this.#input({ kind: 'request', ticket, to, ask });
    });
  }

  answer(ticket: number, result: RequestResult): void {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (result.kind === 'payload') waiting?.resolve(result.payload);
    else waiting?.reject(failureOf(result.reason));
  }

  /** No link is left that could answer. */
  close(): void {
    for (const { reject } of this.#waiting.values()) reject(linkClosed());
    this.#waiting.clear();
  }
}

function linkClosed(): PalmError {
  return new PalmError({ code: 'link-closed', reason: 'before-the-answer' });
}

function failureOf(reason: (RequestResult & { kind: 'failed' })['reason']): PalmError {
  switch (reason) {
    case 'link-closed':
      return linkClosed();
    case 'deadline':
      return new PalmError({ code: 'deadline', reason: 'no-answer' });
    case 'corrupt':
      return new PalmError({ code: 'corrupt', reason: 'copy-elsewhere' });
    case 'busy':
      return new PalmError({ code: 'deadline', reason: 'busy' });
    case 'storage':
      // The worker that had its blocks may have died: the next request gets a new one.
      return new PalmError({ code: 'deadline', reason: 'storage' });
    case 'absent':
      return new PalmError({ code: 'refused', reason: 'not-there' });
  }
}
