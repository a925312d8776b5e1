// The codec pool over the real codec service and real message channels, in place of worker threads: which
// buffers are transferred, how calls are spread, and how each one ends.

import { expose } from 'comlink';
import { afterEach, describe, expect, it } from 'vitest';
import { openCodecPool } from '../../../../../src/adapters/portable/codec/codec-pool.ts';
import { isPalmError, PalmError, type PalmErrorCode } from '../../../../../src/core/model/errors.ts';
import type { Memory, SegmentCodec, SegmentParameters } from '../../../../../src/core/ports.ts';
import { createCodecService } from '../../../../../src/adapters/portable/codec/codec-service.ts';
import { dirtyMemory } from '../../../../fixtures/dirty-memory.ts';
import { loadNodeCodec } from '../../../../fixtures/node-codec.ts';
import { ChannelWorker } from '../../../../fixtures/channel-worker.ts';
import { seededBytes } from '../../../../fixtures/erasure-oracle.ts';

const PARAMETERS: SegmentParameters = {
  key: seededBytes(32, 1),
  salt: seededBytes(32, 2),
  segmentIndex: 0,
  segmentCount: 1,
  k: 2,
  n: 3,
};
const PLAIN_BYTES = 100;
const codec = await loadNodeCodec();
const plainHash = await codec.hash(plainSegment());

const started: ChannelWorker[] = [];
const pools: SegmentCodec[] = [];

afterEach(() => {
  for (const pool of pools.splice(0)) pool.close();
  started.splice(0);
});

describe('seal and open', () => {
  it('return what the codec returns, and take the buffers that they are given', async () => {
    const pool = openPalm(2, codec);
    const plain = plainSegment();
    const sealing = pool.seal(PARAMETERS, plain, plainHash);
    expect(plain.length).toBe(0);
    const sealed = await sealing;
    const { blocks } = sealed;
    expect(sealed).toEqual(await codec.seal(PARAMETERS, plainSegment(), plainHash));

    const chosen = [2, 0].map((index) => ({ index, bytes: blocks[index] ?? new Uint8Array(0) }));
    const opening = pool.open(PARAMETERS, chosen, PLAIN_BYTES);
    expect(chosen.map(({ bytes }) => bytes.length)).toEqual([0, 0]);
    expect(await opening).toEqual({ kind: 'opened', plain: plainSegment() });
  });

  it('take memory for the blocks, and give back memory that is used up', async () => {
    const taken: number[] = [];
    const given: Uint8Array[] = [];
    const pool = openPalm(1, codec, {
      take(byteCount) {
        taken.push(byteCount);
        return dirtyMemory.take(byteCount);
      },
      give: (bytes) => given.push(bytes),
    });
    const { blocks } = await pool.seal(PARAMETERS, plainSegment(), plainHash);
    expect(taken).toEqual([58, 58, 58]);
    expect(blocks.map(({ buffer }) => buffer.byteLength)).toEqual([58, 58, 58].map((bytes) => bytes + 64));
    expect(given).toEqual([plainSegment()]);
    await expectCode(pool.seal(PARAMETERS, plainSegment(), new Uint8Array(32)), 'source-changed');
    expect(given).toEqual([plainSegment(), plainSegment()]);
    await pool.open(
      PARAMETERS,
      [0, 1].map((index) => ({ index, bytes: copyOf(blocks[index]) })),
      PLAIN_BYTES,
    );
    expect(given.slice(2)).toEqual([blocks[0], blocks[1]]);
  });

  it('work on blocks that are views of one buffer', async () => {
    const { blocks } = await codec.seal(PARAMETERS, plainSegment(), plainHash);
    const [first, second] = blocks;
    if (first === undefined || second === undefined) throw new Error('There are three blocks.');
    const joined = new Uint8Array([...first, ...second]);
    const views = [
      { index: 0, bytes: joined.subarray(0, first.length) },
      { index: 1, bytes: joined.subarray(first.length) },
    ];
    const opening = await openPalm(1, codec).open(PARAMETERS, views, PLAIN_BYTES);
    expect(opening).toEqual({ kind: 'opened', plain: plainSegment() });
  });

  it('take the segment to hash it', async () => {
    const plain = plainSegment();
    expect(await openPalm(1, codec).hash(plain)).toEqual(plainHash);
    expect(plain).toHaveLength(0);
  });

  it('give back a sound block when another does not match its hash', async () => {
    const { blocks, hashes } = await codec.seal(PARAMETERS, plainSegment(), plainHash);
    const [first, second] = blocks;
    if (first === undefined || second === undefined) throw new Error('There are three blocks.');
    second[0] = (second[0] ?? 0) ^ 1;
    const given = [first, second].map((bytes, index) => ({
      index,
      bytes: bytes.slice(),
      hash: hashes[index],
    }));
    const opening = await openPalm(1, codec).open(PARAMETERS, given, PLAIN_BYTES);
    expect(given.map(({ bytes }) => bytes.length)).toEqual([0, 0]);
    expect(opening).toEqual({ kind: 'unsound', sound: [{ index: 0, bytes: first }] });
  });
});

