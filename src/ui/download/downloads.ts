// The downloads that this page runs, by file. One at a time for each file; a failure is raised with a way to try again.

import { signal, type ReadonlySignal } from '@preact/signals';
import type { FileStatus, Pool } from '../../runtime/api.ts';
import { explain, isCancelled } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import type { Alerts } from '../work/alerts.ts';
import { saveFile } from './save-file.ts';

export class Downloads {
  readonly #pool: Pick<Pool, 'read'>;
  readonly #alerts: Alerts;
  readonly #running = signal<ReadonlyMap<string, FileStatus>>(new Map());
  readonly #controllers = new Map<string, AbortController>();

  constructor(pool: Pick<Pool, 'read'>, alerts: Alerts) {
    this.#pool = pool;
    this.#alerts = alerts;
  }

  /** By file id, in the order they were started. */
  get running(): ReadonlySignal<ReadonlyMap<string, FileStatus>> {
    return this.#running;
  }

  /** Call it within the user's gesture: a picker may open. Never rejects. */
  async start(file: FileStatus): Promise<void> {
    if (this.#controllers.has(file.fileId)) return;
    const controller = new AbortController();
    this.#controllers.set(file.fileId, controller);
    this.#running.value = new Map([...this.#running.value, [file.fileId, file]]);
    try {
      await saveFile(this.#pool, file, controller.signal);
    } catch (error) {
      if (!isCancelled(error)) {
        const text = `“${shownName(file.name)}” was not downloaded. ${explain(error)}`;
        this.#alerts.raise(text, () => void this.start(file));
      }
    } finally {
      this.#controllers.delete(file.fileId);
      const rest = new Map(this.#running.value);
      rest.delete(file.fileId);
      this.#running.value = rest;
    }
  }

  cancel(fileId: string): void {
    this.#controllers.get(fileId)?.abort();
  }
}
