// Requests that this device has open with others: numbered, bounded for each device, each with a deadline. A
// request ends exactly once: answered, failed, past its deadline, abandoned, or with its link.

import type { BlockHash, DeviceId } from '../model/ids.ts';
import {
  BLOCK_DEADLINE_MS,
  CONTROL_DEADLINE_MS,
  MAX_OPEN_REQUESTS,
  MAX_REQUEST_MS,
} from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import { TRACE_FEATURE, type Ask } from '../wire/asks.ts';
import type { Failure, Message, PayloadKind } from '../wire/messages.ts';

/** The kind of answer that fits each ask. */
export const ANSWER_TO: Readonly<Record<Ask['kind'], PayloadKind>> = {
  'get-index': 'index',
  'get-block': 'block',
  'get-fragments': 'fragments',
};

/** What arrived for a request. */
export type Arrived =
  | { readonly kind: PayloadKind; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly reason: Failure };

export type RequestResult =
  | { readonly kind: 'payload'; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'failed'; readonly reason: Failure | 'link-closed' | 'deadline' };

export type RequestEffect =
  | { readonly kind: 'send'; readonly to: DeviceId; readonly message: Message }
  | { readonly kind: 'answer'; readonly ticket: number; readonly result: RequestResult };

interface Open {
  readonly id: number;
  readonly ticket: number;
  readonly to: DeviceId;
  readonly ask: Ask;
  /** Both undefined until its turn comes. */
  sentAtMs: MonotonicMs | undefined;
  deadlineMs: MonotonicMs | undefined;
}

/** Below the peer's own bound, so that a late answer never makes it refuse the next request. */
const MAX_SENT_PER_DEVICE = MAX_OPEN_REQUESTS - 16;

export class Requests {
  readonly #open = new Map<number, Open>();
  readonly #byTicket = new Map<number, number>();
  readonly #sentCount = new Map<DeviceId, number>();
  #nextId = 1;

  open(nowMs: MonotonicMs, ticket: number, to: DeviceId, ask: Ask): RequestEffect[] {
    const id = this.#nextId++ >>> 0;
    const request: Open = { id, ticket, to, ask, sentAtMs: undefined, deadlineMs: undefined };
    this.#open.set(id, request);
    this.#byTicket.set(ticket, id);
    return this.#sendWaiting(nowMs, to);
  }

  /** The same for a device that may not be reachable. */
  wanted(
    nowMs: MonotonicMs,
    { ticket, to, ask }: { readonly ticket: number; readonly to: DeviceId; readonly ask: Ask },
    /** Undefined while it is not reachable. */
    link: { readonly features: ReadonlySet<string> } | undefined,
  ): RequestEffect[] {
    if (link !== undefined) {
      const { trace: _, ...untraced } = ask;
      return this.open(nowMs, ticket, to, link.features.has(TRACE_FEATURE) ? ask : untraced);
    }
    return [{ kind: 'answer', ticket, result: { kind: 'failed', reason: 'link-closed' } }];
  }

  /** What `device` was asked for under `id`, if that is a block and not answered yet. */
  awaitedBlock(device: DeviceId, id: number): BlockHash | undefined {
    const request = this.#open.get(id);
    if (request?.to !== device || request.deadlineMs === undefined) return undefined;
    return request.ask.kind === 'get-block' ? request.ask.hash : undefined;
  }

  /** The caller no longer wants the answer; only the peer is told. */
  abandon(nowMs: MonotonicMs, ticket: number): RequestEffect[] {
    const request = this.#open.get(this.#byTicket.get(ticket) ?? -1);
    if (request === undefined) return [];
    const wasSent = request.deadlineMs !== undefined;
    this.#close(request);
    const cancel: RequestEffect = {
      kind: 'send',
      to: request.to,
      message: { kind: 'cancel', id: request.id },
    };
    return [...(wasSent ? [cancel] : []), ...this.#sendWaiting(nowMs, request.to)];
  }

  /** An answer arrived. Dropped if its request is not open (late, or made up). */
  settle(nowMs: MonotonicMs, from: DeviceId, id: number, arrived: Arrived): RequestEffect[] {
    const request = this.#open.get(id);
    if (request === undefined || request.to !== from || request.deadlineMs === undefined) return [];
    this.#close(request);
    this.#extend(nowMs, from);
    const result = resultOf(request.ask, arrived);
    return [{ kind: 'answer', ticket: request.ticket, result }, ...this.#sendWaiting(nowMs, from)];
  }

  linkDown(device: DeviceId): RequestEffect[] {
    const ended = [...this.#open.values()].filter((request) => request.to === device);
    for (const request of ended) this.#close(request);
    return ended.map(({ ticket }) => ({
      kind: 'answer',
      ticket,
      result: { kind: 'failed', reason: 'link-closed' },
    }));
  }

  tick(nowMs: MonotonicMs): RequestEffect[] {
    const late = [...this.#open.values()].filter(
      ({ deadlineMs }) => deadlineMs !== undefined && deadlineMs <= nowMs,
    );
    return late.flatMap((request) => {
      this.#close(request);
      return [
        { kind: 'send', to: request.to, message: { kind: 'cancel', id: request.id } } as const,
        { kind: 'answer', ticket: request.ticket, result: { kind: 'failed', reason: 'deadline' } } as const,
        ...this.#sendWaiting(nowMs, request.to),
      ];
    });
  }

  nextDeadlineMs(): MonotonicMs {
    let next = Infinity;
    for (const { deadlineMs } of this.#open.values()) next = Math.min(next, deadlineMs ?? Infinity);
    return next;
  }

  #sendWaiting(nowMs: MonotonicMs, to: DeviceId): RequestEffect[] {
    const effects: RequestEffect[] = [];
    for (const request of this.#open.values()) {
      const sentCount = this.#sentCount.get(to) ?? 0;
      if (sentCount >= MAX_SENT_PER_DEVICE) break;
      if (request.to !== to || request.deadlineMs !== undefined) continue;
      request.sentAtMs = nowMs;
      request.deadlineMs =
        nowMs + (request.ask.kind === 'get-index' ? CONTROL_DEADLINE_MS : BLOCK_DEADLINE_MS);
      this.#sentCount.set(to, sentCount + 1);
      effects.push({ kind: 'send', to, message: { ...request.ask, id: request.id } });
    }
    return effects;
  }

  /** The device answers one after the other: what it was asked for besides this waits for its turn. */
  #extend(nowMs: MonotonicMs, device: DeviceId): void {
    for (const request of this.#open.values()) {
      if (request.to !== device || request.sentAtMs === undefined || request.deadlineMs === undefined)
        continue;
      const laterMs = Math.min(nowMs + BLOCK_DEADLINE_MS, request.sentAtMs + MAX_REQUEST_MS);
      request.deadlineMs = Math.max(request.deadlineMs, laterMs);
    }
  }

  #close(request: Open): void {
    this.#open.delete(request.id);
    this.#byTicket.delete(request.ticket);
    if (request.deadlineMs === undefined) return;
    const sentCount = (this.#sentCount.get(request.to) ?? 0) - 1;
    if (sentCount > 0) this.#sentCount.set(request.to, sentCount);
    else this.#sentCount.delete(request.to);
  }
}

function resultOf(ask: Ask, arrived: Arrived): RequestResult {
  if (arrived.kind === 'failed') return arrived;
  if (arrived.kind !== ANSWER_TO[ask.kind]) return { kind: 'failed', reason: 'corrupt' };
  return { kind: 'payload', payload: arrived.payload };
}
