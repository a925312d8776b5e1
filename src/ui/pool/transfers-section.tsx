// Running, waiting and interrupted work, and files that could not be stored. Hidden while there is none.

import { useId } from 'preact/hooks';
import { CloseIcon } from '../parts/icons.tsx';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';
import { secondsLeft } from '../state/time-left.ts';
import { usePage, type Page } from '../state/page.ts';
import type { QueueItem } from '../state/store-queue.ts';
import {
  transferRows,
  unfinishedRows,
  type TransferOwner,
  type TransferRow,
} from '../state/transfer-rows.ts';
import { FailedItems } from './failed-items.tsx';
import { UnfinishedRow } from './unfinished-row.tsx';

/** The next few in line; the others are counted. */
const MAX_SHOWN_WAITING = 3;

export function TransfersSection() {
  const page = usePage();
  const { queue, shownWork } = page;
  const { items, downloads, transfers, unfinished: interrupted } = shownWork.value;
  const rows = transferRows(items, downloads, transfers);
  const waiting = items.filter((item) => item.state.kind === 'waiting');
  const failed = items.filter((item) => item.state.kind === 'failed');
  const unfinished = unfinishedRows(interrupted, items);
  if (rows.length + waiting.length + failed.length + unfinished.length === 0) return null;
  return (
    <section class="transfers">
      <h2 id="transfers-heading">{words.transfers.heading}</h2>
      <ul role="list" aria-labelledby="transfers-heading">
        {rows.map((row) => (
          <RunningRow
            key={row.key}
            row={row}
            onCancel={() => cancel(page, row.owner)}
            onContinue={() => goOn(page, row.owner)}
          />
        ))}
        {unfinished.map((one) => (
          <UnfinishedRow key={one.id} unfinished={one} />
        ))}
        {waiting.slice(0, MAX_SHOWN_WAITING).map((item) => (
          <WaitingRow key={item.id} item={item} onCancel={() => queue.cancel(item.id)} />
        ))}
      </ul>
      {waiting.length > MAX_SHOWN_WAITING ? (
        <p class="waiting-more">
          <span>{words.transfers.moreWaiting(waiting.length - MAX_SHOWN_WAITING)}</span>
          <button type="button" class="button quiet" onClick={() => queue.cancelAll()}>
            {words.transfers.cancelAll}
          </button>
        </p>
      ) : null}
      {failed.length === 0 ? null : <FailedItems items={failed} />}
    </section>
  );
}

interface RunningRowProps {
  readonly row: TransferRow;
  readonly onCancel: () => void;
  readonly onContinue: () => void;
}

function RunningRow({ row, onCancel, onContinue }: RunningRowProps) {
  const nameId = useId();
  const name = shownName(row.name);
  const seconds = secondsLeft(row.doneBytes, row.totalBytes, row.bytesPerSecond);
  const figures = [
    words.transfers.phases[row.phase],
    words.transfers.progress(row.doneBytes, row.totalBytes),
    words.units.speed(row.bytesPerSecond),
    seconds === undefined ? '' : words.units.timeLeft(seconds),
  ];
  // An empty file has nothing to measure: its bar is simply full.
  const max = Math.max(1, row.totalBytes);
  const value = row.totalBytes === 0 ? max : Math.min(row.doneBytes, max);
  return (
    <li class="transfer" aria-labelledby={nameId}>
      <div class="transfer-words">
        <bdi class="file-name" id={nameId}>
          {name}
        </bdi>
        {row.phase === 'starting' ? (
          <progress aria-label={name} />
        ) : (
          <progress aria-label={name} max={max} value={value} />
        )}
        <span class="meta figures">{figures.filter((figure) => figure !== '').join(' · ')}</span>
        {row.phase === 'waiting' ? (
          <span class="meta" role="status">
            {row.pausedBecause}
          </span>
        ) : null}
        {row.phase === 'stopped' ? (
          <span class="reason" role="alert">
            {row.pausedBecause}
          </span>
        ) : null}
      </div>
      {row.phase === 'stopped' ? (
        <button
          type="button"
          class="button"
          aria-label={words.transfers.continueOf(name)}
          onClick={onContinue}
        >
          {words.transfers.continue}
        </button>
      ) : null}
      <CancelButton name={name} onCancel={onCancel} />
    </li>
  );
}

function WaitingRow({ item, onCancel }: { readonly item: QueueItem; readonly onCancel: () => void }) {
  const nameId = useId();
  const name = shownName(item.name);
  return (
    <li class="transfer" aria-labelledby={nameId}>
      <div class="transfer-words">
        <bdi class="file-name" id={nameId}>
          {name}
        </bdi>
        <span class="meta">{words.transfers.waiting(item.size)}</span>
      </div>
      <CancelButton name={name} onCancel={onCancel} />
    </li>
  );
}

function CancelButton({ name, onCancel }: { readonly name: string; readonly onCancel: () => void }) {
  return (
    <button
      type="button"
      class="button icon-only quiet"
      aria-label={words.transfers.cancelOf(name)}
      title={words.transfers.cancelOf(name)}
      onClick={onCancel}
    >
      <CloseIcon />
    </button>
  );
}

function goOn({ downloads }: Page, owner: TransferOwner): void {
  if (owner.kind === 'download') void downloads.continue(owner.fileId);
}

function cancel({ queue, downloads, palm }: Page, owner: TransferOwner): void {
  switch (owner.kind) {
    case 'queue':
      return queue.cancel(owner.itemId);
    case 'download':
      return downloads.cancel(owner.fileId);
    case 'pool':
      return palm.cancel(owner.transferId);
  }
}
