// Requests: bounded in flight, each with a deadline, each ending exactly once.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBlockHash, type DeviceId } from '../../../../src/core/model/ids.ts';
import {
  BLOCK_DEADLINE_MS,
  CONTROL_DEADLINE_MS,
  MAX_OPEN_REQUESTS,
  MAX_REQUEST_MS,
} from '../../../../src/core/model/limits.ts';
import { traceMarkOf } from '../../../../src/core/wire/trace-mark.ts';
import { Requests, type RequestEffect, type RequestResult } from '../../../../src/core/peer/requests.ts';
import type { Ask } from '../../../../src/core/wire/asks.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const A = deviceAt(0).deviceId;
const B = deviceAt(1).deviceId;
const BLOCK: Ask = { kind: 'get-block', hash: parseBlockHash(seededBytes(32, 1)) };
const INDEX: Ask = { kind: 'get-index', file: fileIdAt(0), fragment: 3 };
const BYTES = new Uint8Array([1, 2, 3]);
const MAX_SENT = MAX_OPEN_REQUESTS - 16;

function sent(effects: readonly RequestEffect[], kind?: string): { id: number; to: DeviceId }[] {
  return effects.flatMap((effect) =>
    effect.kind === 'send' && 'id' in effect.message && (kind ?? effect.message.kind) === effect.message.kind
      ? [{ id: effect.message.id, to: effect.to }]
      : [],
  );
}

function answers(effects: readonly RequestEffect[]): [number, RequestResult][] {
  return effects.flatMap((effect) =>
    effect.kind === 'answer' ? [[effect.ticket, effect.result] as [number, RequestResult]] : [],
  );
}

function opened(requests: Requests, nowMs: number, ticket: number, ask = BLOCK, to = A): number {
  return itemAt(sent(requests.open(nowMs, ticket, to, ask)), 0).id;
}

