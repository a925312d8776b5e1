// What the tabs of one browser say to each other. All are of one origin, so they trust one another; but they
// may run different versions of the app. Tabs of different versions exchange greetings, and nothing else.
//
// Invariant: whatever does not look like a message of this file is left alone.

import { decodeCall, type TabCall } from './tab-calls.ts';
import type { ToldError } from './told-error.ts';
import type { ReadOptions } from '../api.ts';
import type { StatusChanges } from './status-changes.ts';

/** The channel of the greetings. They keep their form in all versions of the app. */
export const GREETINGS = 'palm/tabs';

export interface Greeting {
  /**
   * 'hello': a tab looks for the one that has the device. 'here': that tab's answer, and what it says of
   * itself when it begins.
   */
  readonly kind: 'hello' | 'here';
  /** The version of the app: equal versions have equal texts. */
  readonly build: string;
  /** The tab's id; a new one each time a tab gets the device. */
  readonly tab: string;
  /** Of 'here': the tab that said hello, now that its channel is open. Absent when it is said to all. */
  readonly to?: string;
}

/** The channel between one tab and the one that has the device. */
export function channelBetween(tab: string, owner: string): string {
  return `palm/tab/${tab}/${owner}`;
}

/** An order that nothing is answered to. */
export type TabOrder =
  | { readonly kind: 'cancel'; readonly transferId: string }
  | { readonly kind: 'cancel-pairing' };

/** `id` is the asking tab's number for the call or read. */
export type ToOwner =
  | { readonly kind: 'call'; readonly id: number; readonly call: TabCall }
  | { readonly kind: 'abort'; readonly id: number }
  | {
      readonly kind: 'read';
      readonly id: number;
      readonly fileId: string;
      readonly options: Omit<ReadOptions, 'signal'>;
    }
  /** Asks for the next piece of a read. */
  | { readonly kind: 'next'; readonly id: number }
  | { readonly kind: 'stop'; readonly id: number }
  | { readonly kind: 'order'; readonly order: TabOrder }
  /** The last status arrived, or this end of the channel is open: the next may be sent. */
  | { readonly kind: 'seen' };

export type FromOwner =
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ToldError }
  /** Of a read. */
  | { readonly kind: 'piece'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** A read came to its end, after pieces of so many bytes. */
  | { readonly kind: 'end'; readonly id: number; readonly byteCount: number }
  /** A read was stopped from outside, although no piece may be awaited. */
  | { readonly kind: 'stopped'; readonly id: number; readonly error: ToldError }
  | { readonly kind: 'status'; readonly changes: StatusChanges }
  /** Everything that was stored was deleted under these pages. */
  | { readonly kind: 'gone' };

export function decodeGreeting(message: unknown): Greeting | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, build, tab, to } = message;
  if ((kind !== 'hello' && kind !== 'here') || typeof build !== 'string' || typeof tab !== 'string') {
    return undefined;
  }
  return { kind, build, tab, ...(typeof to === 'string' ? { to } : {}) };
}

export function decodeToOwner(message: unknown): ToOwner | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, id } = message;
  if (kind === 'seen') return { kind };
  if (kind === 'order') {
    const order = decodeOrder(message['order']);
    return order && { kind, order };
  }
  if (!isCount(id)) return undefined;
  switch (kind) {
    case 'call': {
      const call = decodeCall(message['call']);
      return call && { kind, id, call };
    }
    case 'read': {
      const { fileId, options } = message;
      return typeof fileId === 'string' && isRecord(options) ? { kind, id, fileId, options } : undefined;
    }
    case 'abort':
    case 'next':
    case 'stop':
      return { kind, id };
    default:
      return undefined;
  }
}

export function decodeFromOwner(message: unknown): FromOwner | undefined {
  if (!isRecord(message)) return undefined;
  const { kind, id } = message;
  if (kind === 'gone') return { kind };
  if (kind === 'status') {
    const { changes } = message;
    return isChanges(changes) ? { kind, changes } : undefined;
  }
  if (!isCount(id)) return undefined;
  switch (kind) {
    case 'done':
      return { kind, id, value: message['value'] };
    case 'failed':
    case 'stopped':
      return { kind, id, error: message['error'] as ToldError }; // `errorTold` takes anything
    case 'piece': {
      const { bytes } = message;
      return isPiece(bytes) ? { kind, id, bytes } : undefined;
    }
    case 'end': {
      const { byteCount } = message;
      return isCount(byteCount) ? { kind, id, byteCount } : undefined;
    }
    default:
      return undefined;
  }
}

function decodeOrder(value: unknown): TabOrder | undefined {
  if (!isRecord(value)) return undefined;
  if (value['kind'] === 'cancel-pairing') return { kind: 'cancel-pairing' };
  const { kind, transferId } = value;
  return kind === 'cancel' && typeof transferId === 'string' ? { kind, transferId } : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isPiece(value: unknown): value is Uint8Array<ArrayBuffer> {
  return value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;
}

function isChanges(value: unknown): value is StatusChanges {
  return isRecord(value) && Array.isArray(value['set']) && Array.isArray(value['changedFiles']);
}
