// Contents and their names, as the catalogue's entries give them. A content is what a manifest describes; the
// manifest is also its first name. A name is listed while a kept entry gives it, its content is known, and no
// kept entry takes it away. A content is named while any of its names is listed; only then is it a file of
// the pool. All of this is a function of the set of entries, whatever their order.
//
// Further names count only for contents that every member can open: otherwise anybody could show a name for a
// private file, and keep it alive after its owner removed it.

import type { FileDetails } from '../model/file-details.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import type { WallMs } from '../model/time.ts';
import type { HybridTime } from './clock.ts';
import { increase } from './counts.ts';
import type { Manifest, PublishedManifest } from './manifest.ts';
import { tagKeyAt, type PackedManifest } from './packed-manifest.ts';
import type { PackedEntry, PackedName } from './packed-entry.ts';
import { StoredBytes } from './stored-bytes.ts';

/** A name that is listed, with its content. */
export interface ListedFile {
  readonly fileId: FileId;
  readonly contentId: FileId;
  readonly manifest: Manifest;
  readonly modifiedMs: number;
  readonly by: DeviceId;
  readonly atMs: WallMs;
  /** When its entry was written. */
  readonly publishedAt: HybridTime;
  /** Decoded when called. Undefined for a private file. */
  readonly details: () => FileDetails | undefined;
}

/** How many entries of one device take a name away. */
interface Taken {
  readonly removeCount: number;
  readonly unnameCount: number;
}

export type GivenName = Pick<ListedFile, 'contentId' | 'details' | 'by' | 'atMs'>;

const NONE: ReadonlySet<FileId> = new Set();

export class FileIndex {
  /** Contents that are named. */
  readonly #files = new Map<FileId, PackedManifest>();
  /** Contents that are known and not named. */
  readonly #nameless = new Map<FileId, PackedManifest>();
  /** Known further names, listed or not. */
  readonly #names = new Map<FileId, PackedName>();
  /** Further names of each content, known or not, without those that were taken away. */
  readonly #namesOf = new Map<FileId, Set<FileId>>();
  /** How many kept entries take a name away for good, known or not. */
  readonly #removals = new Map<FileId, number>();
  /** How many kept entries take a manifest's name away, and leave its content. */
  readonly #unnamed = new Map<FileId, number>();
  /** What devices take away of names that they gave: it counts for no others'. */
  readonly #ownTaken = new Map<FileId, Map<DeviceId, Taken>>();
  /** Further names, by content, that are known and do not count. */
  readonly #hiddenNames = new Map<FileId, Set<FileId>>();
  /** How many entries give the name and do not count. */
  readonly #uncounted = new Map<FileId, number>();
  /** How many entries besides the first give the name: a log that forked may do so twice. */
  readonly #repeated = new Map<FileId, number>();
  /**
   * By content tag, one character for each of its bytes. Nearly always one file: a set for each would take
   * more memory than its file.
   */
  readonly #byTag = new Map<string, FileId | Set<FileId>>();