describe('a request', () => {
  it('is sent with its number, and ends with what came', () => {
    const requests = new Requests();
    const effects = requests.open(0, 7, A, INDEX);
    const { id } = itemAt(sent(effects), 0);
    expect(effects).toEqual([{ kind: 'send', to: A, message: { ...INDEX, id } }]);
    expect(requests.settle(5, A, id, { kind: 'index', payload: BYTES })).toEqual([
      { kind: 'answer', ticket: 7, result: { kind: 'payload', payload: BYTES } },
    ]);
    expect(requests.nextDeadlineMs()).toBe(Infinity);
  });

  it('says which request it is part of to those alone who know the field', () => {
    const trace = traceMarkOf(new Uint8Array(24).fill(7));
    const toldTo = (...features: string[]): unknown[] => {
      const wanted = { ticket: 1, to: A, ask: { ...BLOCK, trace } };
      return new Requests()
        .wanted(0, wanted, { features: new Set(features) })
        .flatMap((effect) => (effect.kind === 'send' ? [Reflect.get(effect.message, 'trace')] : []));
    };
    expect(toldTo('lane', 'trace')).toEqual([trace]);
    expect(toldTo('lane')).toEqual([undefined]);
  });

  it('that failed says why', () => {
    const requests = new Requests();
    const id = opened(requests, 0, 1);
    const failed = { kind: 'failed', reason: 'absent' } as const;
    expect(answers(requests.settle(1, A, id, failed))).toEqual([[1, failed]]);
  });

  it('is not ended by another device, another number, a second answer or a late one', () => {
    const requests = new Requests();
    const id = opened(requests, 0, 1);
    const payload = { kind: 'block', payload: BYTES } as const;
    expect(requests.settle(1, B, id, payload)).toEqual([]);
    expect(requests.settle(1, A, id + 1, payload)).toEqual([]);
    expect(answers(requests.settle(1, A, id, payload))).toHaveLength(1);
    expect(requests.settle(1, A, id, payload)).toEqual([]);
    const late = opened(requests, 10, 2);
    expect(answers(requests.tick(10 + BLOCK_DEADLINE_MS))).toHaveLength(1);
    expect(requests.settle(20_000, A, late, payload)).toEqual([]);
  });

  it('that gets an answer of the wrong kind ends as corrupt', () => {
    const requests = new Requests();
    const id = opened(requests, 0, 1, INDEX);
    const effects = requests.settle(1, A, id, { kind: 'block', payload: BYTES });
    expect(answers(effects)).toEqual([[1, { kind: 'failed', reason: 'corrupt' }]]);
  });

  it.each([
    [BLOCK, BLOCK_DEADLINE_MS],
    [INDEX, CONTROL_DEADLINE_MS],
  ])('past its deadline fails, and the other side is told', (ask, deadlineMs) => {
    const requests = new Requests();
    const id = opened(requests, 1_000, 1, ask);
    expect(requests.nextDeadlineMs()).toBe(1_000 + deadlineMs);
    expect(requests.tick(1_000 + deadlineMs - 1)).toEqual([]);
    const effects = requests.tick(1_000 + deadlineMs);
    expect(sent(effects, 'cancel')).toEqual([{ id, to: A }]);
    expect(answers(effects)).toEqual([[1, { kind: 'failed', reason: 'deadline' }]]);
  });

  it('has more time while its device answers others, which it may do one after the other, but not for ever', () => {
    const requests = new Requests();
    opened(requests, 0, 0);
    opened(requests, 0, 1, INDEX, B);
    const payload = { kind: 'block', payload: BYTES } as const;
    for (let nowMs = 2_000; nowMs < MAX_REQUEST_MS; nowMs += 2_000) {
      const id = opened(requests, nowMs - 2_000, nowMs);
      if (nowMs === CONTROL_DEADLINE_MS) expect(answers(requests.tick(nowMs))).toHaveLength(1);
      else expect(requests.tick(nowMs)).toEqual([]);
      expect(answers(requests.settle(nowMs, A, id, payload))).toHaveLength(1);
    }
    expect(requests.nextDeadlineMs()).toBe(MAX_REQUEST_MS);
    expect(answers(requests.tick(MAX_REQUEST_MS))).toEqual([[0, { kind: 'failed', reason: 'deadline' }]]);
  });

  it('that is abandoned gets no answer, and the other side is told', () => {
    const requests = new Requests();
    const id = opened(requests, 0, 1);
    expect(requests.abandon(1, 1)).toEqual([{ kind: 'send', to: A, message: { kind: 'cancel', id } }]);
    expect(requests.abandon(1, 1)).toEqual([]);
    expect(requests.settle(2, A, id, { kind: 'block', payload: BYTES })).toEqual([]);
    expect(requests.tick(1e9)).toEqual([]);
  });
});

describe('beyond the bound', () => {
  it('requests wait their turn, without a deadline; other devices do not', () => {
    const requests = new Requests();
    const ids = Array.from({ length: MAX_SENT }, (_, ticket) => opened(requests, 0, ticket));
    expect(requests.open(0, 100, A, BLOCK)).toEqual([]);
    expect(requests.open(0, 101, A, INDEX)).toEqual([]);
    expect(sent(requests.open(0, 102, B, BLOCK))).toHaveLength(1);

    const effects = requests.settle(50, A, itemAt(ids, 3), { kind: 'block', payload: BYTES });
    expect(answers(effects).map(([ticket]) => ticket)).toEqual([3]);
    expect(sent(effects, 'get-block')).toHaveLength(1);
    // The one whose turn came at 50 ms has its deadline from then.
    requests.tick(BLOCK_DEADLINE_MS);
    expect(requests.nextDeadlineMs()).toBe(50 + BLOCK_DEADLINE_MS);
  });

  it('an abandoned request that still waits costs no message, and a sent one makes room', () => {
    const requests = new Requests();
    for (let ticket = 0; ticket < MAX_SENT; ticket++) opened(requests, 0, ticket);
    requests.open(0, 100, A, BLOCK);
    requests.open(0, 101, A, BLOCK);
    expect(requests.abandon(1, 100)).toEqual([]);
    const effects = requests.abandon(1, 0);
    expect(sent(effects, 'cancel')).toHaveLength(1);
    expect(sent(effects, 'get-block')).toHaveLength(1);
  });
});

