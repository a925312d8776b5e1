// Which of the devices that owe a read something are silent: linked, and nothing that they were asked for
// comes. Answers to pings do not help, since a device can be there and still swallow what it is asked. A slow
// device is not silent: each frame of an answer counts, to whatever request of this device it belongs.
//
// Only time in which this page listened counts, not that in which it slept or was busy. Nor does the time
// that a request takes to leave this device, as long as what waits before it goes out.

import { isPalmError } from '../../core/model/errors.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { Clock } from '../../core/ports.ts';
import type { Transport } from '../../core/transport-port.ts';

export interface SilenceWatchOptions {
  readonly clock: Clock;
  readonly transport: Pick<Transport, 'givesNothingForMs' | 'followQueue'>;
  /** Called with all silent devices whenever these change. */
  readonly changed: (silent: ReadonlySet<DeviceId>) => void;
}

/** A device that owed for this long and gave nothing is silent, ms. */
const SILENT_AFTER_MS = 4_000;
/**
 * So is a device that owed for this long, ms, once the read came no further for WAITED_MS: silent devices
 * that are asked one after the other together cost little more than one.
 */
const SILENT_AT_LEAST_MS = 2_500;
const WAITED_MS = 4_500;
/** The interval of looking, ms. */
const LOOK_EVERY_MS = 250;
/** A look that comes this late means that the page slept or was busy for long: waits begin again, ms. */
const LATE_MS = 1_000;
/** A silent device that owes nothing any more is thought better of after this long, ms. */
const FORGET_AFTER_MS = 10_000;

interface Debt {
  /** What the device was asked for and has not answered. */
  count: number;
  /** Since when it owes anything. */
  sinceMs: MonotonicMs;
  /** How long it has owed and given nothing. */
  owedMs: number;
  /** Whether the request still waits behind something that goes out. */
  isLeaving: () => boolean;
}

export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  readonly #debts = new Map<DeviceId, Debt>();
  /** Silent devices, and when each became so. */
  readonly #silent = new Map<DeviceId, MonotonicMs>();
  /** How long something was owed and the read came no further. */
  #waitedMs = 0;
  #lookedAtMs: MonotonicMs = 0;
  #stopTimer: (() => void) | undefined;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
  }

  /** Makes a request to `device`, which owes its answer until then. Settles as the request does. */
  async watch<Answer>(device: DeviceId, request: () => Promise<Answer>): Promise<Answer> {
    const debt = this.#debts.get(device) ?? this.#newDebt(device);
    debt.count += 1;
    this.#debts.set(device, debt);
    if (this.#stopTimer === undefined) this.#begin();
    let isAnswered = false;
    try {
      const answer = await request();
      isAnswered = true;
      return answer;
    } catch (error) {
      isAnswered = isRefusal(error);
      throw error;
    } finally {
      debt.count -= 1;
      if (debt.count === 0) this.#debts.delete(device);
      if (isAnswered) this.#gave(device, debt);
    }
  }

  /** The read came further: a segment is complete. */
  advanced(): void {
    this.#waitedMs = 0;
  }

  stop(): void {
    this.#debts.clear();
    this.#silent.clear();
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #newDebt(device: DeviceId): Debt {
    const { clock, transport } = this.#options;
    return {
      count: 0,
      sinceMs: clock.monotonicMs(),
      owedMs: 0,
      isLeaving: transport.followQueue(device),
    };
  }

  #begin(): void {
    this.#waitedMs = 0;
    this.#lookedAtMs = this.#options.clock.monotonicMs();
    this.#lookLater();
  }

  #lookLater(): void {
    this.#stopTimer = this.#options.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const passedMs = nowMs - this.#lookedAtMs;
    const before = [...this.#silent.keys()];
    const hasSlept = passedMs > LOOK_EVERY_MS + LATE_MS;
    const listenedMs = Math.min(passedMs, LOOK_EVERY_MS);
    this.#waitedMs = hasSlept ? 0 : this.#waitedMs + listenedMs;
    for (const [device, debt] of this.#debts) {
      const waits = !hasSlept && !debt.isLeaving() && !this.#hasGivenSince(this.#lookedAtMs, device);
      if (waits) debt.owedMs += Math.min(listenedMs, nowMs - debt.sinceMs);
      else debt.owedMs = 0;
      // Part of a larger answer.
      if (!waits && debt.sinceMs <= this.#lookedAtMs) this.#waitedMs = 0;
    }
    for (const [device, sinceMs] of this.#silent) {
      const owes = this.#debts.has(device);
      if (this.#hasGivenSince(this.#lookedAtMs, device) || (!owes && nowMs >= sinceMs + FORGET_AFTER_MS))
        this.#silent.delete(device);
    }
    for (const [device, { owedMs }] of this.#debts)
      if (this.#isLong(owedMs) && !this.#silent.has(device)) this.#silent.set(device, nowMs);
    this.#lookedAtMs = nowMs;
    this.#stopTimer = undefined;
    if (this.#debts.size > 0 || this.#silent.size > 0) this.#lookLater();
    if (before.join() !== [...this.#silent.keys()].join()) this.#tell();
  }

  #isLong(owedMs: number): boolean {
    return owedMs >= SILENT_AFTER_MS || (owedMs >= SILENT_AT_LEAST_MS && this.#waitedMs >= WAITED_MS);
  }

  #hasGivenSince(sinceMs: MonotonicMs, device: DeviceId): boolean {
    return this.#options.transport.givesNothingForMs(device) <= this.#options.clock.monotonicMs() - sinceMs;
  }

  #gave(device: DeviceId, debt: Debt): void {
    debt.owedMs = 0;
    debt.sinceMs = this.#options.clock.monotonicMs();
    if (this.#silent.delete(device)) this.#tell();
  }

  #tell(): void {
    this.#options.changed(new Set(this.#silent.keys()));
  }
}

/** Whether the device answered, if only that it does not give it. Otherwise it was too late, or is gone. */
function isRefusal(error: unknown): boolean {
  if (!isPalmError(error)) return false;
  const { failure } = error;
  if (failure.code === 'deadline') return failure.reason !== 'no-answer';
  return failure.code === 'refused' || failure.code === 'corrupt';
}
