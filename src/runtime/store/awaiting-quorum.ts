// Waiting until a stored file is placed, as a transfer that people can see and cancel.

import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { quorumOf, type Geometry } from '../../core/model/geometry.ts';
import type { FileId } from '../../core/model/ids.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import type { Transfer } from '../transfers.ts';

/**
 * Waits until `fileId` has a quorum, or all that can be placed now is. Returns how many fragments have a
 * home.
 */
export async function awaitQuorum(
  fileId: FileId,
  geometry: Geometry,
  driver: PeerDriver,
  transfer: Transfer,
): Promise<number> {
  const totalBytes = geometry.size;
  const quorum = quorumOf(geometry);
  transfer.enter('placing', totalBytes, fileId);
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      stopWatching();
      transfer.signal.removeEventListener('abort', onAbort);
    };
    const look = (): void => {
      if (driver.peer.catalogue.isRemoved(fileId)) {
        finish();
        reject(new PalmError({ code: 'removed-file', reason: 'while-placed' }));
        return;
      }
      const { n } = geometry;
      const progress = driver.peer.outboxProgress(fileId);
      const { placedCount, claimedCount, pendingCount } = progress ?? {
        placedCount: n,
        claimedCount: n,
        pendingCount: 0,
      };
      transfer.reached(Math.min(totalBytes, Math.floor((totalBytes * claimedCount) / quorum)));
      if (placedCount < quorum && pendingCount > 0) return;
      finish();
      resolve(placedCount);
    };
    const onAbort = (): void => {
      finish();
      if (isPalmError(transfer.signal.reason, 'not-in-pool')) {
        reject(transfer.signal.reason);
        return;
      }
      reject(new PalmError({ code: 'cancelled', reason: 'waiting' }, { cause: transfer.signal.reason }));
    };
    const stopWatching = driver.watch(look);
    transfer.signal.addEventListener('abort', onAbort, { once: true });
    if (transfer.signal.aborted) onAbort();
    else look();
  });
}
