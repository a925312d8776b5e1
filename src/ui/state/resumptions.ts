// Stores that an earlier page, or a full disk, interrupted and that this page continues. Each runs
// immediately and shows as a transfer. One that fails returns to the unfinished ones with the reason, or
// raises an alert when it is gone.

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Palm, UnfinishedStatus } from '../../runtime/api.ts';
import { explain, isCancelled } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import type { Alerts } from '../alerts.ts';
import type { Stored } from './store-queue.ts';
import { words } from '../text/words.ts';

interface ResumptionsOptions {
  readonly palm: Pick<Palm, 'resumeStore' | 'discardStore' | 'status'>;
  readonly alerts: Alerts;
  readonly onStored: (stored: Stored) => void;
}

export class Resumptions {
  readonly #options: ResumptionsOptions;
  readonly #reasons = signal<ReadonlyMap<string, string>>(new Map());
  readonly #runningCount = signal(0);

  constructor(options: ResumptionsOptions) {
    this.#options = options;
  }

  /** Why a store could not be continued, by its id. */
  get reasons(): ReadonlySignal<ReadonlyMap<string, string>> {
    return this.#reasons;
  }

  get runningCount(): ReadonlySignal<number> {
    return this.#runningCount;
  }

  /** Continues those whose files the browser still lets Palm read. */
  continueAll(): void {
    const { unfinished } = this.#options.palm.status();
    for (const one of unfinished) if (one.needs === 'nothing') void this.continue(one);
  }

  /**
   * With the file that the person chose again, or within a gesture in which the browser may ask. Never
   * rejects.
   */
  async continue({ id, name }: UnfinishedStatus, file?: File): Promise<void> {
    const { palm, onStored } = this.#options;
    this.#explain(id, undefined);
    this.#runningCount.value += 1;
    try {
      const { fileId, deduplicated, link } = await palm.resumeStore(id, file);
      const stored = palm.status().files.find((one) => one.fileId === fileId);
      onStored({ name: stored?.name ?? name, deduplicated, ...(link === undefined ? {} : { link }) });
    } catch (error) {
      if (!isCancelled(error)) this.#failed(id, name, error);
    } finally {
      this.#runningCount.value -= 1;
    }
  }

  /** Never rejects. */
  async discard({ id, name }: UnfinishedStatus): Promise<void> {
    this.#explain(id, undefined);
    try {
      await this.#options.palm.discardStore(id);
    } catch (error) {
      this.#failed(id, name, error);
    }
  }

  #failed(id: string, name: string, error: unknown): void {
    const { palm, alerts } = this.#options;
    const isThere = palm.status().unfinished.some((one) => one.id === id);
    if (isThere) this.#explain(id, explain(error));
    else alerts.raise(words.messages.notStored(shownName(name), explain(error)));
  }

  #explain(id: string, reason: string | undefined): void {
    const reasons = new Map(this.#reasons.value);
    if (reason === undefined) reasons.delete(id);
    else reasons.set(id, reason);
    this.#reasons.value = reasons;
  }
}
