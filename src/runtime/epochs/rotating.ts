// When this device writes a new epoch: by hand, and of itself while somebody who is not in may have the keys
// of the current one. Who shut a device out does it at once. Otherwise the admins that are linked take turns,
// so that one epoch is written, and not one by each.

import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { has, type PlacedAct } from '../../core/catalogue/grants/act-graph.ts';
import type { Epochs } from '../../core/catalogue/grants/epoch-chain.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import { MAX_ACTS_BEFORE_AGE } from '../../core/model/limits.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Clock } from '../../core/ports.ts';
import { writeEpoch, type NewEpochPorts } from './new-epoch.ts';

export interface RotatingPorts extends NewEpochPorts {
  readonly clock: Clock;
  readonly acts: ActSet;
  epochs(): Epochs;
  /** How old keys get, ms, as the pool's policy has it; undefined: any age. */
  maxAgeMs(): number | undefined;
  /** Of the keys in use, ms. */
  ageMs(): number;
  /** This device, and those that it is linked with. */
  reachable(): readonly DeviceId[];
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

/** The first admin in turn waits this long, ms: who shut somebody out, and is linked, needs less. */
const FIRST_TURN_MS = 60_000;
/** Each next admin waits twice as long; after so many turns no longer than that. */
const MAX_TURN = 8;
/** Time between two epochs that this device writes of itself, ms, unless somebody else was shut out since. */
const AGAIN_MS = 60 * 60_000;
/** What is due later is looked at again by then, ms: timers of browsers end at 24 days. */
const LOOK_AGAIN_MS = 24 * 60 * 60_000;

/** One that failed is tried again after this, ms; twice as long after each more. */
const RETRY_MS = 10_000;

export class Rotating {
  readonly #ports: RotatingPorts;
  #cancel = (): void => undefined;
  #isStopped = false;
  #writing: Promise<CheckedAct | undefined> | undefined;
  /** When this device last wrote one of itself, and how many shut-outs there were then. */
  #last: { readonly atMs: MonotonicMs; readonly outCount: number } | undefined;

  /** How often one that this device began of itself failed in a row. */
  #failureCount = 0;
  #holdCount = 0;

  constructor(ports: RotatingPorts) {
    this.#ports = ports;
  }

  /** Writes a new epoch now. Undefined when this device is no admin. */
  async rotate(): Promise<CheckedAct | undefined> {
    await this.idle();
    this.#writing = writeEpoch(this.#ports).finally(() => (this.#writing = undefined));
    return this.#writing;
  }

  /** Begins none of itself meanwhile. Afterwards comes a look. */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#holdCount += 1;
    try {
      return await work();
    } finally {
      this.#holdCount -= 1;
    }
  }

  get #isHeld(): boolean {
    return this.#isStopped || this.#holdCount > 0;
  }

  /** Acts came or were written. */
  look(): void {
    this.#cancel();
    const waitMs = this.#waitMs();
    if (waitMs === undefined || this.#isHeld) return;
    if (waitMs <= 0) this.#rotateItself();
    else if (waitMs > LOOK_AGAIN_MS) this.#cancel = this.#ports.clock.after(LOOK_AGAIN_MS, () => this.look());
    else this.#cancel = this.#ports.clock.after(waitMs, () => this.#rotateItself());
  }

  /** Resolves when none is being written. */
  async idle(): Promise<void> {
    await this.#writing?.catch(() => undefined); // whoever began it gets the failure
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
  }

  #rotateItself(): void {
    if (this.#writing !== undefined || this.#waitMs() === undefined || this.#isHeld) return;
    const outCount = this.#outs().length;
    const rotated = this.rotate().then(
      () => {
        this.#last = { atMs: this.#ports.clock.monotonicMs(), outCount };
        this.#failureCount = 0;
      },
      (error: unknown) => {
        this.#failureCount += 1;
        this.look();
        throw error;
      },
    );
    this.#ports.background(rotated);
  }

  /** Undefined when there is nothing to do for this device. */
  #waitMs(): number | undefined {
    const { acts, self, clock } = this.#ports;
    const epochs = this.#ports.epochs();
    const ageMs = this.#ports.ageMs();
    if (acts.roleOf(self) !== 'admin') return undefined;
    if (epochs.isClean) return this.#dueMs(ageMs);
    const outs = this.#outs();
    const isOwn = outs.some((out) => out.by === self && !this.#isAnswered(out, epochs));
    const failedMs =
      this.#failureCount === 0 ? 0 : RETRY_MS * 2 ** Math.min(this.#failureCount - 1, MAX_TURN);
    const turnMs = Math.max(failedMs, isOwn ? 0 : FIRST_TURN_MS * 2 ** Math.min(this.#turn(), MAX_TURN));
    if (this.#last === undefined || this.#last.outCount < outs.length) return turnMs;
    return Math.max(turnMs, this.#last.atMs + AGAIN_MS - clock.monotonicMs());
  }

  /** Until this device changes keys for their age, ms: admins take turns, as for those that are not clean. */
  #dueMs(ageMs: number): number | undefined {
    const maxAgeMs = this.#ports.maxAgeMs();
    if (maxAgeMs === undefined || this.#isHalfSpent()) return undefined;
    const turnMs = FIRST_TURN_MS * 2 ** Math.min(this.#turn(), MAX_TURN);
    const againMs =
      this.#last === undefined ? 0 : this.#last.atMs + AGAIN_MS - this.#ports.clock.monotonicMs();
    return Math.max(Math.max(0, maxAgeMs - ageMs) + turnMs, againMs);
  }

  /** Of what this device may ever write, a half is for what cannot wait: who is shut out, and by whom. */
  #isHalfSpent(): boolean {
    const { acts, self } = this.#ports;
    const spent = Math.max(acts.positionOf(self).seq - 1, acts.unitsOf(self));
    return spent >= MAX_ACTS_BEFORE_AGE;
  }

  #outs(): readonly PlacedAct[] {
    const { acts } = this.#ports;
    return acts.placed.filter(
      ({ body, id }) =>
        (body.kind === 'shut-out' || (body.kind === 'recover' && body.out.length > 0)) &&
        acts.standings.counts(id),
    );
  }

  /** Whether an epoch was written in sight of it. */
  #isAnswered(out: PlacedAct, { counting }: Epochs): boolean {
    return counting.some((epoch) => has(epoch.past, out.index));
  }

  /** How many linked admins come before this one. */
  #turn(): number {
    const { acts, self } = this.#ports;
    const admins = this.#ports.reachable().filter((device) => acts.roleOf(device) === 'admin');
    const inTurn = admins.toSorted((a, b) => acts.rankOf(a) - acts.rankOf(b) || (a < b ? -1 : 1));
    return Math.max(0, inTurn.indexOf(self));
  }
}
