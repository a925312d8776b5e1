// The files named by the catalogue's entries. A file is here while a kept entry says so and none removes it.

import type { FileId } from '../model/ids.ts';
import type { WallMs } from '../model/time.ts';
import { tagKeyAt, type PackedManifest } from './packed-manifest.ts';
import type { PackedEntry } from './packed-entry.ts';

export class FileIndex {
  readonly #files = new Map<FileId, PackedManifest>();
  /** Known, but removed. */
  readonly #hidden = new Map<FileId, PackedManifest>();
  /** How many kept entries remove a file, known or not. */
  readonly #removals = new Map<FileId, number>();
  /** How many entries besides the first publish the file: a log that forked may do so twice. */
  readonly #repeated = new Map<FileId, number>();
  /**
   * By content tag, one character for each of its bytes. Nearly always one file: a set for each would take
   * more memory than its file.
   */
  readonly #byTag = new Map<string, FileId | Set<FileId>>();

  #latestMs: WallMs = 0;

  /** The latest date of any file that was ever here. */
  get latestMs(): WallMs {
    return this.#latestMs;
  }

  /** Those that were not removed. */
  get files(): ReadonlyMap<FileId, PackedManifest> {
    return this.#files;
  }

  isRemoved(fileId: FileId): boolean {
    return this.#removals.has(fileId);
  }

  /** Whether any entry publishes or removes this file. */
  isKnown(fileId: FileId): boolean {
    return this.#files.has(fileId) || this.#hidden.has(fileId);
  }

  /** One more entry, or one fewer, publishes this file. */
  said(fileId: FileId, entry: PackedEntry, change: 1 | -1): void {
    this.#latestMs = Math.max(this.#latestMs, entry.manifest.atMs);
    const times = this.isKnown(fileId) ? 1 + (this.#repeated.get(fileId) ?? 0) : 0;
    const repeated = times + change - 1;
    if (repeated > 0) this.#repeated.set(fileId, repeated);
    else this.#repeated.delete(fileId);
    if (times + change === 0) {
      this.#hide(fileId);
      this.#hidden.delete(fileId);
    } else if (times === 0) {
      if (this.isRemoved(fileId)) this.#hidden.set(fileId, entry.manifest);
      else this.#list(fileId, entry.manifest);
    }
  }

  /** One more entry, or one fewer, removes this file. */
  removed(fileId: FileId, change: 1 | -1): void {
    const count = (this.#removals.get(fileId) ?? 0) + change;
    if (count > 0) this.#removals.set(fileId, count);
    else this.#removals.delete(fileId);
    if (count > 0) this.#hide(fileId);
    else this.#show(fileId);
  }

  /** By id. */
  withTag(contentTag: Uint8Array): FileId[] {
    const found = this.#byTag.get(tagKeyAt(contentTag, 0));
    if (found === undefined) return [];
    return found instanceof Set ? [...found].toSorted() : [found];
  }

  #show(fileId: FileId): void {
    const manifest = this.#hidden.get(fileId);
    if (manifest === undefined) return;
    this.#hidden.delete(fileId);
    this.#list(fileId, manifest);
  }

  #list(fileId: FileId, manifest: PackedManifest): void {
    this.#files.set(fileId, manifest);
    const key = manifest.tagKey;
    if (key === undefined) return;
    const tagged = this.#byTag.get(key);
    if (tagged === undefined) this.#byTag.set(key, fileId);
    else this.#byTag.set(key, (tagged instanceof Set ? tagged : new Set([tagged])).add(fileId));
  }

  #hide(fileId: FileId): void {
    const manifest = this.#files.get(fileId);
    if (manifest === undefined) return;
    this.#files.delete(fileId);
    this.#hidden.set(fileId, manifest);
    const key = manifest.tagKey;
    const tagged = key === undefined ? undefined : this.#byTag.get(key);
    if (key === undefined || tagged === undefined) return;
    if (tagged instanceof Set) tagged.delete(fileId);
    if (tagged === fileId || (tagged instanceof Set && tagged.size === 0)) this.#byTag.delete(key);
  }
}
