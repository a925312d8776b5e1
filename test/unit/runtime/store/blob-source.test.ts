// A file as the source of a store: read as one stream if it is read in order, and reported when it changed.

import { expect, it } from 'vitest';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import type { ByteSource } from '../../../../src/core/ports.ts';
import { blobSource, isFresh } from '../../../../src/runtime/store/blob-source.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';

const MIB = 2 ** 20;
const STEP = MIB - 16;

/**
 * A blob that records which parts were opened. It can lose its last bytes, and its streams may fill no
 * buffers.
 */
class WatchedBlob extends Blob {
  readonly slices: string[] = [];
  streamCount = 0;
  lostBytes = 0;
  fillsBuffers = true;

  override slice(start: number, end: number): Blob {
    this.slices.push(`${start}-${end}`);
    const part = super.slice(start, end - this.lostBytes);
    if (!this.fillsBuffers) part.stream = () => new ReadableStream();
    return part;
  }

  override stream(): ReturnType<Blob['stream']> {
    this.streamCount += 1;
    if (!this.fillsBuffers) return new ReadableStream();
    return super.slice(0, this.size - this.lostBytes).stream();
  }
}

const WHOLE = new Uint8Array(10 * MIB).map((_, at) => (at * 31 + (at >> 12)) & 0xff);

it('it returns the requested bytes, some together, with one reading of the file', async () => {
  const blob = new WatchedBlob([WHOLE]);
  expect(Buffer.compare(await readInLanes(blob), WHOLE)).toBe(0);
  expect(blob.streamCount).toBe(1);
  expect(blob.slices).toEqual([]);
});

it('it returns the same in an engine whose blobs do not fill buffers', async () => {
  const blob = new WatchedBlob([WHOLE]);
  blob.fillsBuffers = false;
  expect(Buffer.compare(await readInLanes(blob), WHOLE)).toBe(0);
});

it('it returns any part, even one that was read before', async () => {
  const source = sourceOf(new Blob([WHOLE]));
  for (const [start, end] of [
    [5 * MIB, 6 * MIB],
    [0, 10],
    [0, 10 * MIB],
    [3, 3],
    [10 * MIB - 1, 10 * MIB],
    [0, 10],
    [10, 20],
  ] as const) {
    const answer = await source.read(start, end);
    expect(Buffer.compare(answer, WHOLE.subarray(start, end)), `${start}-${end}`).toBe(0);
  }
});

for (const fillsBuffers of [true, false]) {
  it(`says that a file lost bytes, and reads on where it can, ${fillsBuffers ? 'as a stream' : 'in slices'}`, async () => {
    const blob = new WatchedBlob([WHOLE]);
    blob.fillsBuffers = fillsBuffers;
    blob.lostBytes = 1;
    const source = sourceOf(blob);
    await expect(source.read(9 * MIB, 10 * MIB)).rejects.toSatisfy((error) =>
      isPalmError(error, 'source-changed'),
    );
    blob.lostBytes = 0;
    expect(Buffer.compare(await source.read(0, MIB), WHOLE.subarray(0, MIB))).toBe(0);
  });
}

for (const fillsBuffers of [true, false]) {
  const way = fillsBuffers ? 'as a stream' : 'in slices';
  it(`says that a file has more bytes than its size says, even than none, ${way}`, async () => {
    for (const size of [0, 9]) {
      const grown = blobThat(fillsBuffers, new Blob(['longer than that']));
      Object.defineProperty(grown, 'size', { value: size });
      const source = sourceOf(grown);
      await expect(source.read(0, size), `${size}`).rejects.toMatchObject({
        failure: { code: 'source-changed', reason: 'while-read' },
      });
    }
  });

  it(`says that an empty file is gone, ${way}`, async () => {
    const gone = new Blob([]);
    const refuse = (): never => {
      throw new DOMException('no such file', 'NotFoundError');
    };
    const streamFails = (): never => {
      throw new TypeError('network error');
    };
    gone.stream = () => new ReadableStream({ type: 'bytes', pull: streamFails });
    gone.arrayBuffer = async () => refuse();
    await expect(sourceOf(blobThat(fillsBuffers, gone)).read(0, 0)).rejects.toMatchObject({
      failure: { code: 'source-changed', reason: 'gone', of: 'file' },
    });
  });

  it(`reads an empty file, ${way}`, async () => {
    expect(await sourceOf(blobThat(fillsBuffers, new Blob([]))).read(0, 0)).toHaveLength(0);
  });
}

it('it counts as unchanged while the platform can read it, and reports when it cannot', async () => {
  const blob = new WatchedBlob([WHOLE]);
  const source = sourceOf(blob);
  await source.checkUnchanged();
  blob.lostBytes = 1;
  await expect(source.checkUnchanged()).rejects.toSatisfy((error) => isPalmError(error, 'source-changed'));
  await sourceOf(new Blob([])).checkUnchanged();
});

it('it reads nothing for a cancelled store', async () => {
  const blob = new WatchedBlob([new Uint8Array(10)]);
  const reason = new Error('cancelled');
  await expect(sourceOf(blob).read(0, 10, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(blob.streamCount + blob.slices.length).toBe(0);
});

it('a file is fresh for two seconds after it was written, and other bytes never are', () => {
  const file = new File([new Uint8Array(10)], 'growing.log', { lastModified: 100_000 });
  expect(isFresh(file, 101_999)).toBe(true);
  expect(isFresh(file, 102_000)).toBe(false);
  expect(isFresh(new Blob([new Uint8Array(10)]), 100_000)).toBe(false);
});

function blobThat(fillsBuffers: boolean, blob: Blob): Blob {
  if (!fillsBuffers) blob.stream = () => new ReadableStream();
  return blob;
}

function sourceOf(blob: Blob): ByteSource {
  return blobSource(blob, dirtyMemory, true);
}

/** The whole blob, requested by three lanes in steps, as a store does. */
async function readInLanes(blob: Blob): Promise<Uint8Array> {
  const source = sourceOf(blob);
  const starts = Array.from({ length: Math.ceil(blob.size / STEP) }, (_, at) => at * STEP);
  const answers: Uint8Array[] = [];
  const lane = async (): Promise<void> => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift())
      answers[start / STEP] = await source.read(start, Math.min(start + STEP, blob.size));
  };
  await Promise.all([lane(), lane(), lane()]);
  return Buffer.concat(answers);
}
