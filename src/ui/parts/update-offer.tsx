// Offers a newer version of the app, calmly: never during work that a reload would interrupt.

import { useComputed } from '@preact/signals';
import type { AppUpdate } from '../state/app-update.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';

export function UpdateOffer({ update }: { readonly update: AppUpdate }) {
  const { queue, downloads, privateLinks, removals, status } = usePage();
  const busy = useComputed(
    () =>
      status.value.transfers.length > 0 ||
      queue.items.value.length > 0 ||
      downloads.list.value.some(({ state }) => state.kind === 'running') ||
      privateLinks.value.length > 0,
  );
  if (!update.ready.value || busy.value) return null;
  return (
    <div class="update-offer" role="status">
      <p>{words.update.offer}</p>
      <button
        type="button"
        class="button"
        onClick={() => {
          removals.commit();
          update.apply();
        }}
      >
        {words.update.update}
      </button>
    </div>
  );
}
