// Memory for blocks is used again, never by two, and not kept for ever.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BlockBuffers } from '../../src/adapters/browser/block-buffers.ts';
import { BLOCK_BYTES } from '../../src/core/model/limits.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('a buffer that was given back is taken again, once', () => {
  const buffers = new BlockBuffers();
  const first = buffers.take(BLOCK_BYTES);
  buffers.give(first);
  const second = buffers.take(BLOCK_BYTES - 1_000);
  expect(second.buffer).toBe(first.buffer);
  expect(second).toHaveLength(BLOCK_BYTES - 1_000);
  expect(buffers.take(BLOCK_BYTES).buffer).not.toBe(first.buffer);
});

it('has room for a block with the header of its message', () => {
  const buffers = new BlockBuffers();
  const message = buffers.take(BLOCK_BYTES + 40);
  buffers.give(message);
  expect(buffers.take(BLOCK_BYTES + 40).buffer).toBe(message.buffer);
});

it('what is much smaller, or larger, is new and exact, and is not kept', () => {
  const buffers = new BlockBuffers();
  for (const byteCount of [0, 10, BLOCK_BYTES / 2 - 1, 2 * BLOCK_BYTES]) {
    const bytes = buffers.take(byteCount);
    expect(bytes.buffer.byteLength).toBe(byteCount);
    buffers.give(bytes);
    expect(buffers.take(byteCount).buffer).not.toBe(bytes.buffer);
  }
});

it('at most 4 MiB wait to be used again, and none when nothing moves any more', () => {
  const buffers = new BlockBuffers();
  const all = Array.from({ length: 20 }, () => buffers.take(BLOCK_BYTES));
  const isKept = () => {
    const known = new Set(all.map(({ buffer }) => buffer));
    return Array.from({ length: 20 }, () => buffers.take(BLOCK_BYTES)).filter(({ buffer }) =>
      known.has(buffer),
    ).length;
  };
  for (const bytes of all) buffers.give(bytes);
  expect(isKept()).toBe(16);
  for (const bytes of all) buffers.give(bytes);
  vi.advanceTimersByTime(10_000);
  expect(isKept()).toBe(0);
});
