// Early placing with a real peer: which device is foretold what, and how sealing keeps pace with takers.

import { describe, expect, it } from 'vitest';
import { parseBlockHash, parseJobId, type BlockHash, type DeviceId } from '../../../../src/core/model/ids.ts';
import { Peer } from '../../../../src/core/peer/peer.ts';
import type { PeerInput } from '../../../../src/core/peer/peer-events.ts';
import { PROTOCOL_VERSION, type Message } from '../../../../src/core/wire/messages.ts';
import { EarlyPlacing } from '../../../../src/runtime/store/early-placing.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, itemAt, manifestOf, write } from '../../../fixtures/pool-fixture.ts';

const SELF = deviceAt(0).deviceId;
const [B, C] = [deviceAt(1).deviceId, deviceAt(2).deviceId];
const JOB = parseJobId(seededBytes(16, 1));
/** 8 MiB of whole blocks. */
const AHEAD_COUNT = 32;
const STALLED_MS = 2_000;
const N = 8;

const FILE = { ...manifestOf(SELF, { size: 500_000_000 }), isPrivate: false };

/** A storer with other devices that are there but silent. */
class Storer {
  readonly peer = new Peer(SELF, 0);
  readonly sent: { readonly to: DeviceId; readonly message: Message }[] = [];
  readonly #listeners = new Set<(to: DeviceId, hash: BlockHash, bytes: number) => void>();
  readonly #timers = new Map<() => void, number>();
  nowMs = 1_000;
  readonly early = new EarlyPlacing(JOB, FILE, {
    driver: this,
    clock: {
      monotonicMs: () => this.nowMs,
      wallMs: () => 0,
      after: (delayMs, callback) => {
        this.#timers.set(callback, this.nowMs + delayMs);
        return () => this.#timers.delete(callback);
      },
    },
  });
  #sealedCount = 0;

  input(input: PeerInput): void {
    for (const effect of this.peer.handle(this.nowMs, input))
      if (effect.kind === 'send') this.sent.push(effect);
  }