  readonly stored = new StoredBytes(this.#files);

  #latestMs: WallMs = 0;

  /** The latest date of any name that was ever here. */
  get latestMs(): WallMs {
    return this.#latestMs;
  }

  /** Contents that are named. */
  get files(): ReadonlyMap<FileId, PublishedManifest> {
    return this.#files;
  }

  /** Of a content, named or not. */
  manifestOf(content: FileId): Manifest | undefined {
    return this.#files.get(content) ?? this.#nameless.get(content);
  }

  /** Whether an entry takes this name away, a manifest's or a further one. */
  isTaken(fileId: FileId): boolean {
    return (
      this.#removals.has(fileId) ||
      this.#unnamed.has(fileId) ||
      this.#isUncounted(fileId) ||
      this.#takenByGiver(fileId) !== undefined
    );
  }

  /** Whether a name of the content is known, and does not count. */
  isHidden(content: FileId): boolean {
    if (this.#uncounted.size === 0) return false;
    return this.#isUncounted(content) || this.#hiddenNames.has(content);
  }

  /** Whether devices that know no further names take its content for removed. */
  isRemovedForAll(content: FileId): boolean {
    return this.#removals.has(content) || (this.#takenByGiver(content)?.removeCount ?? 0) > 0;
  }

  /** Whether any entry publishes this content. */
  isKnown(content: FileId): boolean {
    return this.#files.has(content) || this.#nameless.has(content);
  }

  /** The content of a further name; the id itself otherwise. */
  contentOf(fileId: FileId): FileId {
    return this.#names.get(fileId)?.content ?? fileId;
  }

  *listed(): Generator<ListedFile> {
    for (const [contentId, manifest] of this.#files) {
      if (!this.isTaken(contentId)) yield firstName(contentId, manifest);
      for (const nameId of this.#furtherNames(contentId, manifest)) {
        const name = this.#names.get(nameId);
        if (name !== undefined) yield furtherName(nameId, contentId, manifest, name);
      }
    }
  }

  listedFile(fileId: FileId): ListedFile | undefined {
    if (this.isTaken(fileId)) return undefined;
    const name = this.#names.get(fileId);
    const contentId = name?.content ?? fileId;
    const manifest = this.#files.get(contentId);
    if (manifest === undefined || name === undefined) return manifest && firstName(contentId, manifest);
    return manifest.isPrivate ? undefined : furtherName(fileId, contentId, manifest, name);
  }

  /** A name that is known, listed or taken away. */
  nameOf(fileId: FileId): GivenName | undefined {
    const name = this.#names.get(fileId);
    const contentId = name?.content ?? fileId;
    const manifest = this.#files.get(contentId) ?? this.#nameless.get(contentId);
    if (manifest === undefined) return undefined;
    const isFurther = name !== undefined && !manifest.isPrivate;
    return isFurther ? furtherName(fileId, contentId, manifest, name) : firstName(contentId, manifest);
  }

  /** The ids of its listed names, the first name first. */
  namesOf(content: FileId): FileId[] {
    const manifest = this.#files.get(content);
    if (manifest === undefined) return [];
    return [...(this.isTaken(content) ? [] : [content]), ...this.#furtherNames(content, manifest)];
  }

  /** One more entry, or one fewer, publishes this content. */
  said(content: FileId, entry: PackedEntry, change: 1 | -1, counts = true): void {
    if (!counts) increase(this.#uncounted, content, change);
    this.#latestMs = Math.max(this.#latestMs, entry.manifest.atMs);
    switch (this.#counted(content, this.isKnown(content), change)) {
      case 'first':
        this.#nameless.set(content, entry.manifest);
        this.#settle(content);
        break;
      case 'none':
        this.#hide(content);
        this.#nameless.delete(content);
        break;
      case 'same':
        this.#settle(content);
        break;
    }
  }

  /** One more entry, or one fewer, gives this further name. */
  named(nameId: FileId, entry: PackedEntry, change: 1 | -1, counts = true): void {
    if (!counts) increase(this.#uncounted, nameId, change);
    const outcome = this.#counted(nameId, this.#names.has(nameId), change);
    const name = entry.fileName;
    this.#latestMs = Math.max(this.#latestMs, name.atMs);
    if (outcome === 'first') this.#names.set(nameId, name);
    else if (outcome === 'none') this.#names.delete(nameId);
    this.#hideName(nameId, name.content, outcome !== 'none' && this.#isUncounted(nameId));
    this.#count(nameId, name.content, outcome !== 'none' && !this.isTaken(nameId));
  }

  /** One more entry, or one fewer, takes this name away. `onlyOf`: if that device gave it. */
  taken(fileId: FileId, kind: 'remove' | 'unname', change: 1 | -1, onlyOf?: DeviceId): void {
    if (onlyOf === undefined) increase(kind === 'remove' ? this.#removals : this.#unnamed, fileId, change);
    else this.#takenBy(onlyOf, fileId, kind, change);
    const name = this.#names.get(fileId);
    if (name === undefined) this.#settle(fileId);
    else this.#count(fileId, name.content, !this.isTaken(fileId));
  }

  /** By id. */
  withTag(contentTag: Uint8Array): FileId[] {
    const found = this.#byTag.get(tagKeyAt(contentTag, 0));
    if (found === undefined) return [];
    return found instanceof Set ? [...found].toSorted() : [found];
  }

  /** Whether all entries that give the name do not count. */
  #isUncounted(fileId: FileId): boolean {
    const uncounted = this.#uncounted.get(fileId) ?? 0;
    return uncounted > 0 && uncounted >= 1 + (this.#repeated.get(fileId) ?? 0);
  }

  /** What the device that gave the name takes away of it; undefined if nothing. */
  #takenByGiver(fileId: FileId): Taken | undefined {
    const taken = this.#ownTaken.get(fileId);
    if (taken === undefined) return undefined;
    const giver = this.#names.get(fileId)?.by ?? this.manifestOf(fileId)?.by;
    return giver && taken.get(giver);
  }

  #takenBy(device: DeviceId, fileId: FileId, kind: 'remove' | 'unname', change: 1 | -1): void {
    const byDevice = this.#ownTaken.get(fileId) ?? new Map<DeviceId, Taken>();
    const { removeCount, unnameCount } = byDevice.get(device) ?? { removeCount: 0, unnameCount: 0 };
    const taken = {
      removeCount: removeCount + (kind === 'remove' ? change : 0),
      unnameCount: unnameCount + (kind === 'unname' ? change : 0),
    };
    if (taken.removeCount + taken.unnameCount > 0) byDevice.set(device, taken);
    else byDevice.delete(device);
    if (byDevice.size > 0) this.#ownTaken.set(fileId, byDevice);
    else this.#ownTaken.delete(fileId);
  }

  /** A further name is known and does not count, or does now. */
  #hideName(nameId: FileId, content: FileId, isHidden: boolean): void {
    const hidden = this.#hiddenNames.get(content) ?? new Set();
    if (isHidden) this.#hiddenNames.set(content, hidden.add(nameId));
    else if (hidden.delete(nameId) && hidden.size === 0) this.#hiddenNames.delete(content);
  }

  #furtherNames(content: FileId, { isPrivate }: PackedManifest): ReadonlySet<FileId> {
    return isPrivate ? NONE : (this.#namesOf.get(content) ?? NONE);
  }

  /** Whether the id is now given for the first time, no longer, or as before. */
  #counted(fileId: FileId, isKnown: boolean, change: 1 | -1): 'first' | 'none' | 'same' {
    const times = isKnown ? 1 + (this.#repeated.get(fileId) ?? 0) : 0;
    const repeated = times + change - 1;
    if (repeated > 0) this.#repeated.set(fileId, repeated);
    else this.#repeated.delete(fileId);
    if (times + change === 0) return 'none';
    return times === 0 ? 'first' : 'same';
  }

  /** A further name counts from now on, or no longer. */
  #count(nameId: FileId, content: FileId, counts: boolean): void {
    const names = this.#namesOf.get(content) ?? new Set();
    if (counts) this.#namesOf.set(content, names.add(nameId));
    else if (names.delete(nameId) && names.size === 0) this.#namesOf.delete(content);
    this.#settle(content);
  }

  /** Whether the content is named may have changed. */
  #settle(content: FileId): void {
    const manifest = this.#files.get(content) ?? this.#nameless.get(content);
    if (manifest === undefined) return;
    const isNamed = !this.isTaken(content) || this.#furtherNames(content, manifest).size > 0;
    if (!isNamed) this.#hide(content);
    else if (!this.#files.has(content)) this.#show(content, manifest);
  }

  #show(content: FileId, manifest: PackedManifest): void {
    this.#nameless.delete(content);
    this.#files.set(content, manifest);
    this.stored.changed(manifest, 1);
    const key = manifest.tagKey;
    if (key === undefined) return;
    const tagged = this.#byTag.get(key);
    if (tagged === undefined) this.#byTag.set(key, content);
    else this.#byTag.set(key, (tagged instanceof Set ? tagged : new Set([tagged])).add(content));
  }

  #hide(content: FileId): void {
    const manifest = this.#files.get(content);
    if (manifest === undefined) return;
    this.#files.delete(content);
    this.stored.changed(manifest, -1);
    this.#nameless.set(content, manifest);
    const key = manifest.tagKey;
    const tagged = key === undefined ? undefined : this.#byTag.get(key);
    if (key === undefined || tagged === undefined) return;
    if (tagged instanceof Set) tagged.delete(content);
    if (tagged === content || (tagged instanceof Set && tagged.size === 0)) this.#byTag.delete(key);
  }
}

function firstName(contentId: FileId, manifest: PublishedManifest): ListedFile {
  const { modifiedMs, by, atMs, publishedAt } = manifest;
  const details = (): FileDetails | undefined => {
    const { access } = manifest;
    return access.kind === 'pool' ? access.details : undefined;
  };
  return { fileId: contentId, contentId, manifest, modifiedMs, by, atMs, publishedAt, details };
}

function furtherName(fileId: FileId, contentId: FileId, manifest: Manifest, name: PackedName): ListedFile {
  const { modifiedMs, by, atMs, publishedAt } = name;
  return { fileId, contentId, manifest, modifiedMs, by, atMs, publishedAt, details: () => name.details };
}
