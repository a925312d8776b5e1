// How two linked devices bring their catalogues together. One asks with the heads of its logs; the other sends what it
// lacks, a message's worth at a time; the asker goes on from the last entry that it got. The answering side keeps nothing.
//
// An asker whose entries turn out to hang in the air (the entry before them is on a branch that it lacks) asks for that log
// from its start; the marks in the heads keep what is here already from being sent again.
//
// Invariants: between two fresh asks, the place that a link is asked to go on from only ever moves forward, so every
// exchange ends, whatever the other side sends, and two exchanges that overlap become one. A device whose catalogue stays
// different from this one's, while neither changes, is asked a bounded number of times.

import type { CheckedEntry } from '../catalogue/check.ts';
import type { AddResult, Catalogue, LogCursor, LogHead } from '../catalogue/catalogue.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_ENTRIES_PER_MESSAGE } from '../model/limits.ts';
import { MAX_ENTRIES_BYTES, type Message } from '../wire/messages.ts';

/** How often a device is asked while both catalogues stay as they are: once more than once, in case an answer was cut short. */
const MAX_SAME_ASKS = 2;

export class CatalogueSync {
  readonly #catalogue: Catalogue;
  readonly #maxEntries: number;
  /** Where each device was last asked to go on from; absent after a fresh ask. */
  readonly #cursors = new Map<DeviceId, LogCursor>();
  /** Both sides' digests when a device was asked last, and how often it was while they were these. */
  readonly #asked = new Map<DeviceId, { readonly digests: string; readonly times: number }>();

  constructor(catalogue: Catalogue, maxEntries = MAX_ENTRIES_PER_MESSAGE) {
    this.#catalogue = catalogue;
    this.#maxEntries = maxEntries;
  }

  /** Asks `device` for all that is lacking here. */
  ask(device: DeviceId): Message {
    this.#cursors.delete(device);
    return { kind: 'sync', heads: this.#catalogue.heads(), from: undefined };
  }

  /** What to ask a device whose catalogue has `digest`; undefined when there is no need, or no hope. */
  askUnlikeOurs(device: DeviceId, digest: string): Message | undefined {
    const ours = this.#catalogue.digest();
    const digests = `${ours} ${digest}`;
    const last = this.#asked.get(device);
    const times = last?.digests === digests ? last.times : 0;
    if (digest === ours || times >= MAX_SAME_ASKS) return undefined;
    this.#asked.set(device, { digests, times: times + 1 });
    return this.ask(device);
  }

  /** What a device that asked lacks, as much as one message takes; undefined when that is nothing. */
  answer(theirs: readonly LogHead[], from: LogCursor | undefined): Message | undefined {
    const entries: Uint8Array[] = [];
    let entryBytes = 0;
    let more = false;
    for (const { bytes } of this.#catalogue.missingFor(theirs, from)) {
      more = entries.length >= this.#maxEntries || entryBytes + bytes.length > MAX_ENTRIES_BYTES;
      if (more) break;
      entries.push(bytes);
      entryBytes += bytes.length;
    }
    return entries.length === 0 ? undefined : { kind: 'entries', entries, more };
  }

  /** What to ask `device` next, after its `entries` were added here with `result`; undefined when there is no need. */
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
    return { kind: 'sync', heads: this.#catalogue.heads(), from };
  }

  linkDown(device: DeviceId): void {
    this.#cursors.delete(device);
    this.#asked.delete(device);
  }
}

function isAfter(cursor: LogCursor, than: LogCursor | undefined): boolean {
  if (than === undefined || cursor.device > than.device) return true;
  if (cursor.device < than.device || cursor.seq < than.seq) return false;
  return cursor.seq > than.seq || (cursor.entry ?? '') > (than.entry ?? '');
}
