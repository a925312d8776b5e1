// Pools that devices show nearby, on the start screen; nothing while there are none.

import type { Signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { visibleName } from '../../core/model/visible-name.ts';
import type { NearbyPool } from '../../runtime/nearby-api.ts';
import { AskDialog } from '../dialogs/ask-dialog.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { words } from '../text/words.ts';

const NONE: readonly NearbyPool[] = [];

export function NearbyPools({ deviceName }: { readonly deviceName: Signal<string> }) {
  const { palm } = usePage();
  const pools = useStatus(({ nearby }) => nearby?.pools) ?? NONE;
  const asking = useStatus((status) => status.asking);
  useEffect(() => {
    // Without a relay, or in a browser that is no device, there are none.
    palm.nearby().catch(() => undefined);
  }, [palm]);
  const ask = (pool: NearbyPool): void => {
    const name = deviceName.value.trim();
    // How it goes on, and how it ends, is in the status.
    palm.askToJoin(pool.id, name === '' ? {} : { deviceName: name }).catch(() => undefined);
  };
  const again = pools.find(({ name }) => name === asking?.pool);
  return (
    <>
      {pools.length === 0 ? null : (
        <section class="card" aria-labelledby="nearby-heading">
          <h2 id="nearby-heading">{words.nearby.heading}</h2>
          <p class="hint">{words.nearby.hint}</p>
          <ul class="nearby" role="list" aria-labelledby="nearby-heading">
            {pools.map((pool) => (
              <li key={pool.id}>
                <bdi class="nearby-name">{visibleName(pool.name)}</bdi>
                <button
                  type="button"
                  class="button"
                  aria-label={words.nearby.askOf(visibleName(pool.name))}
                  onClick={() => ask(pool)}
                >
                  {words.nearby.ask}
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {asking === undefined ? null : (
        <AskDialog
          asking={asking}
          onAgain={again === undefined ? undefined : () => ask(again)}
          onClose={() => palm.askCancel()}
        />
      )}
    </>
  );
}
