// What this device remembers of the others between visits. Losing it does no harm, and saving it costs time,
// so it is saved a while after a change, and only the parts that changed.

import { Deadline } from '../core/deadline.ts';
import type { MonotonicMs } from '../core/model/time.ts';
import type { Peer } from '../core/peer/peer.ts';
import type { Clock, RecordStore } from '../core/ports.ts';
import type { ActivityList } from './activity/activity-list.ts';
import { readMembers, saveMembers } from './saved-members.ts';
import { readGrace, readHoldings, saveGrace, saveHoldings } from './saved-pool.ts';

/** Minimum time between two saves, ms. */
const SAVE_MS = 2_000;
/** Minimum time between two saves of the members while no state changes, ms. */
const SAVE_MEMBERS_MS = 30_000;

const ACTIVITY = 'activity';

interface SoftStatePorts {
  readonly clock: Clock;
  readonly records: RecordStore;
}

/**
 * Reads all of it. The function that it resolves to restores it, once the catalogue is there, and returns how
 * many rows could not be read.
 */
export async function readSoftState(records: RecordStore): Promise<(peer: Peer) => number> {
  const [restoreHoldings, restoreGrace, restoreMembers] = await Promise.all([
    readHoldings(records),
    readGrace(records),
    readMembers(records),
  ]);
  return ({ holdings, grace, membership }) =>
    restoreHoldings(holdings) + restoreGrace(grace) + restoreMembers(membership);
}

export class SoftState {
  readonly #ports: SoftStatePorts;
  readonly #peer: Peer;
  readonly #activity: ActivityList;
  readonly #orNotice: (work: Promise<void>) => void;
  readonly #deadline: Deadline;
  /** When the next save is due. */
  #dueMs: MonotonicMs = Infinity;
  #isStopped = false;
  /** The revisions on the disk. */
  #savedHoldings = 0;
  #savedGrace = 0;
  #savedMembers = 0;
  #savedActivity: number;
  #savingActivity: Promise<void> | undefined;
  #membersSavedAtMs = -Infinity;

  constructor(
    ports: SoftStatePorts,
    peer: Peer,
    activity: ActivityList,
    orNotice: (work: Promise<void>) => void,
  ) {
    this.#activity = activity;
    this.#savedActivity = activity.revision;
    this.#ports = ports;
    this.#peer = peer;
    this.#orNotice = orNotice;
    this.#deadline = new Deadline(ports.clock, () => {
      this.#dueMs = Infinity;
      this.#orNotice(this.#save());
    });
  }

  /** Returns how many rows could not be read. Before the driver's state, which may tell of more. */
  async restoreActivity(): Promise<number> {
    return this.#activity.restore(await this.#ports.records.getMeta(ACTIVITY));
  }

  /** Some of it may have changed. */
  changed(): void {
    if (this.#savingActivity === undefined && this.#savedActivity !== this.#activity.revision) {
      this.#savingActivity = this.#saveActivity().finally(() => (this.#savingActivity = undefined));
      this.#orNotice(this.#savingActivity);
    }
    const { holdings, grace, membership } = this.#peer;
    const hasChanged =
      this.#savedHoldings !== holdings.revision ||
      this.#savedGrace !== grace.revision ||
      this.#savedMembers !== membership.revision;
    const soonMs = this.#ports.clock.monotonicMs() + SAVE_MS;
    const dueMs = hasChanged ? soonMs : Math.max(soonMs, this.#membersSavedAtMs + SAVE_MEMBERS_MS);
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    this.#deadline.move(dueMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#deadline.stop();
  }

  /** At once: it changes rarely, and nobody tells it again. */
  async #saveActivity(): Promise<void> {
    while (this.#savedActivity !== this.#activity.revision && !this.#isStopped) {
      // Even if the disk is full: the next change tries again.
      this.#savedActivity = this.#activity.revision;
      await this.#ports.records.putMeta(ACTIVITY, this.#activity.saved());
    }
  }

  async #save(): Promise<void> {
    const { clock, records } = this.#ports;
    const { holdings, grace, membership } = this.#peer;
    if (this.#savedHoldings !== holdings.revision) {
      this.#savedHoldings = holdings.revision;
      await saveHoldings(records, this.#peer);
    }
    const nowMs = clock.monotonicMs();
    if (this.#savedMembers !== membership.revision || nowMs - this.#membersSavedAtMs >= SAVE_MEMBERS_MS) {
      this.#savedMembers = membership.revision;
      this.#membersSavedAtMs = nowMs;
      await saveMembers(records, membership);
    }
    if (this.#savedGrace === grace.revision) return;
    this.#savedGrace = grace.revision;
    await saveGrace(records, grace);
  }
}
