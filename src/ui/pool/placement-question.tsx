// Asked once, where a device is always on: whether files are placed around it. Whoever may change the pool's
// settings is asked, until somebody of the pool chose.

import { useSignal } from '@preact/signals';
import type { Placement } from '../../core/model/policy.ts';
import type { PalmStatus } from '../../runtime/api.ts';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { alwaysOnNames } from '../text/always-on-names.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function PlacementQuestion() {
  const { palm, said } = usePage();
  const names = useStatus(askedAbout);
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  if (names === '') return null;
  const choose = async (placement: Placement): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      await palm.setPolicy({ placement });
      said.value = words.placement.saved;
      document.querySelector<HTMLElement>('h1')?.focus();
    } catch (error) {
      trouble.value = explain(error);
    }
    isBusy.value = false;
  };
  return (
    <section class="message question" aria-labelledby="placement-question">
      <h2 id="placement-question">{words.placement.question}</h2>
      <p>{words.placement.offer(names)}</p>
      <p>{words.placement.price(names)}</p>
      <p class="hint">{words.placement.spreadMeans}</p>
      <Trouble text={trouble.value} />
      <div class="dialog-actions">
        <button
          type="button"
          class="button primary"
          disabled={isBusy.value}
          onClick={() => void choose('anchored')}
        >
          {words.placement.anchored}
        </button>
        <button type="button" class="button" disabled={isBusy.value} onClick={() => void choose('spread')}>
          {words.placement.spread}
        </button>
      </div>
    </section>
  );
}

/** The names of the devices that would be anchors; '' when nothing is to be asked. */
function askedAbout({ pool, role, devices }: PalmStatus): string {
  const isOpen = pool !== undefined && pool.placement === undefined;
  const mayChange = pool?.epoch === undefined || role === 'admin';
  return isOpen && mayChange ? alwaysOnNames(devices) : '';
}
