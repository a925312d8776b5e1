// A deadline that moves: it comes when it was last said to, once, and sets few timers.

import { expect, it } from 'vitest';
import { Deadline } from '../../../../src/runtime/peer/deadline.ts';

class TestClock {
  now = 0;
  setCount = 0;
  readonly #timers = new Map<number, { readonly atMs: number; readonly callback: () => void }>();

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const id = ++this.setCount;
    this.#timers.set(id, { atMs: this.now + delayMs, callback });
    return () => this.#timers.delete(id);
  }

  pass(toMs: number): void {
    for (;;) {
      const due = [...this.#timers].filter(([, { atMs }]) => atMs <= toMs);
      const [first] = due.toSorted(([, a], [, b]) => a.atMs - b.atMs);
      if (first === undefined) break;
      this.#timers.delete(first[0]);
      this.now = first[1].atMs;
      first[1].callback();
    }
    this.now = toMs;
  }
}

function setUp(): { clock: TestClock; deadline: Deadline; reached: number[] } {
  const clock = new TestClock();
  const reached: number[] = [];
  return { clock, deadline: new Deadline(clock, () => reached.push(clock.now)), reached };
}

it('comes once, at its time', () => {
  const { clock, deadline, reached } = setUp();
  deadline.move(100);
  clock.pass(99);
  expect(reached).toEqual([]);
  clock.pass(500);
  expect(reached).toEqual([100]);
});

it('that is moved away with each event comes at the last time, with few timers', () => {
  const { clock, deadline, reached } = setUp();
  for (let at = 0; at < 1_000; at++) {
    clock.pass(at);
    deadline.move(at + 100);
  }
  clock.pass(5_000);
  expect(reached).toEqual([1_099]);
  expect(clock.setCount).toBeLessThan(20);
});

it('that is moved nearer comes earlier, and not again', () => {
  const { clock, deadline, reached } = setUp();
  deadline.move(100);
  deadline.move(50);
  clock.pass(500);
  expect(reached).toEqual([50]);
});

it('that lies behind comes at once', () => {
  const { clock, deadline, reached } = setUp();
  clock.pass(10);
  deadline.move(5);
  clock.pass(10);
  expect(reached).toEqual([10]);
});

it('does not come when it is taken back or stopped', () => {
  const { clock, deadline, reached } = setUp();
  deadline.move(100);
  deadline.move(Infinity);
  clock.pass(200);
  deadline.move(300);
  deadline.stop();
  clock.pass(500);
  expect(reached).toEqual([]);
  deadline.move(600);
  clock.pass(700);
  expect(reached).toEqual([600]);
});
