// The device that a page has before its runtime is loaded.

import { describe, expect, it, vi } from 'vitest';
import { AwaitedPalm } from '../../../src/runtime/awaited-palm.ts';
import type { WordlessPalm } from '../../../src/runtime/worded-palm.ts';

const STATUS = {
  device: { id: 'device', name: 'Named' },
  devices: [],
  files: [],
  transfers: [],
  unfinished: [],
  repairs: [],
  activity: [],
  lock: 'none',
  notices: [],
};

function arrivingPalm() {
  const listeners = new Set<() => void>();
  const palm = {
    ready: Promise.resolve(),
    createPool: vi.fn(async () => undefined),
    invite: () => 'https://palm.invalid/#/join',
    status: () => STATUS,
    cancel: vi.fn(),
    pieces: () => ({
      start: async () => undefined,
      next: async () => Uint8Array.of(7),
      cancel: async () => undefined,
    }),
    subscribe: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  } as unknown as WordlessPalm; // the members that these tests use
  return { palm, tell: () => listeners.forEach((listener) => listener()) };
}

function later<Value>() {
  let resolve: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((resolveIt) => (resolve = resolveIt));
  return { promise, resolve };
}

it('the calls of pairing arrive with all that they were given: a newcomer comes in by what they say', async () => {
  const pairing = { offer: vi.fn(), answer: vi.fn(), accept: vi.fn(), cancel: vi.fn() };
  const palm = { ...arrivingPalm().palm, pairing } as unknown as WordlessPalm; // as above
  const awaited = new AwaitedPalm(Promise.resolve(palm), 'Phone');
  await awaited.pairing.offer({ deviceName: 'Phone' });
  await awaited.pairing.answer('offer', { deviceName: 'Phone', letIn: false });
  await awaited.pairing.accept('answer', { letIn: false });
  expect(pairing.offer).toHaveBeenCalledWith({ deviceName: 'Phone' });
  expect(pairing.answer).toHaveBeenCalledWith('offer', { deviceName: 'Phone', letIn: false });
  expect(pairing.accept).toHaveBeenCalledWith('answer', { letIn: false });
});

describe('before its runtime is loaded', () => {
  it('a device is in no pool, under the name to begin with', () => {
    const awaited = new AwaitedPalm(new Promise(() => undefined), 'Phone');
    expect(awaited.status()).toEqual({ ...STATUS, device: { id: '', name: 'Phone' } });
    for (const call of [() => awaited.invites(), () => awaited.policy()]) {
      expect(call).toThrow(expect.objectContaining({ code: 'not-in-pool' }));
    }
    expect(() => awaited.cancel('none')).not.toThrow();
  });

  it('calls wait for it, and are made once', async () => {
    const { palm } = arrivingPalm();
    const { promise, resolve } = later<WordlessPalm>();
    const awaited = new AwaitedPalm(promise, 'Phone');
    const creating = awaited.createPool({ name: 'Home' });
    const pieces = awaited.pieces('file', {});
    const next = pieces.start(() => undefined).then(() => pieces.next());
    expect(palm.createPool).not.toHaveBeenCalled();
    resolve(palm);
    await Promise.all([creating, awaited.ready]);
    expect(palm.createPool).toHaveBeenCalledExactlyOnceWith({ name: 'Home' });
    expect(await next).toEqual(Uint8Array.of(7));
    expect(await awaited.invite()).toBe('https://palm.invalid/#/join');
    expect(awaited.status()).toBe(STATUS);
  });

  it('listeners are kept for it, unless they end first', async () => {
    const { palm, tell } = arrivingPalm();
    const { promise, resolve } = later<WordlessPalm>();
    const awaited = new AwaitedPalm(promise, 'Phone');
    const [ended, early, late] = [vi.fn(), vi.fn(), vi.fn()];
    awaited.subscribe(ended)();
    const endEarly = awaited.subscribe(early);
    resolve(palm);
    await awaited.ready;
    awaited.subscribe(late);
    tell();
    expect([ended, early, late].map((heard) => heard.mock.calls.length)).toEqual([0, 1, 1]);
    endEarly();
    tell();
    expect(early).toHaveBeenCalledTimes(1);
  });
});

it('a runtime that cannot be loaded fails whatever waits for it with the reason', async () => {
  const reason = new Error('gone');
  const awaited = new AwaitedPalm(Promise.reject(reason), 'Phone');
  await expect(awaited.ready).rejects.toBe(reason);
  await expect(awaited.join('link')).rejects.toBe(reason);
  await expect(awaited.pieces('file', {}).next()).rejects.toBe(reason);
});
