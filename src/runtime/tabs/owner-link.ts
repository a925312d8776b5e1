// The device that another tab has, as this tab reaches it.
//
// Invariant: each call and each wait for a piece settles at most once, by the other tab's answer; what it
// answers to something else, or a second time, is left alone.

import type { Policy } from '../../core/model/policy.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { ReadOptions } from '../api.ts';
import type { InviteStatus } from '../invite-api.ts';
import type { PieceSource } from '../read/piece-stream.ts';
import { noLists } from '../status.ts';
import type { WordlessStatus } from '../worded-palm.ts';
import type { Device } from './seat.ts';
import { afterChanges, type Seen, valueOf } from './status-changes.ts';
import type { TabCall } from './tab-calls.ts';
import { channelBetween, decodeFromOwner } from './tab-messages.ts';
import type { FromOwner, TabOrder, ToOwner } from './tab-messages.ts';
import type { TabChannel, TabPorts } from './tab-ports.ts';
import { errorTold } from './told-error.ts';

type ReadAnswer = Extract<FromOwner, { kind: 'piece' | 'end' }>;

interface Waiting<Value> {
  resolve(value: Value): void;
  reject(error: unknown): void;
}

export interface OwnerLinkOptions {
  readonly tabs: Pick<TabPorts, 'openChannel'>;
  /** The ids of this tab, and of the one that has the device. */
  readonly tab: string;
  readonly owner: string;
  /** Until the other tab says more. */
  readonly deviceName: string;
  /** The other tab answers; called once. */
  readonly onOpen: () => void;
  /** All that was stored is gone. */
  readonly onGone: () => void;
}

export class OwnerLink implements Device {
  readonly #channel: TabChannel;
  readonly #onOpen: () => void;
  readonly #onGone: () => void;
  readonly #waiting = new Map<number, Waiting<unknown>>();
  readonly #waitingReads = new Map<number, Waiting<ReadAnswer>>();
  readonly #stopped = new Map<number, (error: unknown) => void>();
  readonly #listeners = new Set<() => void>();
  #seen: Seen;
  #nextId = 1;
  #isOpen = false;
  #isClosed = false;

  constructor({ tabs, tab, owner, deviceName, onOpen, onGone }: OwnerLinkOptions) {
    const status = { ...noLists(), device: { id: '', name: deviceName }, notices: [] };
    const outside = { failure: { code: 'not-in-pool', reason: 'in-none' } } as const;
    this.#seen = { status, invites: outside, policy: outside };
    this.#onOpen = onOpen;
    this.#onGone = onGone;
    this.#channel = tabs.openChannel(channelBetween(tab, owner), (message) => {
      const decoded = decodeFromOwner(message);
      if (decoded !== undefined && !this.#isClosed) this.#receive(decoded);
    });
  }

  /** Asks the other tab for what it sees, which is its first answer. Harmless when it has answered. */
  ask(): void {
    if (!this.#isOpen) this.#send({ kind: 'seen' });
  }

  /** Nothing is asked for any more, nor heard. */
  close(): void {
    this.#isClosed = true;
    this.#channel.close();
  }

  async perform(call: TabCall, signal: AbortSignal | undefined): Promise<unknown> {
    const id = this.#nextId++;
    const answered = this.#answerTo(id);
    const onAbort = (): void => this.#send({ kind: 'abort', id });
    try {
      this.#send({ kind: 'call', id, call });
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted === true) onAbort();
      return await answered;
    } finally {
      this.#waiting.delete(id);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  pieces(fileId: string, { signal, ...options }: ReadOptions): PieceSource {
    const id = this.#nextId++;
    const stop = (): void => {
      this.#send({ kind: 'stop', id });
      this.#end(id);
    };
    let onAbort: (() => void) | undefined;
    let arrivedBytes = 0;
    const over = (): void => {
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort);
      this.#end(id);
    };
    return {
      start: async (fail) => {
        if (signal?.aborted === true) throw cancelled();
        onAbort = () => {
          stop();
          fail(cancelled());
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        this.#stopped.set(id, (error) => {
          over();
          fail(error);
        });
        const started = this.#answerTo(id);
        this.#send({ kind: 'read', id, fileId, options });
        await started;
      },
      next: async () => {
        const answered = this.#pieceFor(id);
        this.#send({ kind: 'next', id });
        const piece = await answered;
        if (piece.kind === 'piece') {
          arrivedBytes += piece.bytes.length;
          return piece.bytes;
        }
        over();
        const { byteCount } = piece;
        if (byteCount === arrivedBytes) return undefined;
        throw new Error(`another tab sent ${byteCount} bytes of a file, and ${arrivedBytes} arrived`);
      },
      cancel: async () => {
        over();
        stop();
      },
    };
  }

  order(order: TabOrder): void {
    this.#send({ kind: 'order', order });
  }

  status(): WordlessStatus {
    return this.#seen.status;
  }

  invites(): InviteStatus[] {
    return [...valueOf(this.#seen.invites)];
  }

  policy(): Policy {
    return structuredClone(valueOf(this.#seen.policy));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #answerTo(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  #pieceFor(id: number): Promise<ReadAnswer> {
    return new Promise((resolve, reject) => this.#waitingReads.set(id, { resolve, reject }));
  }

  #end(id: number): void {
    this.#waitingReads.delete(id);
    this.#waiting.delete(id);
    this.#stopped.delete(id);
  }

  #send(message: ToOwner): void {
    if (!this.#isClosed) this.#channel.post(message);
  }

  #receive(message: FromOwner): void {
    switch (message.kind) {
      case 'done':
        return taken(this.#waiting, message.id)?.resolve(message.value);
      case 'failed': {
        const waiting = taken(this.#waiting, message.id) ?? taken(this.#waitingReads, message.id);
        return waiting?.reject(errorTold(message.error));
      }
      case 'piece':
      case 'end':
        return taken(this.#waitingReads, message.id)?.resolve(message);
      case 'stopped':
        return this.#stopped.get(message.id)?.(errorTold(message.error));
      case 'status':
        this.#seen = afterChanges(this.#seen, message.changes);
        this.#send({ kind: 'seen' });
        if (!this.#isOpen) {
          this.#isOpen = true;
          this.#onOpen();
        }
        for (const listener of this.#listeners) listener();
        return undefined;
      case 'gone':
        return this.#onGone();
    }
  }
}

function taken<Value>(waiting: Map<number, Value>, id: number): Value | undefined {
  const found = waiting.get(id);
  waiting.delete(id);
  return found;
}

function cancelled(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'transfer' });
}
