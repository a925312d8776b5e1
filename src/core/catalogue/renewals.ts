// Contents that are stored anew under other keys, as the catalogue shows them: a content that waits to be as
// safe as the one whose names it will get, and a name that moved from one content to another.

import { areSameDetails } from '../model/file-details.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import type { WallMs } from '../model/time.ts';
import type { Catalogue } from './catalogue.ts';
import type { ListedFile } from './file-index.ts';
import { UNDATED_MS } from './manifest.ts';

type Names = Pick<Catalogue, 'listed' | 'nameOf' | 'manifestOf'>;

/** Whether this is the own name of a content that waits for its names: people see the old content's. */
export function isUnlisted({
  atMs,
  fileId,
  contentId,
}: Pick<ListedFile, 'atMs' | 'fileId' | 'contentId'>): boolean {
  return atMs === UNDATED_MS && fileId === contentId;
}

/** Names that moved: which name of another content stands for one that was taken away. */
export class Renewals {
  readonly #catalogue: Names;
  #byDate: Map<WallMs, ListedFile[]> | undefined;

  /** For as long as `catalogue` stays as it is. */
  constructor(catalogue: Names) {
    this.#catalogue = catalogue;
  }

  /**
   * The name that `by` gave in the place of `fileId`: of the same date, details and size, for another
   * content. Undefined if there is none: then whoever took `fileId` away meant to remove the file.
   */
  of(fileId: FileId, by: DeviceId): ListedFile | undefined {
    const old = this.#catalogue.nameOf(fileId);
    const details = old?.details();
    if (old === undefined || details === undefined) return undefined;
    const size = this.#catalogue.manifestOf(old.contentId)?.size;
    return this.#dated(old.atMs).find(
      (name) =>
        name.by === by &&
        name.contentId !== old.contentId &&
        name.manifest.size === size &&
        areSameDetails(name.details(), details),
    );
  }

  #dated(atMs: WallMs): readonly ListedFile[] {
    if (this.#byDate === undefined) {
      this.#byDate = new Map();
      for (const name of this.#catalogue.listed())
        this.#byDate.set(name.atMs, [...(this.#byDate.get(name.atMs) ?? []), name]);
    }
    return this.#byDate.get(atMs) ?? [];
  }
}
