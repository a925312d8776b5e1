// How old the keys in use are, by this device's own clocks. A date in an act is its writer's word: one far
// ahead would keep keys young for ever. So the moment when this device first saw them is kept on its disk.

import { tupleOf, uintOf } from '../../core/encoding/decode.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { parseEntryId, type EntryId } from '../../core/model/ids.ts';
import type { MonotonicMs, WallMs } from '../../core/model/time.ts';
import type { Clock, RecordStore } from '../../core/ports.ts';

const KEYS_SEEN = 'keys-seen';

/** The act that gave the pool the keys in use, and its date by its writer's clock. */
export interface KeysInUse {
  readonly id: EntryId;
  readonly sinceMs: number;
}

interface KeysAgePorts {
  readonly clock: Clock;
  readonly records: Pick<RecordStore, 'getMeta' | 'putMeta'>;
  /** Undefined in a pool without a charter. */
  inUse(): KeysInUse | undefined;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

interface Seen {
  readonly id: EntryId;
  readonly atMs: WallMs;
}

export class KeysAge {
  readonly #ports: KeysAgePorts;
  #kept: Seen | undefined;
  /** The keys at the last look, how old they were when this page first saw them, and when that was. */
  #page: { readonly id: EntryId; readonly ageMs: number; readonly atMs: MonotonicMs } | undefined;

  constructor(ports: KeysAgePorts) {
    this.#ports = ports;
  }

  /** Reads what an earlier page kept. What is damaged is none. */
  async restore(): Promise<void> {
    this.#kept = seenOf(await this.#ports.records.getMeta(KEYS_SEEN));
  }

  /** Of the keys in use, ms. 0 where there are none. Keeps when they were first seen. */
  ageMs(): number {
    const { clock } = this.#ports;
    const inUse = this.#ports.inUse();
    if (inUse === undefined) return 0;
    const nowMs = clock.monotonicMs();
    if (this.#page?.id !== inUse.id) {
      this.#page = { id: inUse.id, ageMs: this.#ageAtSight(inUse), atMs: nowMs };
    }
    return this.#page.ageMs + nowMs - this.#page.atMs;
  }

  /**
   * Keys that this device never saw before are new, whatever their date: the clocks of devices differ. Only
   * where nothing was ever kept, as after an update of Palm, their date has to do, unless it is ahead. What
   * was seen later than it is now was seen by a clock that went wrong: it ages from now on.
   */
  #ageAtSight({ id, sinceMs }: KeysInUse): number {
    const nowMs = this.#ports.clock.wallMs();
    const isFirstEver = this.#kept === undefined && this.#page === undefined;
    const seenMs = this.#kept?.id === id ? this.#kept.atMs : isFirstEver ? sinceMs : nowMs;
    const atMs = Math.min(seenMs, nowMs);
    if (this.#kept?.id !== id || this.#kept.atMs !== atMs) {
      this.#kept = { id, atMs };
      this.#ports.background(this.#ports.records.putMeta(KEYS_SEEN, [id, atMs]));
    }
    return nowMs - atMs;
  }
}

function seenOf(kept: unknown): Seen | undefined {
  if (kept === undefined) return undefined;
  try {
    const [id, atMs] = tupleOf(kept, 2);
    return { id: parseEntryId(id), atMs: uintOf(atMs, Number.MAX_SAFE_INTEGER) };
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}
