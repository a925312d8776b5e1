// A file as the source of a store: read in large pieces, answered in small ones, and told of when it changed.

import { expect, it } from 'vitest';
import { isPalmError } from '../../src/core/model/errors.ts';
import { blobSource } from '../../src/runtime/blob-source.ts';

const MIB = 2 ** 20;
const STEP = MIB - 16;

/** A blob that notes which parts of it were read, and whose parts can lose bytes. */
class WatchedBlob extends Blob {
  readonly slices: string[] = [];
  lostBytes = 0;

  override slice(start: number, end: number): Blob {
    this.slices.push(`${start}-${end}`);
    return super.slice(start, end - this.lostBytes);
  }
}

it('answers what is asked for, some at once, with a few reads of the file', async () => {
  const bytes = new Uint8Array(10 * MIB).map((_, at) => (at * 31 + (at >> 12)) & 0xff);
  const blob = new WatchedBlob([bytes]);
  const source = blobSource(blob);
  const starts = Array.from({ length: Math.ceil(bytes.length / STEP) }, (_, at) => at * STEP);
  const answers: Uint8Array[] = [];
  const lane = async (): Promise<void> => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      const end = Math.min(start + STEP, bytes.length);
      answers[start / STEP] = await source.read(start, end);
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  expect(Buffer.compare(Buffer.concat(answers), bytes)).toBe(0);
  expect(blob.slices).toEqual([`0-${4 * STEP}`, `${4 * STEP}-${8 * STEP}`, `${8 * STEP}-${bytes.length}`]);
});

it('answers any part, also one that was read before', async () => {
  const bytes = new Uint8Array(9 * MIB).map((_, at) => at & 0xff);
  const source = blobSource(new Blob([bytes]));
  for (const [start, end] of [
    [5 * MIB, 6 * MIB],
    [0, 10],
    [0, 9 * MIB],
    [3, 3],
    [9 * MIB - 1, 9 * MIB],
    [0, 10],
  ] as const) {
    const answer = await source.read(start, end);
    expect(Buffer.compare(answer, bytes.subarray(start, end)), `${start}-${end}`).toBe(0);
  }
});

it('says that a file lost bytes', async () => {
  const blob = new WatchedBlob([new Uint8Array(3 * MIB)]);
  blob.lostBytes = 1;
  const reading = Promise.all([blobSource(blob).read(0, MIB), blobSource(blob).read(MIB, 2 * MIB)]);
  await expect(reading).rejects.toSatisfy((error) => isPalmError(error, 'source-changed'));
});

it('reads nothing for a store that was cancelled', async () => {
  const blob = new WatchedBlob([new Uint8Array(10)]);
  const reason = new Error('cancelled');
  await expect(blobSource(blob).read(0, 10, AbortSignal.abort(reason))).rejects.toBe(reason);
  expect(blob.slices).toEqual([]);
});
