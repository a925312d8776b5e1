// What each device stored in the pool, for the limit of its policy: all fragments of the named contents whose
// manifests it wrote. Private ones count like others.

import { heldBytesOf } from '../model/geometry.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { compareTimes } from './clock.ts';
import { increase } from './counts.ts';
import type { PublishedManifest } from './manifest.ts';

/** What all fragments of a file take together, bytes. */
export function storedBytesOf(manifest: Parameters<typeof heldBytesOf>[0]): number {
  return heldBytesOf(manifest) * manifest.n;
}

interface Beyond {
  readonly limitBytes: number;
  readonly revision: number;
  readonly files: ReadonlySet<FileId>;
}

export class StoredBytes {
  readonly #files: ReadonlyMap<FileId, PublishedManifest>;
  readonly #bytes = new Map<DeviceId, number>();
  readonly #beyond = new Map<DeviceId, Beyond>();
  #revision = 0;

  /** `files`: the named contents, as they are at each call. */
  constructor(files: ReadonlyMap<FileId, PublishedManifest>) {
    this.#files = files;
  }

  /** A content got its first name (1), or lost its last (-1). */
  changed(manifest: PublishedManifest, change: 1 | -1): void {
    increase(this.#bytes, manifest.by, change * storedBytesOf(manifest));
    this.#revision += 1;
  }

  of(device: DeviceId): number {
    return this.#bytes.get(device) ?? 0;
  }

  /**
   * Whether the file is beyond what its storer may store, counting from the first that it stored. All devices
   * that know the same files agree.
   */
  isBeyond(file: FileId, limitBytes: number): boolean {
    const by = this.#files.get(file)?.by;
    if (by === undefined || this.of(by) <= limitBytes) return false;
    const known = this.#beyond.get(by);
    if (known?.limitBytes === limitBytes && known.revision === this.#revision) return known.files.has(file);
    const files = this.#filesBeyond(by, limitBytes);
    this.#beyond.set(by, { limitBytes, revision: this.#revision, files });
    return files.has(file);
  }

  #filesBeyond(by: DeviceId, limitBytes: number): Set<FileId> {
    const own = [...this.#files].filter(([, manifest]) => manifest.by === by);
    const inOrder = own.toSorted(
      ([a, one], [b, other]) => compareTimes(one.publishedAt, other.publishedAt) || (a < b ? -1 : 1),
    );
    const beyond = new Set<FileId>();
    let bytes = 0;
    for (const [file, manifest] of inOrder) {
      bytes += storedBytesOf(manifest);
      if (bytes > limitBytes) beyond.add(file);
    }
    return beyond;
  }
}
