// Foretells blocks to other devices while this device seals a file, and tells them when the store is over:
// each device once it holds what was meant for it, all of them when the file is placed, removed or given up.

import type { BlockHash, DeviceId, FileId, JobId } from '../model/ids.ts';
import { MAX_FORETOLD_JOBS } from '../model/limits.ts';
import { MAX_SOON_PER_MESSAGE, type Message } from '../wire/messages.ts';

export interface ForetellEffect {
  readonly kind: 'send';
  readonly to: DeviceId;
  readonly message: Message;
}

interface Job {
  /** Devices that were told and not yet that it is over. */
  readonly told: Set<DeviceId>;
  /** Undefined until it is published. */
  file: FileId | undefined;
}

export class Foretelling {
  readonly #jobs = new Map<JobId, Job>();
  /** Ends that devices were not told because their link was down; the oldest first. */
  readonly #owed = new Map<DeviceId, Set<JobId>>();
  readonly #isReachable: (device: DeviceId) => boolean;

  constructor(isReachable: (device: DeviceId) => boolean) {
    this.#isReachable = isReachable;
  }

  tell(job: JobId, to: DeviceId, blocks: readonly BlockHash[]): ForetellEffect[] {
    if (!this.#isReachable(to)) return [];
    const known = this.#jobs.get(job) ?? { told: new Set(), file: undefined };
    this.#jobs.set(job, known);
    known.told.add(to);
    const effects: ForetellEffect[] = [];
    for (let at = 0; at < blocks.length; at += MAX_SOON_PER_MESSAGE) {
      const message = { kind: 'soon', job, blocks: blocks.slice(at, at + MAX_SOON_PER_MESSAGE) } as const;
      effects.push({ kind: 'send', to, message });
    }
    return effects;
  }

  /** The job became `file`. */
  published(job: JobId, file: FileId): void {
    const known = this.#jobs.get(job);
    if (known !== undefined) known.file = file;
  }

  /** The job will never become a file. */
  over(job: JobId): ForetellEffect[] {
    const told = this.#jobs.get(job)?.told ?? [];
    this.#jobs.delete(job);
    return [...told].flatMap((device) => this.#tellOver(job, device));
  }

  /**
   * The job was an earlier page's, and which devices that page told is not known: each of `devices` may have
   * been told.
   */
  abandoned(job: JobId, devices: readonly DeviceId[]): ForetellEffect[] {
    return devices.flatMap((device) => this.#tellOver(job, device));
  }

  /** Tells the devices from which their file no longer awaits anything. */
  advance(awaits: (file: FileId, device: DeviceId) => boolean): ForetellEffect[] {
    const effects: ForetellEffect[] = [];
    for (const [job, known] of this.#jobs) {
      if (known.file === undefined) continue;
      for (const device of known.told) {
        if (awaits(known.file, device)) continue;
        known.told.delete(device);
        effects.push(...this.#tellOver(job, device));
      }
      if (known.told.size === 0) this.#jobs.delete(job);
    }
    return effects;
  }

  /** The device is reachable again. */
  greeted(device: DeviceId): ForetellEffect[] {
    const owed = this.#owed.get(device) ?? [];
    this.#owed.delete(device);
    return [...owed].map((job) => soonOver(job, device));
  }

  #tellOver(job: JobId, device: DeviceId): ForetellEffect[] {
    if (this.#isReachable(device)) return [soonOver(job, device)];
    const owed = this.#owed.get(device) ?? new Set();
    this.#owed.set(device, owed.add(job));
    // The device keeps no more than that.
    for (const oldest of owed) if (owed.size > MAX_FORETOLD_JOBS) owed.delete(oldest);
    return [];
  }
}

function soonOver(job: JobId, to: DeviceId): ForetellEffect {
  return { kind: 'send', to, message: { kind: 'soon-over', job } };
}
