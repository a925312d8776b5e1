// What of a file that is to be stored may be here already, as far as its size tells; and the interrupted
// store that it goes on with. Whether a file of the pool is equal is for equal-files.ts to find out.

import { bytesOfHex, equalBytes } from '../../core/model/bytes.ts';
import { segmentBytesOf, segmentCountOf } from '../../core/model/geometry.ts';
import { parseJobId } from '../../core/model/ids.ts';
import type { UnfinishedStore } from '../../core/ports.ts';
import type { StoreJob, StorePorts } from './store-job.ts';
import type { Likeness, SealedSegments } from './unfinished-stores.ts';

/**
 * Whether a file's bytes may be in the pool, or sealed in part, already, as far as its size tells. What takes
 * one segment is sealed sooner than looked for.
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
 * The interrupted store that this one goes on with, its sealed segments being those of `job`. One whose bytes
 * `job` no longer has is ended, as its keys sealed others; and one of which nothing is sealed, or not known
 * any more to be.
 */
export async function storeBefore(
  job: StoreJob,
  plainHashes: readonly Uint8Array[],
  ports: StorePorts,
): Promise<UnfinishedStore | undefined> {
  const { unfinished, notice } = ports;
  const { resumes, details, geometry, modifiedMs, handle } = job;
  const isEqual = (sealed: SealedSegments): boolean =>
    [...sealed].every(([segment, { plainHash }]) =>
      equalBytes(plainHashes[segment] ?? new Uint8Array(), plainHash),
    );
  if (resumes === undefined) {
    const alike = await unfinished.claimAlike(likenessOf(job), isEqual);
    // Its handle may be another file's that begins in the same way.
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

/** Gives up a store that an earlier page began, here and at the devices that hold blocks for it already. */
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
