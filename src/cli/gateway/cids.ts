// Files by the IPFS CIDs of their bytes. A CID is the word of who gave a file its name, so nothing is served
// by one before the bytes were read and found to have it.
//
// Invariant: of any number of names that claim a CID, a request has at most MAX_CLAIMS read.

import { sameCid } from '../../core/model/content-cid.ts';
import type { FileStatus, PalmStatus } from '../../runtime/api.ts';
import { words } from '../words.ts';
import { Refusal } from './answer.ts';
import { isServed } from './listing.ts';

/** The oldest of them: what claims a CID that another file has comes later, unless it was there first. */
const MAX_CLAIMS = 4;
/** A whole read takes a while, s. */
const CHECK_RETRY_S = 10;

export interface CheckedCids {
  /** The CIDs of the folders of these files, by their paths: what the files claim, hashed. */
  folders(files: readonly FileStatus[]): Promise<ReadonlyMap<string, string>>;
  /** Whether this device found before that the file has the CID of its name. */
  isKnown(file: FileStatus): boolean;
  /** The same, found out now by a read of the file; undefined when too many are being read for that. */
  check(file: FileStatus): Promise<boolean | undefined>;
}

/** Of each status, the files by their CIDs: looking at ten thousand of them takes some ten ms. */
const indexes = new WeakMap<PalmStatus, ReadonlyMap<string, readonly FileStatus[]>>();

/** Of each status, the folders by their CIDs. */
const folderIndexes = new WeakMap<PalmStatus, Promise<FolderIndex>>();

interface FolderIndex {
  readonly paths: ReadonlyMap<string, string>;
  readonly cids: ReadonlyMap<string, string>;
}

/** The folder that has a CID, and the CIDs of all folders by their paths; undefined where none has it. */
export async function folderOfCid(
  status: PalmStatus,
  asked: string,
  cids: CheckedCids,
): Promise<{ readonly path: string; readonly cids: ReadonlyMap<string, string> } | undefined> {
  const cid = sameCid(asked);
  if (cid === undefined) return undefined;
  let index = folderIndexes.get(status);
  if (index === undefined) {
    index = folderIndexOf(status, cids);
    folderIndexes.set(status, index);
  }
  const found = await index;
  const path = found.paths.get(cid);
  return path === undefined ? undefined : { path, cids: found.cids };
}

async function folderIndexOf(status: PalmStatus, cids: CheckedCids): Promise<FolderIndex> {
  const found = await cids.folders(status.files.filter(isServed));
  const paths = new Map<string, string>();
  // The pool itself is no folder of anybody's.
  for (const [path, cid] of found) if (path !== '') paths.set(sameCid(cid) ?? cid, path);
  return { paths, cids: found };
}

/** Whether the file has the CID of its name. @throws Refusal; what reading it fails with. */
export async function checkClaim(file: FileStatus, cids: CheckedCids): Promise<boolean> {
  const isTrue = await cids.check(file);
  if (isTrue === undefined)
    throw new Refusal(503, 'busy', words.gateway.checkingCid, { 'Retry-After': String(CHECK_RETRY_S) });
  return isTrue;
}

/** @throws Refusal; what reading a file fails with. */
export async function fileOfCid(
  status: PalmStatus,
  segments: readonly string[],
  cids: CheckedCids,
): Promise<{ readonly file: FileStatus; readonly cid: string }> {
  const [asked = ''] = segments;
  const cid = sameCid(asked);
  // A path below a file leads nowhere.
  const claims = cid === undefined || segments.length > 1 ? [] : (indexOf(status).get(cid) ?? []);
  if (cid !== undefined) {
    const known = claims.find((file) => cids.isKnown(file));
    if (known !== undefined) return { file: known, cid };
    for (const file of onePerContent(claims).slice(0, MAX_CLAIMS)) {
      if (await checkClaim(file, cids)) return { file, cid };
    }
  }
  throw new Refusal(404, 'unknown-file', words.gateway.noSuchCid);
}

function indexOf(status: PalmStatus): ReadonlyMap<string, readonly FileStatus[]> {
  const made = indexes.get(status);
  if (made !== undefined) return made;
  const index = new Map<string, FileStatus[]>();
  for (const file of status.files) {
    const cid = isServed(file) ? sameCid(file.cid ?? '') : undefined;
    if (cid === undefined) continue;
    const claims = index.get(cid);
    if (claims === undefined) index.set(cid, [file]);
    else claims.push(file);
  }
  indexes.set(status, index);
  return index;
}

/** Each by the first of its names, in their order. */
function onePerContent(files: readonly FileStatus[]): FileStatus[] {
  const firsts = new Map<string, FileStatus>();
  for (const file of files) if (!firsts.has(file.contentId)) firsts.set(file.contentId, file);
  return [...firsts.values()];
}
