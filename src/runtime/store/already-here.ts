// Whether part of a file may be here already, judging by its size, and the interrupted store that it
// continues. equal-files.ts finds out whether a file of the pool is equal.

import { bytesOfHex, equalBytes } from '../../core/model/bytes.ts';
import { segmentBytesOf, segmentCountOf } from '../../core/model/geometry.ts';
import { parseJobId } from '../../core/model/ids.ts';
import type { UnfinishedStore } from '../../core/ports.ts';
import type { StoreJob, StorePorts } from './store-job.ts';
import type { Likeness, SealedSegments } from './unfinished-stores.ts';

/**
 * Whether, judging by its size, a file's bytes may be in the pool or partly sealed already. A file of one
 * segment is sealed faster than it is looked for.
 */
export function mayBeHere(job: StoreJob, { driver, unfinished }: StorePorts): boolean {
  const { geometry, isPrivate, resumes } = job;
  if (resumes !== undefined) return true;
  if (segmentCountOf(geometry) === 1) return false;
  if (unfinished.hasAlike(likenessOf(job))) return true;
  return (
    !isPrivate &&
    [...driver.peer.catalogue.files().values()].some(
      (manifest) =>
        manifest.size === geometry.size &&
        manifest.access.kind === 'pool' &&
        segmentBytesOf(manifest) === segmentBytesOf(geometry),
    )
  );
}

/**
 * The interrupted store that this one continues, with `job`'s bytes in its sealed segments. A store is ended
 * if `job` has other bytes, because its keys sealed those; or if no segment of it is known to be sealed.
 */
export async function storeBefore(
  job: StoreJob,
  plainHashes: readonly Uint8Array[],
  ports: StorePorts,
): Promise<UnfinishedStore | undefined> {
  const { unfinished, notice } = ports;
  const { resumes, details, geometry, modifiedMs, handle } = job;
  const isEqual = (sealed: SealedSegments): boolean =>
    [...sealed].every(([segment, { note }]) => equalBytes(plainHashes[segment] ?? new Uint8Array(), note));
  if (resumes === undefined) {
    const alike = await unfinished.claimAlike(likenessOf(job), isEqual);
    // Its handle may belong to another file that begins in the same way.
    return alike && { ...alike, ...details, modifiedMs, handle };
  }
  const sealed = await unfinished.sealed(resumes);
  const isSame = resumes.size === geometry.size && isEqual(sealed);
  if (isSame && sealed.size > 0) return resumes;
  await abandonStore(resumes.storeId, ports);
  if (!isSame) {
    notice({ kind: 'another-file', interrupted: resumes.name, chosen: details.name });
  }
  return undefined;
}

/** Discards a store that an earlier page began, here and at the devices that already hold blocks for it. */
export async function abandonStore(
  storeId: string,
  { unfinished, driver }: Pick<StorePorts, 'unfinished' | 'driver'>,
): Promise<void> {
  await unfinished.end(storeId);
  driver.input({ kind: 'abandoned', job: parseJobId(bytesOfHex(storeId)) });
}

function likenessOf({ geometry, details, isPrivate }: StoreJob): Likeness {
  return { ...geometry, name: details.name, isPrivate };
}