  watchServed(listener: (to: DeviceId, hash: BlockHash, bytes: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get isWatching(): boolean {
    return this.#listeners.size > 0;
  }

  link(device: DeviceId): void {
    // Only members are given anything.
    const identity = [1, 2].map(deviceAt).find(({ deviceId }) => deviceId === device);
    if (identity !== undefined) write(this.peer.catalogue, identity, 1, { kind: 'profile', name: 'Member' });
    this.input({ kind: 'link-up', device });
    const messages: readonly Message[] = [
      { kind: 'hello', protocol: PROTOCOL_VERSION, epoch: 0 },
      { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 2 ** 40 },
    ];
    for (const message of messages)
      this.input({ kind: 'message', from: device, message, payload: new Uint8Array(0) });
  }

  /** Seals so many segments; returns what each device was foretold since the first. */
  seal(segmentCount: number): void {
    for (const segment of indicesOf(segmentCount).map((index) => this.#sealedCount + index))
      this.early.sealed(indicesOf(N).map((fragment) => hashAt(segment, fragment)));
    this.#sealedCount += segmentCount;
  }

  toldTo(device: DeviceId): BlockHash[] {
    return this.sent.flatMap(({ to, message }) =>
      to === device && message.kind === 'soon' ? message.blocks : [],
    );
  }

  serve(to: DeviceId, ...hashes: readonly (BlockHash | undefined)[]): void {
    for (const hash of hashes)
      if (hash !== undefined) for (const listener of this.#listeners) listener(to, hash, 1_000);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const [callback, atMs] of this.#timers)
      if (atMs <= this.nowMs && this.#timers.delete(callback)) callback();
  }

  /** Whether sealing may continue now. */
  async hasRoom(): Promise<boolean> {
    const given = new AbortController();
    const room = this.early.room(given.signal).then(
      () => true,
      () => false,
    );
    await Promise.resolve();
    await Promise.resolve();
    given.abort();
    return room;
  }
}

function hashAt(segment: number, fragment: number): BlockHash {
  const bytes = new Uint8Array(32);
  bytes.set([segment >> 8, segment, fragment]);
  return parseBlockHash(bytes);
}

function storerWith(...devices: readonly DeviceId[]): Storer {
  const storer = new Storer();
  for (const device of devices) storer.link(device);
  return storer;
}

describe('the blocks of a segment', () => {
  it('are each foretold to their fragment’s home, in order; those that stay are not foretold', () => {
    const storer = storerWith(B, C);
    storer.seal(3);
    const published = storer.early.published();
    if (published === undefined) throw new Error('there are homes');
    expect(published.job).toBe(JOB);
    for (const device of [B, C]) {
      const fragments = indicesOf(N).filter((fragment) => published.homes.get(fragment) === device);
      expect(fragments.length).toBeGreaterThan(1);
      const expected = indicesOf(3).flatMap((segment) =>
        fragments.map((fragment) => hashAt(segment, fragment)),
      );
      expect(storer.toldTo(device)).toEqual(expected);
    }
    expect(published.homes.size).toBeLessThan(N);
    expect(storer.isWatching).toBe(false);
  });

  it('are foretold to a device that joins when none was there, but not to one whose link is down', () => {
    const storer = storerWith();
    storer.seal(2);
    storer.link(B);
    storer.seal(1);
    const toldCount = storer.toldTo(B).length;
    expect(toldCount).toBeGreaterThan(0);
    storer.input({ kind: 'link-down', device: B });
    storer.seal(1);
    expect(storer.toldTo(B)).toHaveLength(toldCount);
  });

  it('leave the outbox nothing if no device was told', () => {
    const storer = storerWith();
    storer.seal(2);
    expect(storer.early.published()).toBeUndefined();
  });

  it('are soon over if their store failed', () => {
    const storer = storerWith(B);
    storer.seal(1);
    storer.early.over();
    expect(storer.sent.at(-1)).toMatchObject({ to: B, message: { kind: 'soon-over', job: JOB } });
    expect(storer.isWatching).toBe(false);
  });
});

describe('sealing', () => {
  it('waits while devices that keep up have too much to fetch, until they fetched some', async () => {
    const storer = storerWith(B, C);
    storer.seal(6);
    expect(await storer.hasRoom()).toBe(true);
    storer.seal(1);
    const toldCount = storer.toldTo(B).length + storer.toldTo(C).length;
    expect(toldCount).toBeGreaterThan(AHEAD_COUNT);
    expect(await storer.hasRoom()).toBe(false);
    const room = storer.early.room(new AbortController().signal);
    storer.serve(B, ...storer.toldTo(B).slice(0, toldCount - AHEAD_COUNT));
    await room;
    expect(await storer.hasRoom()).toBe(true);
  });

  it('does not wait for a device that fetches nothing for a while, until it fetches again', async () => {
    const storer = storerWith(B);
    storer.seal(40);
    expect(await storer.hasRoom()).toBe(false);
    const room = storer.early.room(new AbortController().signal);
    storer.pass(STALLED_MS);
    await room;
    storer.seal(5);
    expect(await storer.hasRoom()).toBe(true);
    storer.serve(B, storer.toldTo(B)[0]);
    expect(await storer.hasRoom()).toBe(false);
  });

  it('does not wait for blocks that were passed over, nor for blocks that others fetch', async () => {
    const storer = storerWith(B);
    storer.seal(40);
    storer.serve(C, ...storer.toldTo(B));
    storer.serve(B, hashAt(9_999, 0));
    expect(await storer.hasRoom()).toBe(false);
    storer.serve(B, itemAt(storer.toldTo(B), storer.toldTo(B).length - 1));
    expect(await storer.hasRoom()).toBe(true);
  });

  it('ends if it is cancelled while it waits', async () => {
    const storer = storerWith(B);
    storer.seal(40);
    const cancelled = new AbortController();
    const room = storer.early.room(cancelled.signal);
    cancelled.abort(new Error('cancelled'));
    await expect(room).rejects.toThrow('cancelled');
    await expect(storer.early.room(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });
});
