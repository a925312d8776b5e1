// Runs one machine: feeds it inputs, has its effects performed, and tells it when its deadline has come. It
// decides nothing.
//
// Invariants: the machine sees one input at a time, and all effects of an input are performed before the next
// input is handled. Inputs that arise in between wait, in order. Each comes from an effect being performed,
// so the effects bound how many wait. An effect that throws does not stop the effects and inputs behind it:
// the caller of the first input gets the error after everything else is done.

import { ClockWatch, type ClockJump } from './clock-watch.ts';
import { Deadline } from './deadline.ts';
import type { Machine } from './machine.ts';
import type { Clock } from './ports.ts';

export interface MachineDriverOptions<Input, Effect> {
  readonly machine: Machine<Input, Effect>;
  readonly clock: Clock;
  /** What the machine is told when its deadline has come. */
  readonly tick: Input;
  /** What the machine is told first of all, and after a clock jump. Default: nothing. */
  readonly jumped?: (jump: ClockJump) => Input;
  readonly perform: (effect: Effect) => void;
  /** Called when no inputs are waiting. It may add more. */
  readonly settled?: () => void;
}

export class MachineDriver<Input, Effect> {
  readonly #options: MachineDriverOptions<Input, Effect>;
  readonly #deadline: Deadline;
  readonly #watch: ClockWatch;
  #waiting: Input[] = [];
  #isRunning = false;
  #isStopped = false;

  constructor(options: MachineDriverOptions<Input, Effect>) {
    this.#options = options;
    this.#watch = new ClockWatch(options.clock);
    this.#deadline = new Deadline(options.clock, () => this.input(options.tick));
  }

  /**
   * Handles `input` and everything that follows from it before it returns. While effects are being performed,
   * the input only joins those that wait. Ignored after `stop`.
   * @throws what the machine, `perform` or `settled` threw; an AggregateError if several did.
   */
  input(input: Input): void {
    if (this.#isStopped) return;
    this.#waiting.push(input);
    if (this.#isRunning) return;
    this.#isRunning = true;
    const failures: unknown[] = [];
    while (this.#waiting.length > 0) this.#handleWaiting(failures);
    this.#isRunning = false;
    if (failures.length > 1) throw new AggregateError(failures, 'several effects failed');
    if (failures.length === 1) throw failures[0];
  }

  /** Ignores all further inputs and deadlines. Inputs that already wait are still handled. */
  stop(): void {
    this.#isStopped = true;
    this.#deadline.stop();
  }

  #handleWaiting(failures: unknown[]): void {
    const inputs = this.#waiting;
    this.#waiting = [];
    for (const input of inputs) {
      this.#tellJump(failures);
      this.#handle(input, failures);
    }
    if (this.#waiting.length > 0) return;
    try {
      if (!this.#isStopped) this.#deadline.move(this.#options.machine.nextDeadlineMs());
      this.#options.settled?.();
    } catch (error) {
      failures.push(error);
    }
  }

  #tellJump(failures: unknown[]): void {
    const { jumped } = this.#options;
    if (jumped === undefined) return;
    const jump = this.#watch.look();
    if (jump !== undefined) this.#handle(jumped(jump), failures);
  }

  #handle(input: Input, failures: unknown[]): void {
    const { machine, clock, perform } = this.#options;
    try {
      for (const effect of machine.handle(clock.monotonicMs(), input)) {
        try {
          perform(effect);
        } catch (error) {
          failures.push(error);
        }
      }
    } catch (error) {
      failures.push(error);
    }
  }
}
