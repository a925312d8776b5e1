// Searching the list of files by part of a name or folder.

import type { FileStatus } from '../../runtime/api.ts';
import { shownName, shownPath } from '../text/file-name.ts';
import { folded } from '../text/folded.ts';

/** What is searched of each file: an unchanged file is the same object in each status. */
const searchable = new WeakMap<FileStatus, string>();

/** The files that `search` is found in; all for a blank one. */
export function filesFound(files: readonly FileStatus[], search: string): readonly FileStatus[] {
  const wanted = folded(search);
  return wanted === '' ? files : files.filter((file) => searchableOf(file).includes(wanted));
}

function searchableOf(file: FileStatus): string {
  const known = searchable.get(file);
  if (known !== undefined) return known;
  // As it is shown, with hidden characters written out, and as it was typed.
  const text = folded(
    `${shownPath(file.path)} / ${shownName(file.name)}\n${file.path.replaceAll('/', ' / ')} / ${file.name}`,
  );
  searchable.set(file, text);
  return text;
}
