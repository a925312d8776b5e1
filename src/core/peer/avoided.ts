// Devices that are left alone over a file for a while: they declined a fragment of it, or did not prove one.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { RETRY_LATER_MS, RETRY_SOON_MS } from './offer-deadlines.ts';

/** A device that declined this often for a passing reason is not asked soon again. */
const MAX_SOON = 5;
/** The wait doubles with each failure, up to about two hours. */
const MAX_DOUBLINGS = 7;

interface Wait {
  readonly count: number;
  readonly untilMs: MonotonicMs;
  /** Whether it claims what it did not prove. */
  readonly isDisbelieved: boolean;
}

export class Avoided {
  readonly #files = new Map<FileId, Map<DeviceId, Wait>>();

  /** `isForLong`: the reason will last. `isUnproved`: its claims do not count meanwhile. */
  add(nowMs: MonotonicMs, file: FileId, device: DeviceId, isForLong: boolean, isUnproved = false): void {
    const ofFile = this.#files.get(file) ?? new Map<DeviceId, Wait>();
    const count = (ofFile.get(device)?.count ?? 0) + 1;
    const isSoon = !isForLong && count <= MAX_SOON;
    const waitMs = isSoon ? RETRY_SOON_MS : RETRY_LATER_MS * 2 ** Math.min(count - 1, MAX_DOUBLINGS);
    ofFile.set(device, { count, untilMs: nowMs + waitMs, isDisbelieved: isUnproved });
    this.#files.set(file, ofFile);
  }

  has(nowMs: MonotonicMs, file: FileId, device: DeviceId): boolean {
    return (this.#files.get(file)?.get(device)?.untilMs ?? -Infinity) > nowMs;
  }

  isDisbelieved(nowMs: MonotonicMs, file: FileId, device: DeviceId): boolean {
    return this.has(nowMs, file, device) && this.#files.get(file)?.get(device)?.isDisbelieved === true;
  }

  /** When the next wait over `file` ends; Infinity if there is none. */
  nextMs(nowMs: MonotonicMs, file: FileId): MonotonicMs {
    let next = Infinity;
    for (const { untilMs } of this.#files.get(file)?.values() ?? [])
      if (untilMs > nowMs) next = Math.min(next, untilMs);
    return next;
  }

  /** The link is down: what the device declined may fit later. What it did not prove stays disbelieved. */
  linkDown(device: DeviceId): void {
    for (const [file, ofFile] of this.#files) {
      if (ofFile.get(device)?.isDisbelieved === false) ofFile.delete(device);
      if (ofFile.size === 0) this.#files.delete(file);
    }
  }

  forget(file: FileId): void {
    this.#files.delete(file);
  }
}
