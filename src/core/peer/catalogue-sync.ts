// How two linked devices bring their catalogues together. One asks with the heads of its logs; the other
// sends what is missing there, one message at a time; the asker continues from the last entry that it got.
// The answering side keeps no state for this.
//
// A full catalogue keeps the logs that came first. Two such devices leave the logs that only one of them
// keeps out of what they send each other and out of what they compare.
//
// Received entries may lack the entry before them, on a branch that is not here. The asker then asks for that
// log from its start; the marks in the heads keep what is already here from being sent again.
//
// Invariants: between two fresh asks, the cursor for a link only moves forward, so every exchange ends,
// whatever the other side sends, and two overlapping exchanges become one. A device whose catalogue stays
// different from this one, while neither changes, is asked a bounded number of times.

import type { CheckedEntry } from '../catalogue/check.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { AddResult } from '../catalogue/changes.ts';
import type { LogCursor } from '../catalogue/log-head.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_ENTRIES_PER_MESSAGE } from '../model/limits.ts';
import { MAX_ENTRIES_BYTES, type Message } from '../wire/messages.ts';

type SyncMessage = Extract<Message, { kind: 'sync' }>;

/**
 * How often a device is asked while both catalogues stay the same: twice, in case an answer was cut short.
 */
const MAX_SAME_ASKS = 2;

export class CatalogueSync {
  readonly #catalogue: Catalogue;
  readonly #maxEntries: number;
  /** Where each device was last asked to continue from; absent after a fresh ask. */
  readonly #cursors = new Map<DeviceId, LogCursor>();
  /** Logs here that this device and the other will never both keep. Only where neither takes more logs. */
  readonly #unshared = new Map<DeviceId, ReadonlySet<DeviceId>>();
  /** Both sides' digests when a device was last asked, and how often it was asked with these. */
  readonly #asked = new Map<DeviceId, { readonly digests: string; readonly times: number }>();

  constructor(catalogue: Catalogue, maxEntries = MAX_ENTRIES_PER_MESSAGE) {
    this.#catalogue = catalogue;
    this.#maxEntries = maxEntries;
  }

  /** Asks `device` for everything that is missing here. */
  ask(device: DeviceId): Message {
    this.#cursors.delete(device);
    return this.#askFrom(undefined);
  }

  /**
   * The digest that a device has if it has all that it can keep of this catalogue, and this one all of its.
   */
  digestFor(device: DeviceId): string {
    const unshared = this.#unshared.get(device);
    return unshared === undefined ? this.#catalogue.digest() : this.#catalogue.digestWithout(unshared);
  }

  /** Whether a device with this digest has exactly the entries that are here, in all logs. */
  isSame(device: DeviceId, digest: string): boolean {
    return !this.#unshared.has(device) && digest === this.#catalogue.digest();
  }

  /** What to ask a device whose own digest for this one is `digest`; undefined if needless or hopeless. */
  askUnlikeOurs(device: DeviceId, digest: string): Message | undefined {
    const ours = this.digestFor(device);
    const digests = `${ours} ${digest}`;
    const last = this.#asked.get(device);
    const times = last?.digests === digests ? last.times : 0;
    if (digest === ours || times >= MAX_SAME_ASKS) return undefined;
    this.#asked.set(device, { digests, times: times + 1 });
    return this.ask(device);
  }

  /** What the asking device lacks, as much as fits one message; undefined when it lacks nothing. */
  answer(asker: DeviceId, { heads, from, closed }: Omit<SyncMessage, 'kind'>): Message | undefined {
    if (closed && this.#catalogue.isClosed) this.#unshared.set(asker, this.#catalogue.logsBeside(heads));
    else this.#unshared.delete(asker);
    const entries: Uint8Array[] = [];
    let entryBytes = 0;
    let more = false;
    for (const { bytes } of this.#catalogue.missingFor(heads, from, closed)) {
      more = entries.length >= this.#maxEntries || entryBytes + bytes.length > MAX_ENTRIES_BYTES;
      if (more) break;
      entries.push(bytes);
      entryBytes += bytes.length;
    }
    return entries.length === 0 ? undefined : { kind: 'entries', entries, more };
  }

  /** What to ask `device` next, once its `entries` were added with `result`; undefined if nothing. */
  goOn(
    device: DeviceId,
    entries: readonly CheckedEntry[],
    more: boolean,
    { orphaned }: Pick<AddResult, 'orphaned'>,
  ): Message | undefined {
    const [lost] = orphaned.toSorted();
    const fromStart: LogCursor | undefined = lost && { device: lost, seq: 0, entry: undefined };
    const last = more ? entries.at(-1)?.entry : undefined;
    const onward: LogCursor | undefined = last && {
      device: last.deviceId,
      seq: last.seq,
      entry: last.entryId,
    };
    const from = [fromStart, onward].find(
      (cursor) => cursor !== undefined && isAfter(cursor, this.#cursors.get(device)),
    );
    if (from === undefined) return undefined;
    this.#cursors.set(device, from);
    return this.#askFrom(from);
  }

  linkDown(device: DeviceId): void {
    this.#cursors.delete(device);
    this.#asked.delete(device);
    this.#unshared.delete(device);
  }

  #askFrom(from: LogCursor | undefined): SyncMessage {
    return { kind: 'sync', heads: this.#catalogue.heads(), from, closed: this.#catalogue.isClosed };
  }
}

function isAfter(cursor: LogCursor, than: LogCursor | undefined): boolean {
  if (than === undefined || cursor.device > than.device) return true;
  if (cursor.device < than.device || cursor.seq < than.seq) return false;
  return cursor.seq > than.seq || (cursor.entry ?? '') > (than.entry ?? '');
}