describe('rebuild', () => {
  it('returns the lost blocks, takes the buffers of the others, and gives them back as memory', async () => {
    const given: Uint8Array[] = [];
    const pool = openPalm(1, codec, { ...dirtyMemory, give: (bytes) => given.push(bytes) });
    const { blocks, hashes } = await codec.seal(PARAMETERS, plainSegment(), plainHash);
    const arrived = [1, 2].map((index) => ({ index, bytes: copyOf(blocks[index]), hash: hashes[index] }));
    const rebuilding = pool.rebuild(arrived, [0]);
    expect(arrived.map(({ bytes }) => bytes.length)).toEqual([0, 0]);
    expect(await rebuilding).toEqual({
      kind: 'rebuilt',
      blocks: [{ index: 0, bytes: blocks[0], hash: hashes[0] }],
    });
    expect(given).toEqual([blocks[1], blocks[2]]);
  });
});

describe('a failure in the worker', () => {
  it('arrives with its code', async () => {
    const pool = openPalm(1, codec);
    await expectCode(pool.seal(PARAMETERS, plainSegment(), new Uint8Array(32)), 'source-changed');
    await expectCode(pool.seal({ ...PARAMETERS, k: 0 }, plainSegment(), plainHash), 'bad-argument');
    const forged = [0, 1].map((index) => ({ index, bytes: new Uint8Array(58) }));
    await expectCode(pool.open(PARAMETERS, forged, PLAIN_BYTES), 'corrupt');
    expect(started).toHaveLength(1);
  });

  it('ends the worker if it is no PalmError or happened while loading; the next call gets another worker', async () => {
    const broken = Promise.reject<SegmentCodec>(new TypeError('no wasm'));
    broken.catch(() => {});
    const codecs = [broken, Promise.resolve(codec)];
    const pool = openPoolOver(1, () => codecs.shift() ?? Promise.resolve(codec));
    await expectCode(pool.seal(PARAMETERS, plainSegment(), plainHash), 'worker-failed');
    await pool.seal(PARAMETERS, plainSegment(), plainHash);
    expect(started.map((worker) => worker.terminated)).toEqual([true, false]);
  });
});

describe('a worker that dies', () => {
  it('fails its calls and no others, and is replaced', async () => {
    const stuck = stuckCodec();
    const pool = openPalm(2, stuck.codec);
    const calls = [1, 2, 3].map(() => pool.seal(PARAMETERS, plainSegment(), plainHash));
    await stuck.reached(3);
    started[0]?.dispatchEvent(new Event('error'));
    const [first, second, third] = calls;
    if (first === undefined || second === undefined || third === undefined) throw new Error('Three calls.');
    await expectCode(first, 'worker-failed'); // two calls were with the first worker, one with the second
    await expectCode(third, 'worker-failed');
    const replacement = pool.seal(PARAMETERS, plainSegment(), plainHash);
    stuck.finish();
    await Promise.all([second, replacement]);
    expect(started.map((worker) => worker.terminated)).toEqual([true, false, false]);
  });

  it('fails the call if it cannot even be started', async () => {
    const pool = openCodecPool({
      workerCount: 1,
      createWorker: () => {
        throw new TypeError('refused by the content security policy');
      },
    });
    await expectCode(pool.seal(PARAMETERS, plainSegment(), plainHash), 'worker-failed');
    await expectCode(pool.seal(PARAMETERS, plainSegment(), plainHash), 'worker-failed');
  });
});

