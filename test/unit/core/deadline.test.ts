// A deadline that moves: it comes once, when it was last set to, and sets few timers.

import { expect, it } from 'vitest';
import { Deadline } from '../../../src/core/deadline.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';

it('comes once, at its time', () => {
  const { clock, moveTo, reached } = setUp();
  moveTo(100);
  clock.advance(99);
  expect(reached).toEqual([]);
  clock.advance(500);
  expect(reached).toEqual([100]);
});

it('that moves away with each event comes at the last time, with few timers', () => {
  const { clock, moveTo, reached } = setUp();
  for (let at = 0; at < 1_000; at++) {
    clock.advance(at === 0 ? 0 : 1);
    moveTo(at + 100);
  }
  clock.advance(5_000);
  expect(reached).toEqual([1_099]);
  expect(clock.timerCount).toBeLessThan(20);
});

it('that moves nearer comes earlier, and only once', () => {
  const { clock, moveTo, reached } = setUp();
  moveTo(100);
  moveTo(50);
  clock.advance(500);
  expect(reached).toEqual([50]);
});

it('in the past comes immediately', () => {
  const { clock, moveTo, reached } = setUp();
  clock.advance(10);
  moveTo(5);
  clock.advance(0);
  expect(reached).toEqual([10]);
});

it('does not come when it is removed or stopped', () => {
  const { clock, deadline, moveTo, reached } = setUp();
  moveTo(100);
  moveTo(Infinity);
  clock.advance(200);
  moveTo(300);
  deadline.stop();
  clock.advance(300);
  expect(reached).toEqual([]);
  moveTo(600);
  clock.advance(200);
  expect(reached).toEqual([600]);
});

it('comes after the time that really passed when the clock is set back', () => {
  const { clock, moveTo, reached } = setUp();
  moveTo(100);
  clock.set(-3_600_000);
  clock.advance(100);
  expect(reached).toHaveLength(1);
});

it('that moved away comes after the time that really passed when the clock is set back', () => {
  const { clock, moveTo, reached } = setUp();
  moveTo(100);
  moveTo(150);
  clock.set(-3_600_000);
  clock.advance(149);
  expect(reached).toEqual([]);
  clock.advance(1);
  expect(reached).toHaveLength(1);
});

/** Times are ms since the clock's start. */
function setUp(): {
  clock: ManualClock;
  deadline: Deadline;
  moveTo: (atMs: number) => void;
  reached: number[];
} {
  const clock = new ManualClock();
  const startMs = clock.monotonicMs();
  const reached: number[] = [];
  const deadline = new Deadline(clock, () => reached.push(clock.monotonicMs() - startMs));
  return { clock, deadline, moveTo: (atMs) => deadline.move(startMs + atMs), reached };
}
