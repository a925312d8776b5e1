// What a dialog does when its button is pressed: one thing at a time, after which the dialog goes away. If it
// fails, the dialog stays, says why, and can be asked again.

import { type ReadonlySignal, useSignal } from '@preact/signals';
import { explain } from '../text/explain.ts';

export interface DialogWork {
  /** Stays true once the work is done: nothing is pressed twice while the dialog goes away. */
  readonly isBusy: ReadonlySignal<boolean>;
  /** Why the last work failed, as a sentence; empty while nothing did. */
  readonly trouble: ReadonlySignal<string>;
  /** Never rejects. `work` ends with what closes the dialog. */
  readonly run: (work: () => Promise<void>) => Promise<void>;
}

export function useDialogWork(): DialogWork {
  const isBusy = useSignal(false);
  const trouble = useSignal('');
  const run = async (work: () => Promise<void>): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      await work();
    } catch (error) {
      trouble.value = explain(error);
      isBusy.value = false;
    }
  };
  return { isBusy, trouble, run };
}
