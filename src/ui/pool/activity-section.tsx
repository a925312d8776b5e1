// What happened in the pool, newest first. Hidden while nothing has.

import { useSignal } from '@preact/signals';
import { useStatus } from '../state/page.ts';
import { useWallMs } from '../state/wall-time.ts';
import { words } from '../text/words.ts';

/** Items at first, and with every "Show more": a glance, below the files. */
const PAGE_ITEMS = 6;
const MINUTE_MS = 60_000;

export function ActivitySection() {
  const activity = useStatus((status) => status.activity);
  const shownItems = useSignal(PAGE_ITEMS);
  const nowMs = useWallMs(MINUTE_MS);
  if (activity.length === 0) return null;
  const leftCount = activity.length - shownItems.value;
  return (
    <section class="activity">
      <h2 id="activity-heading">{words.activity.heading}</h2>
      <ul role="list" aria-labelledby="activity-heading">
        {activity
          .toReversed()
          .slice(0, shownItems.value)
          .map(({ id, atMs, text }) => (
            <li key={id} class="activity-item">
              <bdi class="activity-text">{text}</bdi>{' '}
              <time class="meta" dateTime={new Date(atMs).toISOString()}>
                {words.units.since(atMs, nowMs)}
              </time>
            </li>
          ))}
      </ul>
      {leftCount > 0 ? (
        <button type="button" class="button wide" onClick={() => (shownItems.value += PAGE_ITEMS)}>
          {words.activity.showMore(leftCount)}
        </button>
      ) : null}
    </section>
  );
}
