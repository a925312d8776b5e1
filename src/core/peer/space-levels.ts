// How full devices are, as far as moves depend on it: which of them hand fragments over, which take some, and
// whose second copies go first.
//
// Space is told with every holding, and rarely changes a decision. A change that may is noticed here, so that
// all devices decide again: one that is no longer full keeps its copy, and another must drop its own.

import type { DeviceId } from '../model/ids.ts';

export interface Space {
  /** Bytes of all fragments that the device holds, and bytes that it still offers. */
  readonly heldBytes: number;
  readonly freeBytes: number;
}

/** A device with less than this part of its space free hands fragments over… */
export const FULL_PART = 0.05;
/** …until this part is free; others count it as full so far, and move nothing back. */
export const ROOMY_PART = 0.1;
/** It hands over only to devices with at least this part free. */
export const TAKER_PART = 0.25;

/** Whether less than `part` of its space is free. A device that offers none at all does not take part. */
export function isFull({ heldBytes, freeBytes }: Space, part: number): boolean {
  return heldBytes > 0 && freeBytes < part * (heldBytes + freeBytes);
}

export class SpaceLevels {
  /** Of members: there are at most MAX_DEVICE_COUNT. */
  readonly #levels = new Map<DeviceId, string>();

  /**
   * Whether decisions about moves may be others than when this was asked last. Free space that doubled may
   * have room for a fragment that it had none for.
   */
  hasChanged(device: DeviceId, space: Space): boolean {
    const parts = [FULL_PART, ROOMY_PART, TAKER_PART].map((part) => isFull(space, part));
    const level = `${parts.join(' ')} ${Math.floor(Math.log2(space.freeBytes + 1))}`;
    if (this.#levels.get(device) === level) return false;
    this.#levels.set(device, level);
    return true;
  }
}
