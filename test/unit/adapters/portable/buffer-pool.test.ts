// Memory is reused, never has two owners, and is not kept for ever.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BufferPool } from '../../../../src/adapters/portable/buffer-pool.ts';
import { BLOCK_BYTES, USUAL_BLOCK_BYTES } from '../../../../src/core/model/limits.ts';

const SEGMENT_BYTES = 4 * BLOCK_BYTES - 16;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a buffer that was given back is taken again, but only once', () => {
  const pool = new BufferPool();
  const first = pool.take(BLOCK_BYTES);
  pool.give(first);
  const second = pool.take(BLOCK_BYTES - 1_000);
  expect(second.buffer).toBe(first.buffer);
  expect(second).toHaveLength(BLOCK_BYTES - 1_000);
  expect(pool.take(BLOCK_BYTES).buffer).not.toBe(first.buffer);
});

it('a buffer that is given back twice is refused: it would have two owners', () => {
  const pool = new BufferPool();
  const bytes = pool.take(BLOCK_BYTES);
  pool.give(bytes);
  expect(() => pool.give(bytes)).toThrow('twice');
});

it('usual blocks, and messages with one, have a size of their own', () => {
  const pool = new BufferPool();
  const message = pool.take(USUAL_BLOCK_BYTES + 40);
  expect(message.buffer.byteLength).toBeLessThan(BLOCK_BYTES);
  pool.give(message);
  expect(pool.take(BLOCK_BYTES).buffer).not.toBe(message.buffer);
  expect(pool.take(USUAL_BLOCK_BYTES).buffer).toBe(message.buffer);
});

it('a buffer has room for a block with the header of its message', () => {
  const pool = new BufferPool();
  const message = pool.take(BLOCK_BYTES + 40);
  pool.give(message);
  expect(pool.take(BLOCK_BYTES + 40).buffer).toBe(message.buffer);
});

it('memory as long as a segment is reused for one of that length', () => {
  const pool = new BufferPool();
  const segment = pool.take(SEGMENT_BYTES);
  expect(segment.buffer.byteLength).toBe(SEGMENT_BYTES);
  pool.give(segment);
  expect(pool.take(SEGMENT_BYTES - 16).buffer).not.toBe(segment.buffer);
  expect(pool.take(BLOCK_BYTES).buffer).not.toBe(segment.buffer);
  expect(pool.take(SEGMENT_BYTES).buffer).toBe(segment.buffer);
});

it('buffers much smaller than a block, or larger than any usual segment, are not kept', () => {
  const pool = new BufferPool();
  for (const byteCount of [0, 10, BLOCK_BYTES / 2 - 1, 5 * 2 ** 20]) {
    const bytes = pool.take(byteCount);
    expect(bytes.buffer.byteLength).toBe(byteCount);
    pool.give(bytes);
    expect(pool.take(byteCount).buffer).not.toBe(bytes.buffer);
  }
});

it('at most 4 MiB are kept, the latest of all, and none once nothing moves', () => {
  const pool = new BufferPool();
  const old = pool.take(SEGMENT_BYTES);
  pool.give(old);
  const all = Array.from({ length: 30 }, () => pool.take(BLOCK_BYTES));
  const keptCount = (): number => {
    const known = new Set(all.map(({ buffer }) => buffer));
    return Array.from({ length: 30 }, () => pool.take(BLOCK_BYTES)).filter(({ buffer }) => known.has(buffer))
      .length;
  };
  for (const bytes of all) pool.give(bytes);
  expect(pool.take(SEGMENT_BYTES).buffer).not.toBe(old.buffer);
  expect(keptCount()).toBe(15);
  for (const bytes of all) pool.give(bytes);
  vi.advanceTimersByTime(20_000);
  expect(keptCount()).toBe(0);
});
