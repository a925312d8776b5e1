// Files that people add wait here and are stored a few at a time, small ones by the dozen. Nothing leaves the
// queue silently: an item ends stored, cancelled by the person, or failed with its reason and a way to try
// again. Bounded by MAX_QUEUED_FILES.

import { signal, type ReadonlySignal } from '@preact/signals';
import type { Palm, StoreOptions } from '../../runtime/api.ts';
import { explain, isCancelled } from '../text/explain.ts';

/** A file to add: its bytes, and the folder it came from ('' for none, '/'-separated). */
export interface AddedFile {
  readonly file: File;
  readonly path: string;
  /** Where the browser gave one: with it a later page can continue without asking for the file. */
  readonly handle?: FileSystemFileHandle;
}

export type QueueState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'storing' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface QueueItem extends AddedFile {
  readonly id: number;
  readonly private: boolean;
  readonly state: QueueState;
}

/** What the queue reports about a stored file. */
export interface Stored {
  readonly name: string;
  readonly deduplicated: boolean;
  /** A private file's link, which nothing else keeps. */
  readonly link?: string;
}

/** Two keep the codec and the links busy; more would only slow each other down. */
export const MAX_STORING = 2;
/**
 * Small files mostly wait for disks and answers: this many run together while their total is below that,
 * bytes.
 */
export const MAX_SMALL_STORING = 32;
const SMALL_STORING_BYTES = 2 * 2 ** 20;
/** Handles, not bytes, are kept; a larger folder is better split. */
export const MAX_QUEUED_FILES = 10_000;

export class StoreQueue {
  readonly #palm: Pick<Palm, 'store'>;
  readonly #onStored: (stored: Stored) => void;
  readonly #items = signal<readonly QueueItem[]>([]);
  readonly #controllers = new Map<number, AbortController>();
  #nextId = 1;

  constructor(palm: Pick<Palm, 'store'>, onStored: (stored: Stored) => void) {
    this.#palm = palm;
    this.#onStored = onStored;
  }

  /** In the order they were added. Stored items are no longer in it. */
  get items(): ReadonlySignal<readonly QueueItem[]> {
    return this.#items;
  }

  /** Queues `added`; returns how many did not fit and were not taken. */
  add(added: readonly AddedFile[], isPrivate: boolean): number {
    const room = Math.max(0, MAX_QUEUED_FILES - this.#items.value.length);
    const taken = added.slice(0, room).map((one) => ({
      ...one,
      id: this.#nextId++,
      private: isPrivate,
      state: { kind: 'waiting' as const },
    }));
    this.#items.value = [...this.#items.value, ...taken];
    this.#fill();
    return added.length - taken.length;
  }

  /** Takes the item out, whatever its state. */
  cancel(id: number): void {
    this.#remove(id);
    this.#controllers.get(id)?.abort();
    this.#fill();
  }

  /** Cancels all that has not failed. */
  cancelAll(): void {
    const open = this.#items.value.filter((item) => item.state.kind !== 'failed');
    this.#items.value = this.#items.value.filter((item) => item.state.kind === 'failed');
    for (const item of open) this.#controllers.get(item.id)?.abort();
  }

  /** Puts a failed item back in line. */
  retry(id: number): void {
    // A row that is drawn late may be pressed twice.
    if (this.#items.value.find((item) => item.id === id)?.state.kind !== 'failed') return;
    this.#set(id, { kind: 'waiting' });
    this.#fill();
  }

  #fill(): void {
    const storing = this.#items.value.filter((item) => item.state.kind === 'storing');
    let storingCount = this.#controllers.size;
    let storingBytes = storing.reduce((sum, { file }) => sum + file.size, 0);
    for (const item of this.#items.value) {
      if (storingCount >= MAX_SMALL_STORING) break;
      if (item.state.kind !== 'waiting') continue;
      if (storingCount >= MAX_STORING && storingBytes + item.file.size > SMALL_STORING_BYTES) break;
      storingCount += 1;
      storingBytes += item.file.size;
      void this.#store(item);
    }
  }

  /** Never rejects: a failure becomes the item's state. */
  async #store(item: QueueItem): Promise<void> {
    const controller = new AbortController();
    this.#controllers.set(item.id, controller);
    this.#set(item.id, { kind: 'storing' });
    try {
      const result = await this.#palm.store(item.file, optionsOf(item, controller.signal));
      this.#remove(item.id);
      const { deduplicated, link } = result;
      this.#onStored({ name: item.file.name, deduplicated, ...(link === undefined ? {} : { link }) });
    } catch (error) {
      // A cancel in the transfer's own row counts as much as one in the queue's.
      if (isCancelled(error)) this.#remove(item.id);
      else this.#set(item.id, { kind: 'failed', reason: explain(error) });
    } finally {
      this.#controllers.delete(item.id);
      this.#fill();
    }
  }

  #set(id: number, state: QueueState): void {
    this.#items.value = this.#items.value.map((item) => (item.id === id ? { ...item, state } : item));
  }

  #remove(id: number): void {
    this.#items.value = this.#items.value.filter((item) => item.id !== id);
  }
}

function optionsOf(item: QueueItem, aborting: AbortSignal): StoreOptions {
  return {
    name: item.file.name,
    path: item.path,
    private: item.private,
    signal: aborting,
    ...(item.handle === undefined ? {} : { handle: item.handle }),
    ...(item.file.type === '' ? {} : { mime: item.file.type }),
  };
}
