// What the parts of the lock's dialog share.

import type { Signal } from '@preact/signals';
import { type Page, usePage } from '../state/page.ts';
import { explain } from '../text/explain.ts';

export interface LockPartProps {
  readonly trouble: Signal<string>;
  readonly busy: Signal<'no' | 'locking' | 'removing'>;
}

/** Locks the device. The screen with this dialog is gone then. */
export function useLock({
  trouble,
  busy,
}: LockPartProps): (work: (page: Pick<Page, 'palm'>) => Promise<void>) => Promise<void> {
  const { palm, removals } = usePage();
  return async (work) => {
    busy.value = 'locking';
    trouble.value = '';
    try {
      removals.commit();
      await work({ palm });
    } catch (error) {
      trouble.value = explain(error);
      busy.value = 'no';
    }
  };
}
