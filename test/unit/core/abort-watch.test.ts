// One listener for all who wait for the same signal, and none once nobody does.

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { AbortWatch } from '../../../src/core/abort-watch.ts';
import { PalmError } from '../../../src/core/model/errors.ts';
import { RequestWaits } from '../../../src/runtime/peer/request-waits.ts';
import { awaitedPieces } from '../../../src/runtime/read/awaited-pieces.ts';
import { deviceAt, fileIdAt } from '../../fixtures/pool-fixture.ts';

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

describe('a watch for aborts', () => {
  it('listens once, calls all who still wait, each once, and listens no longer', () => {
    const watch = new AbortWatch();
    const controller = new AbortController();
    const { signal } = controller;
    const called: number[] = [];
    const ends = Array.from({ length: 100 }, (_, at) => watch.watch(signal, () => called.push(at)));
    expect(listenersOf(signal)).toBe(1);
    for (const end of ends.slice(3)) end();
    ends[1]?.();
    controller.abort();
    expect(called).toEqual([0, 2]);
    expect(listenersOf(signal)).toBe(0);
    for (const end of ends) end();
    expect(called).toEqual([0, 2]);
  });

  it('leaves nothing at a signal that nobody waits for, and begins anew for the next', () => {
    const watch = new AbortWatch();
    const controller = new AbortController();
    const called: string[] = [];
    const ends = ['one', 'other'].map((who) => watch.watch(controller.signal, () => called.push(who)));
    for (const end of ends) end();
    expect(listenersOf(controller.signal)).toBe(0);
    const end = watch.watch(controller.signal, () => called.push('next'));
    ends[0]?.();
    expect(listenersOf(controller.signal)).toBe(1);
    controller.abort();
    end();
    expect(called).toEqual(['next']);
  });

  it('does not call who is told by another that it need not wait', () => {
    const watch = new AbortWatch();
    const controller = new AbortController();
    let endOther: () => void = () => undefined;
    let calls = 0;
    watch.watch(controller.signal, () => endOther());
    endOther = watch.watch(controller.signal, () => (calls += 1));
    controller.abort();
    expect(calls).toBe(0);
  });
});

describe('what waits for others', () => {
  it('keeps one listener at the signal of a device, however many answers it waits for', async () => {
    const life = new AbortController();
    const waits = new RequestWaits(() => undefined, new AbortController().signal);
    const asked = Array.from({ length: 200 }, (_, fragment) =>
      waits.request(deviceAt(1).deviceId, { kind: 'get-index', file: fileIdAt(1), fragment }, life.signal),
    );
    expect(listenersOf(life.signal)).toBe(1);
    for (let ticket = 1; ticket <= 150; ticket++)
      waits.answer(ticket, { kind: 'payload', payload: new Uint8Array([1]) });
    for (let ticket = 151; ticket <= 199; ticket++)
      waits.answer(ticket, { kind: 'failed', reason: 'absent' });
    expect(listenersOf(life.signal)).toBe(1);
    const reason = new PalmError({ code: 'cancelled', reason: 'not-wanted' });
    life.abort(reason);
    expect(listenersOf(life.signal)).toBe(0);
    const settled = await Promise.allSettled(asked);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(150);
    expect(settled.at(-1)).toEqual({ status: 'rejected', reason });
  });

  it.each([
    ['cannot begin', 'open'],
    ['fails at a piece', 'piece'],
    ['is stopped from outside', 'stop'],
    ['comes to its end', 'end'],
    ['is not wanted any more', 'cancel'],
  ] as const)('leaves nothing at the signal of a caller whose read %s', async (_, how) => {
    const { signal } = new AbortController();
    const failure = new PalmError({ code: 'link-closed', reason: 'before-the-answer' });
    let stop: (error: unknown) => void = () => undefined;
    async function* pieces(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
      yield new Uint8Array([1]);
      if (how === 'piece') throw failure;
    }
    const source = awaitedPieces(async (_signal, stopped) => {
      stop = stopped;
      if (how === 'open') throw failure;
      return pieces();
    }, signal);
    const errors: unknown[] = [];
    const started = source.start((error) => errors.push(error));
    expect(listenersOf(signal)).toBe(1);
    if (how === 'open') await expect(started).rejects.toBe(failure);
    else {
      await started;
      expect(await source.next()).toEqual(new Uint8Array([1]));
    }
    if (how === 'piece') await expect(source.next()).rejects.toBe(failure);
    if (how === 'stop') stop(failure);
    if (how === 'end') expect(await source.next()).toBeUndefined();
    if (how === 'cancel') await source.cancel();
    expect(listenersOf(signal)).toBe(0);
    expect(errors).toEqual(how === 'stop' ? [failure] : []);
  });
});
