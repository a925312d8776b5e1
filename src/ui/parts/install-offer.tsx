// Offers to install the app, below the pool, once a person has something here to come back to, and never
// during work.

import type { Install } from '../state/install.ts';
import { useStatus } from '../state/page.ts';
import { words } from '../text/words.ts';

export function InstallOffer({ install }: { readonly install: Install }) {
  const isWorthIt = useStatus(
    ({ files, devices, transfers }) => files.length > 0 && devices.length > 1 && transfers.length === 0,
  );
  const way = install.way.value;
  if (way === 'none' || !isWorthIt) return null;
  return (
    <aside class="install-offer">
      <p>{way === 'offered' ? words.install.offer : words.install.byHand}</p>
      {way === 'offered' ? (
        <button type="button" class="button primary" onClick={() => install.accept()}>
          {words.install.install}
        </button>
      ) : null}
      <button type="button" class="button quiet" onClick={() => install.decline()}>
        {words.install.later}
      </button>
    </aside>
  );
}
