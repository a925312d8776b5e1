// Who says that they hold what: soft state, sent by each holder for itself in numbered deltas and kept with its age,
// so that the fragments of an absent device are remembered without being counted as reachable.

import type { DeviceId, FileId } from '../model/ids.ts';
import type { FragmentSet } from './fragment-set.ts';

/** What one device holds of one file. An empty set says that it holds nothing of it any more. */
export interface Holding {
  readonly file: FileId;
  readonly fragments: FragmentSet;
}

/** A step from version `base` to `base + 1` of the sender's holdings; base 0 starts anew from nothing. */
export interface HoldingsDelta {
  readonly base: number;
  readonly held: readonly Holding[];
  /** Bytes of all fragments that the sender holds, and bytes that it still offers. */
  readonly heldBytes: number;
  readonly freeBytes: number;
}

export interface DeviceHoldings {
  readonly version: number;
  readonly files: ReadonlyMap<FileId, FragmentSet>;
  readonly heldBytes: number;
  readonly freeBytes: number;
  readonly heardAtMs: number;
}

/** A device that claims more files than this is believed for the first ones only. */
const MAX_FILES_PER_DEVICE = 200_000;

const NOTHING: FragmentSet = new Set();

export class Holdings {
  readonly #devices = new Map<DeviceId, DeviceHoldings & { readonly files: Map<FileId, FragmentSet> }>();

  /** False when the delta does not follow what is known: ask the device for all of it. */
  apply(device: DeviceId, delta: HoldingsDelta, nowMs: number): boolean {
    const known = this.#devices.get(device);
    if (delta.base !== 0 && delta.base !== known?.version) return false;
    const files = delta.base === 0 || known === undefined ? new Map<FileId, FragmentSet>() : known.files;
    for (const { file, fragments } of delta.held) {
      if (fragments.size === 0) files.delete(file);
      else if (files.size < MAX_FILES_PER_DEVICE || files.has(file)) files.set(file, fragments);
    }
    const { heldBytes, freeBytes } = delta;
    this.#devices.set(device, { version: delta.base + 1, files, heldBytes, freeBytes, heardAtMs: nowMs });
    return true;
  }

  /** Puts back what was remembered over a restart. Its version is never one that the device continues from. */
  restore(
    device: DeviceId,
    files: ReadonlyMap<FileId, FragmentSet>,
    heldBytes: number,
    heardAtMs: number,
  ): void {
    this.#devices.set(device, { version: -1, files: new Map(files), heldBytes, freeBytes: 0, heardAtMs });
  }

  /** The device left or its disk is gone. */
  forget(device: DeviceId): void {
    this.#devices.delete(device);
  }

  of(device: DeviceId): DeviceHoldings | undefined {
    return this.#devices.get(device);
  }

  fragmentsOf(device: DeviceId, file: FileId): FragmentSet {
    return this.#devices.get(device)?.files.get(file) ?? NOTHING;
  }

  /** Every device that holds some of `file`. */
  holdersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = new Map<DeviceId, FragmentSet>();
    for (const [device, { files }] of this.#devices) {
      const fragments = files.get(file);
      if (fragments !== undefined) holders.set(device, fragments);
    }
    return holders;
  }

  all(): ReadonlyMap<DeviceId, DeviceHoldings> {
    return this.#devices;
  }
}
