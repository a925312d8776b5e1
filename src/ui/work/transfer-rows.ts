// What the transfers list shows: the page's own queue and downloads, each joined with the pool's figures for it, then
// whatever else the pool is moving. Pure.

import type { FileStatus, TransferStatus } from '../../runtime/api.ts';
import type { QueueItem } from './store-queue.ts';

/** Who can cancel the row. */
export type TransferOwner =
  | { readonly kind: 'queue'; readonly itemId: number }
  | { readonly kind: 'download'; readonly fileId: string }
  | { readonly kind: 'pool'; readonly transferId: string };

export interface TransferRow {
  readonly key: string;
  readonly owner: TransferOwner;
  readonly name: string;
  readonly phase: TransferStatus['phase'] | 'starting';
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
}

/**
 * Rows of what is running. A transfer carries no name of its asker, so it is matched by kind, name and size (a download
 * by its file id), each transfer once.
 */
export function transferRows(
  items: readonly QueueItem[],
  downloads: ReadonlyMap<string, FileStatus>,
  transfers: readonly TransferStatus[],
): readonly TransferRow[] {
  const unclaimed = [...transfers];
  const rows: TransferRow[] = [];
  for (const item of items) {
    if (item.state.kind !== 'storing') continue;
    const match = claim(
      unclaimed,
      (t) => t.kind === 'store' && t.name === item.file.name && t.totalBytes === item.file.size,
    );
    const owner = { kind: 'queue', itemId: item.id } as const;
    rows.push(row(`queue-${item.id}`, owner, item.file.name, item.file.size, match));
  }
  for (const [fileId, file] of downloads) {
    const match = claim(unclaimed, (t) => t.kind === 'read' && t.fileId === fileId);
    rows.push(row(`download-${fileId}`, { kind: 'download', fileId }, file.name, file.size, match));
  }
  for (const transfer of unclaimed) {
    const owner = { kind: 'pool', transferId: transfer.id } as const;
    rows.push(row(`pool-${transfer.id}`, owner, transfer.name, transfer.totalBytes, transfer));
  }
  return rows;
}

function claim(
  unclaimed: TransferStatus[],
  fits: (transfer: TransferStatus) => boolean,
): TransferStatus | undefined {
  const index = unclaimed.findIndex(fits);
  return index === -1 ? undefined : unclaimed.splice(index, 1)[0];
}

function row(
  key: string,
  owner: TransferOwner,
  name: string,
  size: number,
  transfer: TransferStatus | undefined,
): TransferRow {
  return {
    key,
    owner,
    name,
    phase: transfer?.phase ?? 'starting',
    doneBytes: transfer?.doneBytes ?? 0,
    totalBytes: transfer?.totalBytes ?? size,
    bytesPerSecond: transfer?.bytesPerSecond ?? 0,
  };
}
