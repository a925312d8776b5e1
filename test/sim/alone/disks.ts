// What is on the disks of a pool, worked out again only where a disk changed.

import { decodeFragmentIndex } from '../../../src/core/coding/fragment-index.ts';
import { fragmentIdOf, blockKey } from '../../../src/core/model/ids.ts';
import type { MemoryStore } from '../memory-store.ts';

/** What one disk has of a content. */
export interface OnDisk {
  /** Fragments whose rows exist, key shares included. */
  readonly held: ReadonlySet<number>;
  /** Those with a sound index and every block sound. */
  readonly sound: ReadonlySet<number>;
}

export type DiskContents = ReadonlyMap<string, OnDisk>;

export const NOTHING: OnDisk = { held: new Set(), sound: new Set() };

const known = new WeakMap<MemoryStore, { readonly revision: number; readonly contents: DiskContents }>();

/** By content. */
export function contentsOf(store: MemoryStore): DiskContents {
  const revision = store.fragmentRevision();
  const last = known.get(store);
  if (last?.revision === revision) return last.contents;
  const { fragments, blocks } = store.contents();
  const contents = new Map<string, { held: Set<number>; sound: Set<number> }>();
  for (const { fragment, index } of fragments) {
    const onDisk = contents.get(fragment.fileId) ?? { held: new Set(), sound: new Set() };
    contents.set(fragment.fileId, onDisk);
    onDisk.held.add(fragment.fragment);
    const isWhole =
      fragmentIdOf(index) === fragment.fragmentId &&
      decodeFragmentIndex(index).blocks.every((hash) => blocks.get(blockKey(hash))?.isSound() === true);
    if (isWhole) onDisk.sound.add(fragment.fragment);
  }
  known.set(store, { revision, contents });
  return contents;
}
