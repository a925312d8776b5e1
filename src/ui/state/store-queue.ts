// Files that people add wait here and are stored a few at a time, small ones by the dozen. Nothing leaves the
// queue silently: an item ends stored, cancelled by the person, or failed with its reason and, where the
// browser can, a way to try again. What could not be read of a drop is an item that has failed already.
// Bounded by MAX_QUEUED_FILES.

import { signal, type ReadonlySignal } from '@preact/signals';
import { MAX_SMALL_STORES, SMALL_STORES_BYTES } from '../../core/model/limits.ts';
import type { Palm, StoreOptions } from '../../runtime/api.ts';
import { explain, isCancelled } from '../text/explain.ts';
import { MAX_QUEUED_FILES, type Added, type AddedFile, type Reread, type UnreadEntry } from './added.ts';

export type QueueState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'storing' }
  | { readonly kind: 'failed'; readonly reason: string };

export interface QueueItem {
  readonly id: number;
  /** '' when the browser did not say. */
  readonly name: string;
  readonly path: string;
  readonly size: number;
  readonly isFolder: boolean;
  readonly private: boolean;
  /** Undefined while it must be read, or read again, before it can be stored. */
  readonly file: File | undefined;
  readonly handle: FileSystemFileHandle | undefined;
  readonly reread: Reread | undefined;
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

interface QueueOptions {
  readonly palm: Pick<Palm, 'store'>;
  readonly onStored: (stored: Stored) => void;
  /** Called with the number of files that did not fit and were not taken. */
  readonly onLeftOut: (count: number) => void;
}

export class StoreQueue {
  readonly #options: QueueOptions;
  readonly #items = signal<readonly QueueItem[]>([]);
  readonly #controllers = new Map<number, AbortController>();
  #nextId = 1;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  /** In the order they were added. Stored items are no longer in it. */
  get items(): ReadonlySignal<readonly QueueItem[]> {
    return this.#items;
  }

  add(added: Added, isPrivate: boolean): void {
    const items = this.#items.value;
    const taken = this.#itemsOf(added, isPrivate, MAX_QUEUED_FILES - items.length);
    this.#items.value = [...items, ...taken.map(unreadIfEmpty)];
    this.#fill();
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

  /** Forgets all that has failed. */
  clearFailed(): void {
    this.#items.value = this.#items.value.filter((item) => item.state.kind !== 'failed');
  }

  /** Puts a failed item back in line. */
  retry(id: number): void {
    // A row that is drawn late may be pressed twice.
    this.#items.value = this.#items.value.map((item) => (item.id === id ? backInLine(item) : item));
    this.#fill();
  }

  /** Puts all failed items back in line. */
  retryFailed(): void {
    this.#items.value = this.#items.value.map(backInLine);
    this.#fill();
  }

  /** `added` as items, at most `room` of them; reports the others. */
  #itemsOf({ files, unread, beyondCount }: Added, isPrivate: boolean, room: number): readonly QueueItem[] {
    const items = [...files.map(fileItem), ...unread.map(unreadItem)];
    const taken = items.slice(0, Math.max(0, room));
    const leftCount = items.length - taken.length + beyondCount;
    if (leftCount > 0) this.#options.onLeftOut(leftCount);
    return taken.map((item) => ({ ...item, id: this.#nextId++, private: isPrivate }));
  }

  #fill(): void {
    const storing = this.#items.value.filter((item) => item.state.kind === 'storing');
    let storingCount = this.#controllers.size;
    let storingBytes = storing.reduce((sum, { size }) => sum + size, 0);
    for (const item of this.#items.value) {
      if (storingCount >= MAX_SMALL_STORES) break;
      if (item.state.kind !== 'waiting') continue;
      if (storingCount >= MAX_STORING && storingBytes + item.size > SMALL_STORES_BYTES) break;
      storingCount += 1;
      storingBytes += item.size;
      void this.#run(item);
    }
  }

  /** Never rejects: a failure becomes the item's state. */
  async #run(item: QueueItem): Promise<void> {
    const controller = new AbortController();
    this.#controllers.set(item.id, controller);
    this.#set(item.id, { kind: 'storing' });
    try {
      if (item.file !== undefined) await this.#store(item, item.file, controller.signal);
      else await this.#reread(item);
    } catch (error) {
      // A cancel in the transfer's own row counts as much as one in the queue's.
      if (isCancelled(error)) this.#remove(item.id);
      else this.#set(item.id, { kind: 'failed', reason: explain(error) });
    } finally {
      this.#controllers.delete(item.id);
      this.#fill();
    }
  }

  async #store(item: QueueItem, file: File, aborting: AbortSignal): Promise<void> {
    const result = await this.#options.palm.store(file, optionsOf(item, file, aborting));
    this.#remove(item.id);
    const { deduplicated, link } = result;
    this.#options.onStored({ name: item.name, deduplicated, ...(link === undefined ? {} : { link }) });
  }

  /** Puts what the entry is now in its place: it waits for its turn, or has failed again. */
  async #reread({ id, reread, private: isPrivate }: QueueItem): Promise<void> {
    const added = await reread?.();
    const items = this.#items.value;
    const at = items.findIndex((item) => item.id === id);
    // Cancelled in the meantime.
    if (at === -1 || added === undefined) return;
    const others = [...items];
    const now = this.#itemsOf(added, isPrivate, MAX_QUEUED_FILES - (items.length - 1));
    others.splice(at, 1, ...now);
    this.#items.value = others;
  }

  #set(id: number, state: QueueState): void {
    this.#items.value = this.#items.value.map((item) => (item.id === id ? { ...item, state } : item));
  }

  #remove(id: number): void {
    this.#items.value = this.#items.value.filter((item) => item.id !== id);
  }
}

/**
 * Chromium never looks at the disk again for a `File` that was empty when a drop gave it: what was written to
 * it since would be lost without a word. So it is read again when its turn comes.
 */
function unreadIfEmpty(item: QueueItem): QueueItem {
  return item.size === 0 && item.reread !== undefined ? { ...item, file: undefined } : item;
}

function backInLine(item: QueueItem): QueueItem {
  const { state, file, reread } = item;
  // Without a file and a way to read it again there is nothing to try.
  if (state.kind !== 'failed' || !canRetry(item)) return item;
  return { ...item, state: { kind: 'waiting' }, file: reread === undefined ? file : undefined };
}

/** Whether there is something to try again. */
export function canRetry({ file, reread }: QueueItem): boolean {
  return file !== undefined || reread !== undefined;
}

type NewItem = Omit<QueueItem, 'id' | 'private'>;

function fileItem({ file, path, handle, reread }: AddedFile): NewItem {
  const { name, size } = file;
  return { name, path, size, isFolder: false, file, handle, reread, state: { kind: 'waiting' } };
}

function unreadItem({ name, path, isFolder, failure, reread }: UnreadEntry): NewItem {
  const state = { kind: 'failed', reason: explain(failure) } as const;
  return { name, path, size: 0, isFolder, file: undefined, handle: undefined, reread, state };
}

function optionsOf(item: QueueItem, file: File, aborting: AbortSignal): StoreOptions {
  return {
    name: item.name,
    path: item.path,
    private: item.private,
    signal: aborting,
    ...(item.handle === undefined ? {} : { handle: item.handle }),
    ...(file.type === '' ? {} : { mime: file.type }),
  };
}
