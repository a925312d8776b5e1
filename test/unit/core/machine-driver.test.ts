// The driver of machines: one input at a time, whatever the effects do.

import { expect, it } from 'vitest';
import { MachineDriver } from '../../../src/core/machine-driver.ts';
import type { Machine } from '../../../src/core/machine.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';

it('performs all effects of an input before it handles the next', () => {
  const { driver, done } = driving({ a: ['a1', 'a2'], b: ['b1'], c: ['c1'] }, (effect) => {
    if (effect === 'a1') for (const input of ['b', 'c']) driver.input(input);
  });
  driver.input('a');
  expect(done).toEqual(['a1', 'a2', 'b1', 'c1', 'settled']);
});

it('keeps the order over several turns', () => {
  const { driver, done } = driving({ a: ['a1', 'a2'], b: ['b1', 'b2'], c: ['c1'], d: ['d1'] }, (effect) => {
    if (effect === 'a1') driver.input('b');
    if (effect === 'a2') driver.input('c');
    if (effect === 'b1') driver.input('d');
  });
  driver.input('a');
  expect(done).toEqual(['a1', 'a2', 'b1', 'b2', 'c1', 'd1', 'settled']);
});

it('loses nothing after an effect that throws, and throws what it threw', () => {
  const { driver, done } = driving({ a: ['a1', 'bad', 'a2'], b: ['b1'] }, (effect) => {
    if (effect === 'a1') driver.input('b');
    if (effect === 'bad') throw new Error('it is bad');
  });
  expect(() => driver.input('a')).toThrow('it is bad');
  expect(done).toEqual(['a1', 'bad', 'a2', 'b1', 'settled']);
  driver.input('b');
  expect(done.slice(5)).toEqual(['b1', 'settled']);
});

it('throws all errors when several effects throw', () => {
  const { driver } = driving({ a: ['one', 'two'] }, (effect) => {
    throw new Error(effect);
  });
  expect(() => driver.input('a')).toThrow(AggregateError);
});

it('continues after an input on which the machine itself throws', () => {
  const { driver, done } = driving({ a: ['a1'], b: ['b1'] }, (effect) => {
    if (effect === 'a1') for (const input of ['unknown', 'b']) driver.input(input);
  });
  expect(() => driver.input('a')).toThrow('unknown');
  expect(done).toEqual(['a1', 'b1', 'settled']);
});

it('reports once that no input waits, and handles input added then', () => {
  const { driver, done } = driving({ a: ['a1'], b: ['b1'], c: ['c1'] }, (effect) => {
    if (effect === 'a1') driver.input('b');
    if (effect === 'settled' && !done.includes('c1')) driver.input('c');
  });
  driver.input('a');
  expect(done).toEqual(['a1', 'b1', 'settled', 'c1', 'settled']);
});

it('tells the machine when its deadline has come, as last set', () => {
  const { driver, done, clock, machine } = driving({ a: [], tick: ['ticked'] });
  machine.deadlineMs = clock.monotonicMs() + 100;
  driver.input('a');
  machine.deadlineMs += 100;
  driver.input('a');
  clock.advance(199);
  expect(done).not.toContain('ticked');
  machine.deadlineMs = Infinity;
  clock.advance(1);
  expect(done).toContain('ticked');
});

it('after stop takes no input, handles what waits, and keeps no deadline', () => {
  const { driver, done, clock, machine } = driving({ a: ['a1'], b: ['b1'], tick: ['ticked'] }, (effect) => {
    if (effect !== 'a1') return;
    driver.input('b');
    driver.stop();
    driver.input('a');
  });
  machine.deadlineMs = clock.monotonicMs() + 100;
  driver.input('a');
  clock.advance(1_000);
  driver.input('a');
  expect(done).toEqual(['a1', 'b1', 'settled']);
});

it('tells the machine of the clock first, and before the next input after each jump', () => {
  const { driver, done, clock } = driving(
    { a: ['a1'], 'clock 0': [], 'clock -3600000': ['back'] },
    undefined,
    true,
  );
  driver.input('a');
  clock.advance(5_000);
  clock.set(900);
  driver.input('a');
  expect(done).toEqual(['a1', 'settled', 'a1', 'settled']);
  clock.set(-3_600_900);
  driver.input('a');
  driver.input('a');
  expect(done.slice(4)).toEqual(['back', 'a1', 'settled', 'a1', 'settled']);
});

/**
 * A machine that returns the effects that `effects` lists for each input; 'settled' shows in what was done.
 */
function driving(
  effects: Record<string, readonly string[]>,
  perform: (effect: string) => void = () => undefined,
  isToldJumps = false,
): {
  driver: MachineDriver<string, string>;
  done: string[];
  clock: ManualClock;
  machine: { deadlineMs: number };
} {
  const done: string[] = [];
  const clock = new ManualClock();
  const machine: Machine<string, string> & { deadlineMs: number } = {
    deadlineMs: Infinity,
    handle(_nowMs, input) {
      const wanted = effects[input];
      if (wanted === undefined) throw new Error(input);
      return wanted;
    },
    nextDeadlineMs: () => machine.deadlineMs,
  };
  const driver = new MachineDriver<string, string>({
    machine,
    clock,
    tick: 'tick',
    ...(isToldJumps && { jumped: ({ byMs }) => `clock ${byMs}` }),
    perform: (effect) => {
      done.push(effect);
      perform(effect);
    },
    settled: () => {
      done.push('settled');
      perform('settled');
    },
  });
  return { driver, done, clock, machine };
}