describe('calls', () => {
  it('are spread over all workers, two for each, and the rest wait in order', async () => {
    const stuck = stuckCodec();
    const pool = openPalm(3, stuck.codec);
    const calls = Array.from({ length: 10 }, () => pool.seal(PARAMETERS, plainSegment(), plainHash));
    await stuck.reached(6);
    expect(started.map((worker) => worker.requestCount)).toEqual([2, 2, 2]);
    stuck.finish();
    await Promise.all(calls);
    expect(started).toHaveLength(3);
    expect(started.reduce((sum, worker) => sum + worker.requestCount, 0)).toBe(10);
  });

  it('beyond the bound are refused', async () => {
    const stuck = stuckCodec();
    const pool = openPalm(1, stuck.codec);
    const calls = Array.from({ length: 2 + 64 }, () => pool.seal(PARAMETERS, plainSegment(), plainHash));
    await expectCode(pool.seal(PARAMETERS, plainSegment(), plainHash), 'refused');
    stuck.finish();
    await Promise.all(calls);
  });
});

describe('an abort', () => {
  it('ends a waiting call immediately, and the call never reaches a worker', async () => {
    const stuck = stuckCodec();
    const pool = openPalm(1, stuck.codec);
    const calls = [1, 2].map(() => pool.seal(PARAMETERS, plainSegment(), plainHash));
    const controller = new AbortController();
    const waiting = pool.seal(PARAMETERS, plainSegment(), plainHash, controller.signal);
    controller.abort();
    await expectCode(waiting, 'cancelled');
    stuck.finish();
    await Promise.all(calls);
    expect(started[0]?.requestCount).toBe(2);
  });

  it('ends a running call immediately, before its worker is done', async () => {
    const stuck = stuckCodec();
    const pool = openPalm(1, stuck.codec);
    const controller = new AbortController();
    const running = pool.seal(PARAMETERS, plainSegment(), plainHash, controller.signal);
    await stuck.reached(1);
    controller.abort();
    await expectCode(running, 'cancelled');
    stuck.finish();
    await pool.seal(PARAMETERS, plainSegment(), plainHash);
    expect(started).toHaveLength(1);
  });

  it('refuses a call that comes after it', async () => {
    const pool = openPalm(1, codec);
    await expectCode(pool.seal(PARAMETERS, plainSegment(), plainHash, AbortSignal.abort()), 'cancelled');
    await expectCode(pool.open(PARAMETERS, [], 0, AbortSignal.abort()), 'cancelled');
    await expectCode(pool.hash(plainSegment(), AbortSignal.abort()), 'cancelled');
    expect(started).toHaveLength(0);
  });
});

describe('close', () => {
  it('ends workers and all calls: running, waiting and future ones', async () => {
    const stuck = stuckCodec();
    const pool = openPalm(1, stuck.codec);
    const calls = [1, 2, 3].map(() => pool.seal(PARAMETERS, plainSegment(), plainHash));
    await stuck.reached(2);
    pool.close();
    for (const call of calls) await expectCode(call, 'cancelled');
    await expectCode(pool.seal(PARAMETERS, plainSegment(), plainHash), 'cancelled');
    expect(started.map((worker) => worker.terminated)).toEqual([true]);
  });
});

function openPalm(workerCount: number, served: SegmentCodec, memory = dirtyMemory): SegmentCodec {
  return openPoolOver(workerCount, () => Promise.resolve(served), memory);
}

function openPoolOver(
  workerCount: number,
  load: () => Promise<SegmentCodec>,
  memory: Memory = dirtyMemory,
): SegmentCodec {
  const pool = openCodecPool({
    workerCount,
    memory,
    createWorker: () => {
      const loading = load();
      const worker = new ChannelWorker((port) => expose(createCodecService(loading), port));
      started.push(worker);
      return worker;
    },
  });
  pools.push(pool);
  return pool;
}

/** The codec, except that `seal` waits until `finish`; `reached` resolves when that many calls are in it. */
function stuckCodec(): {
  readonly codec: SegmentCodec;
  readonly reached: (callCount: number) => Promise<void>;
  readonly finish: () => void;
} {
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  let callCount = 0;
  const watchers: { readonly callCount: number; readonly resolve: () => void }[] = [];
  return {
    codec: {
      ...codec,
      async seal(...operands) {
        callCount++;
        for (const watcher of watchers) if (watcher.callCount <= callCount) watcher.resolve();
        await finished;
        return codec.seal(...operands);
      },
    },
    reached: (wanted) =>
      new Promise((resolve) => {
        if (callCount >= wanted) resolve();
        else watchers.push({ callCount: wanted, resolve });
      }),
    finish: () => finish(),
  };
}

function plainSegment(): Uint8Array<ArrayBuffer> {
  return seededBytes(PLAIN_BYTES, 3);
}

async function expectCode(promise: Promise<unknown>, code: PalmErrorCode): Promise<void> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PalmError);
  expect(isPalmError(error, code), String(error)).toBe(true);
}

function copyOf(bytes: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes ?? []);
}
