// The record of a pool: its catalogue read as an audit trail, and what this device noticed itself.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { PackedEntry } from '../../core/catalogue/packed-entry.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { Pauses } from '../../core/pauses.ts';
import type { Clock, Cryptography, Identity, RecordStore } from '../../core/ports.ts';
import type { RecordOptions, SecurityEventKind } from '../record-api.ts';
import type { Notice, QuotedDevice } from '../notice.ts';
import type { OpenPoolEvents } from '../open-pool-events.ts';
import { quotedDevice } from '../quoted-device.ts';
import { Slices } from '../slices.ts';
import type { WordlessRecord } from '../worded-record.ts';
import { actItem } from './act-item.ts';
import { exportLines } from './record-export.ts';
import { recordItem } from './record-item.ts';
import { recordPage } from './record-page.ts';
import { SecurityEvents } from './security-events.ts';

interface PoolRecordPorts {
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly records: Pick<RecordStore, 'getMeta' | 'putMeta'>;
  readonly cryptography: Cryptography;
  readonly keys: KeyRing;
  readonly identity: Identity;
  readonly catalogue: () => Catalogue;
  readonly acts: () => ActSet;
  /** Some rows of an earlier page could not be read. */
  readonly leftOut: (rowCount: number) => void;
  /** Takes work that nobody waits for, and tells its failure. */
  readonly orNotice: (work: Promise<void>) => void;
}

const EVENTS = 'security-events';
/** Minimum time between two saves, ms: whoever floods this device must not make it write all day. */
const SAVE_MS = 2_000;

export class PoolRecord {
  readonly #ports: PoolRecordPorts;
  /** Read when they are first needed: a start does without them. */
  #events: Promise<SecurityEvents> | undefined;
  #savedRevision = 0;
  #stopTimer: (() => void) | undefined;

  constructor(ports: PoolRecordPorts) {
    this.#ports = ports;
  }

  stop(): void {
    this.#stopTimer?.();
  }

  /** The same events, while `isWanted`; those about security are noted. */
  watching(events: OpenPoolEvents, isWanted: () => boolean): OpenPoolEvents {
    return {
      changed: () => events.changed(),
      notice: (level, told) => {
        if (!isWanted()) return;
        const event = eventOf(told);
        if (event !== undefined) this.#ports.orNotice(this.#add(event.kind, event.device, 1));
        events.notice(level, told);
      },
      misdeed: (device, what, count) => {
        if (!isWanted()) return;
        this.#ports.orNotice(this.#add(what, device, count));
        events.misdeed(device, what, count);
      },
    };
  }

  async #add(kind: SecurityEventKind, device: QuotedDevice | undefined, count: number): Promise<void> {
    (await this.#loaded()).add(this.#ports.clock.wallMs(), kind, device?.id, count);
    this.#stopTimer ??= this.#ports.clock.after(SAVE_MS, () => {
      this.#stopTimer = undefined;
      this.#ports.orNotice(this.#save());
    });
  }

  #loaded(): Promise<SecurityEvents> {
    this.#events ??= this.#load();
    return this.#events;
  }

  async #load(): Promise<SecurityEvents> {
    const events = new SecurityEvents();
    const lostCount = events.restore(await this.#ports.records.getMeta(EVENTS));
    if (lostCount > 0) this.#ports.leftOut(lostCount);
    return events;
  }

  /** @throws PalmError 'bad-argument'. */
  async page(options: RecordOptions): Promise<WordlessRecord> {
    const catalogue = this.#ports.catalogue();
    const acts = this.#ports.acts();
    const { rows, total, earlier, splitAt } = recordPage(catalogue, options, acts.acts());
    const items = await Promise.all(
      rows.map((row) =>
        row instanceof PackedEntry
          ? recordItem(row, { ...this.#ports, catalogue, splitAt: splitAt.get(row.deviceId) })
          : actItem(row, { ...this.#ports, catalogue, acts }),
      ),
    );
    const { list } = await this.#loaded();
    const events = list.map(({ device, ...event }) => ({
      ...event,
      by: device === undefined ? undefined : quotedDevice(catalogue, device),
    }));
    return { items, total, ...(earlier === undefined ? {} : { earlier }), events };
  }

  /** JSON lines (FORMATS.md, "The exported record"). */
  async export(): Promise<Blob> {
    const { keys, clock } = this.#ports;
    const lines = await exportLines({
      ...this.#ports,
      catalogue: this.#ports.catalogue(),
      acts: this.#ports.acts(),
      poolId: keys.poolId,
      nowMs: clock.wallMs(),
      slices: new Slices(this.#ports),
    });
    return new Blob(lines, { type: 'application/jsonl' });
  }

  async #save(): Promise<void> {
    const events = await this.#loaded();
    if (this.#savedRevision === events.revision) return;
    this.#savedRevision = events.revision;
    await this.#ports.records.putMeta(EVENTS, events.saved());
  }
}

function eventOf(
  notice: Notice,
): { readonly kind: SecurityEventKind; readonly device?: QuotedDevice } | undefined {
  switch (notice.kind) {
    case 'damaged-offer':
    case 'damaged-block':
      return { kind: 'damaged-bytes', device: notice.from };
    case 'unreadable-message':
      return { kind: 'unreadable-messages' };
    case 'rejection':
      switch (notice.rejection.kind) {
        case 'failure':
        case 'letter':
          return { kind: 'refused-signaling' };
        case 'too-much-signaling':
          return { kind: 'flood' };
        case 'twin':
          return { kind: 'twin' };
        case 'not-read':
        case 'no-connection':
        case 'relay-address':
        case 'relay-closed':
          return undefined;
      }
      return undefined;
    default:
      return undefined;
  }
}
