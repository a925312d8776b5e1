// A fragment of a file, as the store describes it.

import { fragmentBytesOf, type Geometry } from '../core/model/geometry.ts';
import type { FileId, FragmentId } from '../core/model/ids.ts';
import type { StoredFragment } from '../core/ports.ts';

/** Undefined when the file has no such fragment. */
export function storedFragmentOf(
  fileId: FileId,
  manifest: Geometry & { readonly fragments: readonly FragmentId[] },
  fragment: number,
): StoredFragment | undefined {
  const fragmentId = manifest.fragments[fragment];
  return fragmentId && { fragmentId, fileId, fragment, blockBytes: fragmentBytesOf(manifest) };
}