describe('a link that goes down', () => {
  it('fails all its requests immediately, sent or waiting, and no others', () => {
    const requests = new Requests();
    for (let ticket = 0; ticket < MAX_SENT + 5; ticket++) requests.open(0, ticket, A, BLOCK);
    const other = opened(requests, 0, 1_000, BLOCK, B);
    const effects = requests.linkDown(A);
    expect(answers(effects)).toHaveLength(MAX_SENT + 5);
    expect(
      answers(effects).every(([, result]) => result.kind === 'failed' && result.reason === 'link-closed'),
    ).toBe(true);
    expect(sent(effects)).toEqual([]);
    expect(answers(requests.settle(1, B, other, { kind: 'block', payload: BYTES }))).toHaveLength(1);
    // The next link starts with all its room.
    for (let ticket = 0; ticket < MAX_SENT; ticket++) opened(requests, 2, 2_000 + ticket);
  });
});

describe('whatever happens, in any order,', () => {
  it('each request ends once or is open, the bound in flight holds, and no number is used twice', () => {
    const device = fc.constantFrom(A, B);
    const event = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('open'), to: device }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle'), to: device, pick: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('abandon'), pick: fc.nat() }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('down'), to: device }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), forMs: fc.nat(6_000) }) },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300, size: 'max' }), (events) => {
        const requests = new Requests();
        const ended = new Set<number>();
        const inFlight = new Map<number, DeviceId>();
        const everSent = new Set<number>();
        let [nowMs, tickets] = [0, 0];
        const take = (effects: readonly RequestEffect[]): void => {
          for (const effect of effects) {
            if (effect.kind === 'answer') {
              expect(ended.has(effect.ticket)).toBe(false);
              ended.add(effect.ticket);
            } else if (effect.message.kind === 'cancel') inFlight.delete(effect.message.id);
            else if ('id' in effect.message) {
              expect(everSent.has(effect.message.id)).toBe(false);
              everSent.add(effect.message.id);
              inFlight.set(effect.message.id, effect.to);
            }
          }
        };
        for (const step of events) {
          switch (step.kind) {
            case 'open':
              take(requests.open(nowMs, tickets++, step.to, BLOCK));
              break;
            case 'settle': {
              const ids = [...inFlight].filter(([, to]) => to === step.to).map(([id]) => id);
              const id = ids[step.pick % Math.max(1, ids.length)];
              if (id === undefined) break;
              inFlight.delete(id);
              take(requests.settle(nowMs, step.to, id, { kind: 'block', payload: BYTES }));
              break;
            }
            case 'abandon': {
              if (tickets === 0) break;
              const ticket = step.pick % tickets;
              take(requests.abandon(nowMs, ticket));
              ended.add(ticket);
              break;
            }
            case 'down':
              take(requests.linkDown(step.to));
              for (const [id, to] of inFlight) if (to === step.to) inFlight.delete(id);
              break;
            case 'wait':
              nowMs += step.forMs;
              take(requests.tick(nowMs));
              expect(requests.nextDeadlineMs()).toBeGreaterThan(nowMs);
              break;
          }
          for (const to of [A, B]) {
            expect([...inFlight.values()].filter((other) => other === to).length).toBeLessThanOrEqual(
              MAX_SENT,
            );
          }
        }
        take([...requests.linkDown(A), ...requests.linkDown(B)]);
        for (let ticket = 0; ticket < tickets; ticket++) expect(ended.has(ticket)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
