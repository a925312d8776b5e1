// Leaving the pool, from a press of the button to the end: handing over goes on when its dialog is closed,
// and is shown on the pool's screen then.

import { signal } from '@preact/signals';
import type { Palm } from '../../runtime/api.ts';
import type { Alerts } from '../alerts.ts';
import { explain, isCancelled } from '../text/explain.ts';
import type { Removals } from './removals.ts';

interface LeavingOptions {
  readonly palm: Pick<Palm, 'leave'>;
  readonly removals: Pick<Removals, 'commit'>;
  readonly alerts: Pick<Alerts, 'raise'>;
}

export class Leaving {
  readonly phase = signal<'not' | 'now' | 'handing-over'>('not');
  /** Why the last attempt failed, for the dialog; '' for no reason. */
  readonly trouble = signal('');
  readonly isDialogOpen = signal(false);
  readonly #options: LeavingOptions;
  #staying: AbortController | undefined;

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  /** Resolves when this device has left or stays after all. A failure is shown, and not thrown. */
  async leave(handOver: boolean): Promise<void> {
    if (this.phase.value !== 'not') return;
    const { palm, removals, alerts } = this.#options;
    this.#staying = new AbortController();
    this.phase.value = handOver ? 'handing-over' : 'now';
    this.trouble.value = '';
    try {
      removals.commit();
      await palm.leave({ handOver, signal: this.#staying.signal });
    } catch (error) {
      if (isCancelled(error)) return;
      if (this.isDialogOpen.value) this.trouble.value = explain(error);
      else alerts.raise(explain(error));
    } finally {
      this.phase.value = 'not';
    }
  }

  /** Ends the handing over: this device stays. */
  stay(): void {
    this.#staying?.abort();
  }
}
