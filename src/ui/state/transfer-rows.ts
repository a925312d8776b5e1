// The rows of the transfers list: the page's own queue and downloads, each joined with the pool's figures for
// it, then the pool's other transfers. Pure.

import type { TransferStatus, UnfinishedStatus } from '../../runtime/api.ts';
import type { DownloadState, DownloadView } from '../download/downloads.ts';
import type { QueueItem } from './store-queue.ts';
import { words } from '../text/words.ts';

/** Who can cancel the row. */
export type TransferOwner =
  | { readonly kind: 'queue'; readonly itemId: number }
  | { readonly kind: 'download'; readonly fileId: string }
  | { readonly kind: 'pool'; readonly transferId: string };

export interface TransferRow {
  readonly key: string;
  readonly owner: TransferOwner;
  readonly name: string;
  readonly phase: TransferStatus['phase'] | 'starting' | 'waiting' | 'stopped';
  /** Why it does not move, and how it can continue; '' while it moves. */
  readonly pausedBecause: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly bytesPerSecond: number;
}

/**
 * Rows of running work. A transfer does not name its caller, so it is matched by kind, name and size (a
 * download by its file id), each transfer once.
 */
export function transferRows(
  items: readonly QueueItem[],
  downloads: readonly DownloadView[],
  transfers: readonly TransferStatus[],
): readonly TransferRow[] {
  const unclaimed = [...transfers];
  const rows: TransferRow[] = [];
  for (const item of items) {
    if (item.state.kind !== 'storing') continue;
    const match = claim(
      unclaimed,
      (t) => t.kind === 'store' && t.name === item.name && t.totalBytes === item.size,
    );
    const owner = { kind: 'queue', itemId: item.id } as const;
    rows.push(row(`queue-${item.id}`, owner, item.name, item.size, match));
  }
  for (const download of downloads) {
    const { fileId } = download;
    rows.push(
      downloadRow(
        download,
        claim(unclaimed, (t) => t.kind === 'read' && t.fileId === fileId),
      ),
    );
  }
  for (const transfer of unclaimed) {
    const owner = { kind: 'pool', transferId: transfer.id } as const;
    rows.push(row(`pool-${transfer.id}`, owner, transfer.name, transfer.totalBytes, transfer));
  }
  return rows;
}

/** Interrupted stores that the queue does not show. A file that failed there is retried there. */
export function unfinishedRows(
  unfinished: readonly UnfinishedStatus[],
  items: readonly QueueItem[],
): readonly UnfinishedStatus[] {
  return unfinished.filter(
    ({ name, size }) => !items.some((item) => item.name === name && item.size === size),
  );
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
    pausedBecause: '',
    doneBytes: transfer?.doneBytes ?? 0,
    totalBytes: transfer?.totalBytes ?? size,
    bytesPerSecond: transfer?.bytesPerSecond ?? 0,
  };
}

/** A read that continues an earlier one counts from where that stopped; the row counts the whole file. */
function downloadRow(download: DownloadView, transfer: TransferStatus | undefined): TransferRow {
  const { fileId, size, arrivedBytes, state } = download;
  const name = download.name === '' ? words.names.privateFile : download.name;
  const owner = { kind: 'download', fileId } as const;
  const moving = row(`download-${fileId}`, owner, name, size, transfer);
  const whole = { ...moving, doneBytes: arrivedBytes + moving.doneBytes, totalBytes: size };
  switch (state.kind) {
    case 'running':
      return whole;
    case 'queued':
    case 'waiting':
      return { ...whole, phase: 'waiting', pausedBecause: waitingText(state) };
    case 'stopped':
      return { ...whole, phase: 'stopped', pausedBecause: state.reason };
  }
}

function waitingText(state: Extract<DownloadState, { kind: 'queued' | 'waiting' }>): string {
  if (state.kind === 'queued') return words.downloads.waitsForOthers;
  if (state.reason !== undefined) return state.reason;
  return state.need === 'link' ? words.downloads.waitsForLink : words.downloads.waitsForDevices;
}
