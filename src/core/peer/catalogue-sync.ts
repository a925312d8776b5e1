// How two linked devices bring their catalogues together. One asks with the heads of its logs; the other sends what it
// lacks, a message's worth at a time; the asker goes on from the last entry that it got. The answering side keeps nothing.
//
// A log that forked has no single end to go on from. So an asker whose entries turn out to hang in the air (the entry
// before them is on a branch that it lacks) asks for that log from its start.
//
// Invariant: between two fresh asks, the place that a link is asked to go on from only ever moves forward, so every
// exchange ends, whatever the other side sends, and two exchanges that overlap become one.

import type { CheckedEntry } from '../catalogue/check.ts';
import type { AddResult, Catalogue, LogCursor, LogHead } from '../catalogue/catalogue.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_ENTRIES_PER_MESSAGE } from '../model/limits.ts';
import { MAX_ENTRIES_BYTES, type Message } from '../wire/messages.ts';

export class CatalogueSync {
  readonly #catalogue: Catalogue;
  readonly #maxEntries: number;
  /** Where each device was last asked to go on from; absent after a fresh ask. */
  readonly #cursors = new Map<DeviceId, LogCursor>();

  constructor(catalogue: Catalogue, maxEntries = MAX_ENTRIES_PER_MESSAGE) {
    this.#catalogue = catalogue;
    this.#maxEntries = maxEntries;
  }

  /** Asks `device` for all that is lacking here. */
  ask(device: DeviceId): Message {
    this.#cursors.delete(device);
    return { kind: 'sync', heads: this.#catalogue.heads(), from: undefined };
  }

  /** What a device that asked lacks, as much as one message takes; undefined when that is nothing. */
  answer(theirs: readonly LogHead[], from: LogCursor | undefined): Message | undefined {
    const entries: Uint8Array[] = [];
    let entryBytes = 0;
    let more = false;
    for (const { entry } of this.#catalogue.missingFor(theirs, from)) {
      more = entries.length >= this.#maxEntries || entryBytes + entry.bytes.length > MAX_ENTRIES_BYTES;
      if (more) break;
      entries.push(entry.bytes);
      entryBytes += entry.bytes.length;
    }
    return entries.length === 0 ? undefined : { kind: 'entries', entries, more };
  }

  /** What to ask `device` next, after its `entries` were added here with `result`; undefined when there is no need. */
  goOn(
    device: DeviceId,
    entries: readonly CheckedEntry[],
    more: boolean,
    { orphaned }: AddResult,
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
  }
}

function isAfter(cursor: LogCursor, than: LogCursor | undefined): boolean {
  if (than === undefined || cursor.device > than.device) return true;
  if (cursor.device < than.device || cursor.seq < than.seq) return false;
  return cursor.seq > than.seq || (cursor.entry ?? '') > (than.entry ?? '');
}
