// Files that could not be stored, and what could not be read of a drop: each with its reason. They can be
// tried again or cleared one by one or together. Thousands may fail at once: the list grows in steps.

import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import { CloseIcon } from '../parts/icons.tsx';
import { usePage } from '../state/page.ts';
import { canRetry, type QueueItem } from '../state/store-queue.ts';
import { heardName, shownName, shownPath } from '../text/file-name.ts';
import { words } from '../text/words.ts';

/** Rows at first, and how many "Show more" adds. */
const FIRST_ROWS = 20;
const MORE_ROWS = 100;
/** Further failures are announced once no other came for this long, ms: screen readers read each aloud. */
const ANNOUNCE_AFTER_MS = 2_000;

export function FailedItems({ items }: { readonly items: readonly QueueItem[] }) {
  const { queue } = usePage();
  const headingId = useId();
  const shownRows = useSignal(FIRST_ROWS);
  const heading = words.transfers.failed(
    items.length,
    items.some(({ isFolder }) => isFolder),
  );
  const announced = useAnnouncement(items.length, heading);
  const leftCount = items.length - shownRows.value;
  return (
    <div class="failed">
      <p class="heard-only" role="alert">
        {announced}
      </p>
      <div class="failed-head">
        <h3 id={headingId}>{heading}</h3>
        {items.length > 1 ? (
          <>
            {items.some(canRetry) ? (
              <button type="button" class="button" onClick={leavingFocus(() => queue.retryFailed())}>
                {words.transfers.retryFailed}
              </button>
            ) : null}
            <button type="button" class="button quiet" onClick={leavingFocus(() => queue.clearFailed())}>
              {words.transfers.clearFailed}
            </button>
          </>
        ) : null}
      </div>
      <ul role="list" aria-labelledby={headingId}>
        {items.slice(0, shownRows.value).map((item) => (
          <FailedRow key={item.id} item={item} />
        ))}
      </ul>
      {leftCount > 0 ? (
        <button type="button" class="button wide" onClick={() => (shownRows.value += MORE_ROWS)}>
          {words.transfers.showMoreFailed(leftCount)}
        </button>
      ) : null}
    </div>
  );
}

function FailedRow({ item }: { readonly item: QueueItem }) {
  const { queue } = usePage();
  const heard = heardName(shownName(item.name), shownPath(item.path));
  return (
    <li class="transfer">
      <div class="transfer-words">
        <bdi class="file-name">{shownName(item.name)}</bdi>
        {item.path === '' ? null : <bdi class="meta path">{shownPath(item.path)}</bdi>}
        <span class="reason">{item.state.kind === 'failed' ? item.state.reason : ''}</span>
      </div>
      {canRetry(item) ? (
        <button
          type="button"
          class="button"
          aria-label={words.common.tryAgainOf(heard)}
          onClick={() => queue.retry(item.id)}
        >
          {words.common.tryAgain}
        </button>
      ) : null}
      <button
        type="button"
        class="button icon-only quiet"
        aria-label={words.common.dismissOf(heard)}
        title={words.common.dismiss}
        onClick={() => queue.cancel(item.id)}
      >
        <CloseIcon />
      </button>
    </li>
  );
}

/**
 * The text to announce for `count` failures: the first ones immediately, later ones when they pause, and
 * nothing when there are fewer.
 */
function useAnnouncement(count: number, text: string): string {
  const announced = useSignal({ count: 0, text: '' });
  useEffect(() => {
    const { count: before } = announced.peek();
    const announce = (): void => {
      announced.value = { count, text: count > before ? text : '' };
    };
    if (before === 0 || count <= before) {
      announce();
      return undefined;
    }
    const timer = setTimeout(announce, ANNOUNCE_AFTER_MS);
    return () => clearTimeout(timer);
  }, [count, text, announced]);
  return announced.value.text;
}

/** The button is about to disappear with the focus on it: keyboard users continue from the top. */
function leavingFocus(act: () => void): () => void {
  return () => {
    document.querySelector('h1')?.focus();
    act();
  };
}
