// While something is used the timer runs; once unused, it ends once, in time.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { IdleTimer } from '../../../../src/adapters/portable/idle-timer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it('it is idle once, between one and two times its span after the last use', () => {
  const idle = vi.fn<() => void>();
  const timer = new IdleTimer(100, idle);
  vi.advanceTimersByTime(1_000);
  expect(idle).not.toHaveBeenCalled();
  for (let use = 0; use < 10; use++) {
    timer.used();
    vi.advanceTimersByTime(70);
  }
  vi.advanceTimersByTime(29);
  expect(idle).not.toHaveBeenCalled();
  vi.advanceTimersByTime(101);
  expect(idle).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(idle).toHaveBeenCalledTimes(1);
  timer.used();
  vi.advanceTimersByTime(100);
  expect(idle).toHaveBeenCalledTimes(2);
});

it('it sets no timer while one runs', () => {
  const timer = new IdleTimer(100, () => undefined);
  for (let use = 0; use < 1_000; use++) timer.used();
  expect(vi.getTimerCount()).toBe(1);
});

it('it is never idle once it was stopped', () => {
  const idle = vi.fn<() => void>();
  const timer = new IdleTimer(100, idle);
  timer.used();
  timer.used();
  timer.stop();
  vi.advanceTimersByTime(1_000);
  expect(idle).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
  timer.used();
  vi.advanceTimersByTime(100);
  expect(idle).toHaveBeenCalledTimes(1);
});
