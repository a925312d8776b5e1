// Whom this device asks next to vouch for itself: SWIM's probes of linked devices. One device is asked a
// period, however many are linked, in turn from this device's successor on, so that devices that begin
// together ask different ones. The answer says that page, fragment worker and disk of the other work, and
// what it holds.
//
// The period is short while anything is unsettled: after a change every device is asked once, so that each
// pair compares what it has. Then the period doubles. Whoever contradicts for ever is asked a few times only.
//
// Invariant: a device is called silent only after it owed several answers in a row, and while another device
// answered; the asker may be at fault otherwise.

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';

/** The period while anything is unsettled, ms: memberlist's. */
export const SHORT_PERIOD_MS = 1_000;
/** The longest period, ms. */
export const LONG_PERIOD_MS = 60_000;
/** An answer may take this long, ms: that of a disk which is busy with large writes takes seconds. */
export const VOUCH_DEADLINE_MS = 5_000;
/** So many answers in a row must be missing. */
const MISSING_COUNT = 3;
/** How often a device is asked about one change before it has agreed. */
const ASKS_A_CHANGE = 3;

interface Ward {
  /** When the answer that it owes is overdue; Infinity: it owes none. */
  overdueMs: MonotonicMs;
  /** Number of the last question to it. */
  turn: number;
  /** The change about which it was asked last, and how often; Infinity: it agreed. */
  change: number;
  asks: number;
  missing: number;
  isSilent: boolean;
}

export interface VouchingStep {
  readonly ask: DeviceId | undefined;
  /** These owe an answer that is overdue: their links are in doubt. */
  readonly overdue: readonly DeviceId[];
  /** These are silent from now on. */
  readonly silent: readonly DeviceId[];
}

const NOTHING: VouchingStep = { ask: undefined, overdue: [], silent: [] };

export class Vouching {
  readonly #self: DeviceId;
  /** In turn. */
  #wards = new Map<DeviceId, Ward>();
  #turn = 0;
  #change = 0;
  #periodMs = SHORT_PERIOD_MS;
  #nextMs: MonotonicMs = Infinity;
  #answeredAtMs: MonotonicMs = -Infinity;

  constructor(self: DeviceId) {
    this.#self = self;
  }

  /** The linked device answers such questions. */
  speaks(nowMs: MonotonicMs, device: DeviceId): void {
    if (this.#wards.has(device)) return;
    const ward = { overdueMs: Infinity, turn: -1, change: -1, asks: 0, missing: 0, isSilent: false };
    const isAfter = (other: DeviceId): boolean => other > this.#self;
    const order = (a: DeviceId, b: DeviceId): number =>
      isAfter(a) === isAfter(b) ? (a < b ? -1 : 1) : isAfter(a) ? -1 : 1;
    this.#wards = new Map([...this.#wards, [device, ward] as const].toSorted(([a], [b]) => order(a, b)));
    this.#hurry(nowMs);
  }

  linkDown(nowMs: MonotonicMs, device: DeviceId): void {
    if (this.#wards.delete(device)) this.#hurry(nowMs);
  }

  /** This device has or holds something else than before: all others are asked whether they know. */
  changed(nowMs: MonotonicMs): void {
    this.#change += 1;
    this.#hurry(nowMs);
  }

  /** The device was told all it holds anew: whether that arrived is found out like a change. */
  toldAnew(nowMs: MonotonicMs, device: DeviceId): void {
    const ward = this.#wards.get(device);
    if (ward === undefined || ward.asks !== Infinity) return;
    ward.asks = 1;
    this.#hurry(nowMs);
  }

  /** It slept or was frozen, and could not hear answers: nobody owes any. */
  slept(nowMs: MonotonicMs): void {
    for (const ward of this.#wards.values()) {
      ward.overdueMs = Infinity;
      if (!ward.isSilent) ward.missing = 0;
    }
    this.#hurry(nowMs);
  }

  owesAnswer(device: DeviceId): boolean {
    return (this.#wards.get(device)?.overdueMs ?? Infinity) < Infinity;
  }

  /** The device works: it answered, or gave what only its disk has. Returns whether it was silent before. */
  works(nowMs: MonotonicMs, device: DeviceId): boolean {
    const ward = this.#wards.get(device);
    if (ward === undefined) return false;
    const wasSilent = ward.isSilent;
    ward.overdueMs = Infinity;
    ward.missing = 0;
    ward.isSilent = false;
    this.#answeredAtMs = nowMs;
    return wasSilent;
  }

  /** What the device answered is what this device has of it, and has itself. */
  agrees(device: DeviceId): void {
    const ward = this.#wards.get(device);
    if (ward !== undefined && ward.change === this.#change) ward.asks = Infinity;
  }

  /** `mayAccuse`: whether this device may be sure that others are silent, and not itself. */
  advance(nowMs: MonotonicMs, mayAccuse: boolean): VouchingStep {
    if (nowMs < this.nextDeadlineMs()) return NOTHING;
    const overdue: DeviceId[] = [];
    for (const [device, ward] of this.#wards) {
      if (nowMs < ward.overdueMs) continue;
      ward.overdueMs = Infinity;
      ward.missing += 1;
      overdue.push(device);
    }
    if (overdue.some((device) => this.#wards.get(device)?.isSilent === false)) this.#hurry(nowMs);
    const silent = mayAccuse ? overdue.filter((device) => this.#turnsSilent(nowMs, device)) : [];
    return { ask: nowMs < this.#nextMs ? undefined : this.#ask(nowMs), overdue, silent };
  }

  nextDeadlineMs(): MonotonicMs {
    let nextMs = this.#nextMs;
    for (const { overdueMs } of this.#wards.values()) nextMs = Math.min(nextMs, overdueMs);
    return nextMs;
  }

  #turnsSilent(nowMs: MonotonicMs, device: DeviceId): boolean {
    const ward = this.#wards.get(device);
    if (ward === undefined || ward.isSilent || ward.missing < MISSING_COUNT) return false;
    const othersAnswer = nowMs - this.#answeredAtMs <= MISSING_COUNT * VOUCH_DEADLINE_MS;
    ward.isSilent = this.#wards.size === 1 || othersAnswer;
    return ward.isSilent;
  }

  #ask(nowMs: MonotonicMs): DeviceId | undefined {
    const free = [...this.#wards].filter(([, { overdueMs }]) => overdueMs === Infinity);
    const isUnsettled = ([, ward]: [DeviceId, Ward]): boolean =>
      (ward.missing > 0 && !ward.isSilent) || ward.change < this.#change || ward.asks < ASKS_A_CHANGE;
    const unsettled = free.filter(isUnsettled);
    const [next] = (unsettled.length > 0 ? unsettled : free).toSorted(([, a], [, b]) => a.turn - b.turn);
    this.#periodMs = unsettled.length > 0 ? SHORT_PERIOD_MS : Math.min(2 * this.#periodMs, LONG_PERIOD_MS);
    this.#nextMs = this.#wards.size === 0 ? Infinity : nowMs + this.#periodMs;
    if (next === undefined) return undefined;
    const [device, ward] = next;
    ward.turn = this.#turn++;
    ward.overdueMs = nowMs + VOUCH_DEADLINE_MS;
    ward.asks = ward.change === this.#change ? ward.asks + 1 : 1;
    ward.change = this.#change;
    return device;
  }

  #hurry(nowMs: MonotonicMs): void {
    this.#periodMs = SHORT_PERIOD_MS;
    this.#nextMs = Math.min(this.#nextMs, nowMs + SHORT_PERIOD_MS);
  }
}
