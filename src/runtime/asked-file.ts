// The file that a caller names by its id.

import type { Catalogue } from '../core/catalogue/catalogue.ts';
import type { ListedFile } from '../core/catalogue/file-index.ts';
import { PalmError } from '../core/model/errors.ts';
import { parseFileId, type FileId } from '../core/model/ids.ts';

/** @throws PalmError 'unknown-file', 'removed-file'. */
export function askedFile(catalogue: Pick<Catalogue, 'listedFile' | 'isTaken'>, id: string): ListedFile {
  let fileId: FileId;
  try {
    fileId = parseFileId(id);
  } catch (cause) {
    throw new PalmError({ code: 'unknown-file', reason: 'not-an-id' }, { cause });
  }
  const listed = catalogue.listedFile(fileId);
  if (listed !== undefined) return listed;
  if (catalogue.isTaken(fileId)) throw new PalmError({ code: 'removed-file', reason: 'before' });
  throw new PalmError({ code: 'unknown-file', reason: 'not-heard-of' });
}
