// Entries that are added to the catalogue, and what follows for holdings, outbox and links. Also the misdeeds
// that entries reveal: removing the files of others, dating names far ahead, splitting or overfilling a log.

import type { AddResult } from '../catalogue/changes.ts';
import type { CheckedEntry } from '../catalogue/check.ts';
import type { DeviceId, EntryId, FileId } from '../model/ids.ts';
import { MAX_AHEAD_MS } from '../model/limits.ts';
import type { CatalogueSync } from './catalogue-sync.ts';
import { Removals } from './misdeeds.ts';
import { misdeed, send } from './peer-effects.ts';
import type { HeldFragment, PeerEffect, PeerInput } from './peer-events.ts';
import type { PeerState } from './peer-state.ts';
import type { Prefetching } from './prefetching.ts';
import type { MonotonicMs, WallMs } from '../model/time.ts';

export class AddingEntries {
  readonly #state: PeerState;
  readonly #sync: CatalogueSync;
  readonly #prefetching: Prefetching;
  readonly #removals = new Removals();

  constructor(state: PeerState, sync: CatalogueSync, prefetching: Prefetching) {
    this.#state = state;
    this.#sync = sync;
    this.#prefetching = prefetching;
  }

  /** Entries that another device sent were checked. */
  checked(
    nowMs: MonotonicMs,
    { from, entries, refusedCount = 0, more }: PeerInput & { readonly kind: 'entries-checked' },
  ): PeerEffect[] {
    const { catalogue, links, self, rights } = this.#state;
    // Whom nobody admitted does not exist. Once acts name it, all are asked again.
    const known = entries.filter(({ entry }) => rights.isKnown(entry.deviceId));
    const removals = this.#removalsOfOthers(known);
    const result = catalogue.add(known);
    const told = this.#toldOfRemovals(nowMs, removals, result.added);
    const next = links.has(from) ? this.#sync.goOn(from, entries, more, result) : undefined;
    if (!more && result.added.length > 0) told.push(...this.#askForMissed());
    if (refusedCount > 0) told.push(misdeed(from, 'forged-records', refusedCount));
    for (const [device, count] of futureNames(this.#state.wallAt(nowMs), result.added))
      if (device !== self) told.push(misdeed(device, 'future-name', count));
    return [...this.#after(nowMs, result), ...(next === undefined ? [] : [send(from, next)]), ...told];
  }

  /** This device wrote entries: they go to all linked devices. */
  published(nowMs: MonotonicMs, entries: readonly CheckedEntry[]): PeerEffect[] {
    const result = this.#state.catalogue.add(entries);
    if (entries.length === 0) return [];
    const bytes = entries.map(({ entry }) => entry.bytes);
    const told = this.#state.links
      .greetedDevices()
      .map((device) => send(device, { kind: 'entries', entries: bytes, more: false }));
    return [...told, ...this.#after(nowMs, result).filter((effect) => effect.kind !== 'keep-entries')];
  }

  /** Acts came: what entries may do, and who is in, may have changed. */
  actsChanged(nowMs: MonotonicMs): PeerEffect[] {
    const { catalogue, holdings, doubts, grace, rights } = this.#state;
    const changed = rights.takeChanged();
    if (changed.length === 0) return [];
    const effects = this.#after(nowMs, catalogue.rightsChanged(changed));
    for (const device of changed) {
      if (rights.isIn(device)) holdings.admitted(device);
      else {
        doubts.forget(device);
        holdings.forget(device);
        effects.push(...this.#prefetching.left(device));
      }
    }
    grace.membersChanged();
    this.#state.touch();
    return [...effects, ...this.askAll()];
  }

  /** Asks every device for what may be taken now and was refused before. */
  askAll(): PeerEffect[] {
    const { links, rights } = this.#state;
    return links
      .greetedDevices()
      .filter((device) => rights.isIn(device))
      .map((device) => send(device, this.#sync.ask(device)));
  }

  /** Fragments are here. Their file may have lost its names since they were asked for. */
  held(nowMs: MonotonicMs, fragments: readonly HeldFragment[]): PeerEffect[] {
    const effects: PeerEffect[] = [];
    for (const { file, fragment, bytes } of fragments) {
      this.#state.own.add(file, fragment, bytes);
      this.#state.challenges.copyIsBack(file, fragment);
      this.#state.touch(file);
      if (this.#state.catalogue.isRemoved(file)) effects.push(...this.removed(nowMs, file));
    }
    return effects;
  }

  /** The last known name of `file` was taken away. */
  removed(nowMs: MonotonicMs, file: FileId): PeerEffect[] {
    return gone(file, this.#state.removed(nowMs, file));
  }

  #after(nowMs: MonotonicMs, result: AddResult): PeerEffect[] {
    const { added, evicted, lost, nameless, named, forks, beyond } = result;
    const { holdings, doubts, grace } = this.#state;
    const effects: PeerEffect[] = [];
    if (added.length > 0) effects.push({ kind: 'keep-entries', entries: added });
    if (evicted.length > 0) effects.push({ kind: 'forget-entries', entries: evicted });
    for (const file of lost) effects.push(...gone(file, this.#state.lost(file)));
    for (const file of nameless) effects.push(...this.removed(nowMs, file));
    for (const file of named) this.#state.named(file);
    for (const { entry, file } of added) {
      if (entry.body.kind === 'leave') {
        doubts.forget(entry.deviceId);
        holdings.forget(entry.deviceId);
        grace.membersChanged();
        effects.push(...this.#prefetching.left(entry.deviceId));
        this.#state.touch();
      }
      if (entry.body.kind === 'profile') {
        holdings.admitted(entry.deviceId);
        this.#state.touch();
      }
      if (file === undefined) continue;
      holdings.fileAdded(file.fileId);
      this.#state.touch(file.fileId);
    }
    for (const [device, count] of forks) effects.push(misdeed(device, 'forked-log', count));
    for (const [device, count] of beyond) effects.push(misdeed(device, 'overfull-log', count));
    return effects;
  }

  /**
   * By entry the file that it removes, if another device stored that. Once the files are gone, their storers
   * are not known.
   */
  #removalsOfOthers(entries: readonly CheckedEntry[]): Map<EntryId, FileId> {
    const removals = new Map<EntryId, FileId>();
    for (const { entry } of entries) {
      const { body } = entry;
      if (body.kind !== 'remove' && body.kind !== 'unname') continue;
      if (entry.deviceId === this.#state.self) continue;
      const storer = this.#state.catalogue.listedFile(body.file)?.by;
      if (storer !== undefined && storer !== entry.deviceId) removals.set(entry.entryId, body.file);
    }
    return removals;
  }

  /**
   * Counts only added entries: anybody can pass on an entry whose predecessor is missing, again and again.
   */
  #toldOfRemovals(
    nowMs: MonotonicMs,
    removals: ReadonlyMap<EntryId, FileId>,
    added: readonly CheckedEntry[],
  ): PeerEffect[] {
    const removedBy = new Map<DeviceId, Set<FileId>>();
    for (const { entry } of added) {
      const file = removals.get(entry.entryId);
      if (file === undefined) continue;
      removedBy.set(entry.deviceId, (removedBy.get(entry.deviceId) ?? new Set()).add(file));
    }
    return [...removedBy].flatMap(([device, files]) => {
      const count = this.#removals.counted(device, files.size, nowMs);
      return count === 0 ? [] : [misdeed(device, 'removed-files', count)];
    });
  }

  /** Early claims beyond the bound were dropped: asks their devices to tell them again. */
  #askForMissed(): PeerEffect[] {
    const { holdings, links } = this.#state;
    const missed = holdings.takeMissed().filter((device) => links.has(device));
    return missed.map((device) => send(device, { kind: 'holdings-wanted' }));
  }
}

function gone(file: FileId, surplus: readonly number[] | undefined): PeerEffect[] {
  return surplus === undefined ? [] : [{ kind: 'outbox-done', file, surplus }];
}

/** How many pool names each device dated so far ahead that they wait. */
function futureNames(nowMs: WallMs, entries: readonly CheckedEntry[]): Map<DeviceId, number> {
  const counts = new Map<DeviceId, number>();
  for (const { entry } of entries) {
    const waits = entry.body.kind === 'pool' && entry.at.ms - MAX_AHEAD_MS > nowMs;
    if (waits) counts.set(entry.deviceId, (counts.get(entry.deviceId) ?? 0) + 1);
  }
  return counts;
}
