// This device's own word that it is alive: which of its records it sends, and when it needs to sign another.
//
// Invariant: a record is signed only once its incarnation is on the disk, so no later life uses it again.

import type { DeviceClass } from '../model/device-class.ts';
import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { isLater, type AliveRecord, type LifeSign } from './alive-record.ts';

/** Between two signatures, ms: others may ask as often as they like. */
const SIGN_GAP_MS = 1_000;

/** After the disk could not take an incarnation, ms: it is full, and each failure is told. */
const RETRY_MS = 60_000;

export interface Signing extends LifeSign {
  readonly class: DeviceClass;
}

export class OwnLife {
  readonly #class: DeviceClass;
  #incarnation = 1;
  #beat = 0;
  #record: AliveRecord | undefined;
  #isSigning = false;
  #mayNextMs: MonotonicMs = -Infinity;
  /** Devices that wait for the next record; all are linked. */
  readonly #askers = new Set<DeviceId>();

  constructor(ownClass: DeviceClass) {
    this.#class = ownClass;
  }

  get class(): DeviceClass {
    return this.#class;
  }

  /** The last moment of this device's lives that others may know of. */
  get sign(): LifeSign {
    return { incarnation: this.#incarnation, beat: this.#beat };
  }

  /** The first incarnation of this page: higher than those of all earlier ones. */
  begin(incarnation: number): void {
    this.#incarnation = Math.max(this.#incarnation, incarnation);
  }

  /** Begins a new life if this device's is not later than `incarnation`. */
  rise(incarnation: number): void {
    if (this.#incarnation > incarnation || incarnation >= Number.MAX_SAFE_INTEGER) return;
    this.#incarnation = incarnation + 1;
    this.#beat = 0;
  }

  /** A record that is news to `asker`; undefined when it must wait for the next. */
  tell(asker: DeviceId, known: LifeSign): AliveRecord | undefined {
    const record = this.#record;
    if (record?.incarnation === this.#incarnation && isLater(record, known)) return record;
    this.#askers.add(asker);
    return undefined;
  }

  linkDown(device: DeviceId): void {
    this.#askers.delete(device);
  }

  /** What to sign now, if anybody waits for it. */
  advance(nowMs: MonotonicMs): Signing | undefined {
    if (this.#isSigning || this.#askers.size === 0 || nowMs < this.#mayNextMs) return undefined;
    this.#isSigning = true;
    this.#mayNextMs = nowMs + SIGN_GAP_MS;
    return { incarnation: this.#incarnation, beat: this.#beat + 1, class: this.#class };
  }

  /** Returns who waits for the record; undefined: it could not be written. */
  signed(nowMs: MonotonicMs, record: AliveRecord | undefined): readonly DeviceId[] {
    this.#isSigning = false;
    if (record === undefined) {
      this.#mayNextMs = nowMs + RETRY_MS;
      this.#askers.clear();
    }
    if (record?.incarnation !== this.#incarnation) return [];
    this.#record = record;
    this.#beat = record.beat;
    const askers = [...this.#askers];
    this.#askers.clear();
    return askers;
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#isSigning || this.#askers.size === 0 ? Infinity : this.#mayNextMs;
  }
}
