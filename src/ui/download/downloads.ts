// The downloads of this page, by file. Several run at a time; they wait for devices and links without help,
// and continue after a reload with the bytes on the disk.
//
// Invariants: a file has at most one download; nothing is delivered unless every byte arrived; a download
// ends delivered, cancelled by the person, or with an alert that gives the reason; whatever it leaves on the
// disk has a record.

import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { WallMs } from '../../core/model/time.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { FileStatus, Palm, PalmStatus } from '../../runtime/api.ts';
import { explain, isCancelled } from '../text/explain.ts';
import { savedName } from '../text/file-name.ts';
import type { Alerts } from '../alerts.ts';
import { type Attempt, attemptDownload } from './attempt.ts';
import { Deletions } from './deletions.ts';
import * as rules from './download-rules.ts';
import type { BrowserSaving, DownloadStore, SavedDownload } from './download-store.ts';
import { HandedFiles } from './handed-files.ts';
import { MemoryFile } from './memory-file.ts';
import { words } from '../text/words.ts';

export type DownloadState =
  /** Others come first. */
  | { readonly kind: 'queued' }
  | { readonly kind: 'running' }
  /** It continues without help. */
  | { readonly kind: 'waiting'; readonly need: 'devices' | 'link'; readonly reason?: string }
  /** It continues when the person says so. */
  | { readonly kind: 'stopped'; readonly reason: string };

export interface DownloadView {
  readonly fileId: string;
  readonly name: string;
  readonly size: number;
  /** Bytes already here, without those of a running read. */
  readonly arrivedBytes: number;
  readonly state: DownloadState;
}

export interface DownloadsOptions {
  readonly palm: Pick<Palm, 'read'>;
  readonly status: ReadonlySignal<PalmStatus>;
  readonly store: DownloadStore;
  readonly saving: BrowserSaving;
  readonly alerts: Alerts;
  /** Shows a passing message. */
  readonly say: (text: string) => void;
  /** ms since the Unix epoch. */
  readonly nowMs: () => WallMs;
  /** Calls back after `delayMs`; returns a function that cancels it. */
  readonly delay: (delayMs: number, callback: () => void) => () => void;
}

interface Entry {
  readonly fileId: string;
  name: string;
  readonly size: number;
  destination: SavedDownload['destination'] | MemoryFile;
  state: DownloadState;
  arrivedBytes: number;
  /** Attempts in a row that brought no byte. */
  failureCount: number;
  /** Cancels the pause before the next attempt; undefined when there is none. */
  endPause: (() => void) | undefined;
  /** Ends the running attempt. */
  stopper: AbortController;
  /** Settles, without an error, when no attempt runs. */
  work: Promise<void>;
}

/** Three keep any link busy; each has some segments in memory. */
const MAX_RUNNING = 3;
/** More than this at once is a folder, not a download. */
export const MAX_DOWNLOADS = 100;
/** A worker that dies more often than this without a byte in between will not recover. */
const MAX_QUIET_RETRIES = 2;

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #views = signal<readonly DownloadView[]>([]);
  readonly #entries = new Map<string, Entry>();
  /** Files whose picker is open. */
  readonly #choosing = new Set<string>();
  readonly #deletions: Deletions;
  readonly #handed: HandedFiles;
  #restored: Promise<void>;
  readonly #stopWatching: () => void;
  #closed = false;

  /** Resumes the downloads of earlier pages. */
  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#deletions = new Deletions(options.store);
    this.#handed = new HandedFiles({ ...options, deletions: this.#deletions });
    this.#restored = this.#restore();
    this.#stopWatching = effect(() => {
      const status = options.status.value;
      // Changes of downloads must not run this effect again.
      queueMicrotask(() => this.#look(status));
    });
  }

  /** In the order in which they were started. */
  get list(): ReadonlySignal<readonly DownloadView[]> {
    return this.#views;
  }

  /** Call it within the person's gesture: a picker may open. Never rejects. */
  async start(file: FileStatus): Promise<void> {
    const { fileId, size } = file;
    if (this.#choosing.has(fileId)) return;
    this.#choosing.add(fileId);
    try {
      await this.#restored;
      if (this.#entries.has(fileId)) return await this.continue(fileId);
      if (this.#handed.has(fileId) && (await this.#handed.handOverAgain(file))) return;
      if (this.#entries.size >= MAX_DOWNLOADS) {
        this.#options.alerts.raise(words.downloads.tooMany(MAX_DOWNLOADS));
        return;
      }
      const destination = await this.#begin(file);
      this.#add({ fileId, name: file.name, size, destination, state: { kind: 'queued' }, arrivedBytes: 0 });
      this.#look(this.#options.status.peek());
    } catch (error) {
      if (isCancelled(error)) return;
      this.#options.alerts.raise(rules.failedText(file, error), () => void this.start(file));
    } finally {
      this.#choosing.delete(fileId);
    }
  }

  /**
   * Lets a stopped download continue, and a waiting one try now. Call it within the person's gesture. Never
   * rejects.
   */
  async continue(fileId: string): Promise<void> {
    const entry = this.#entries.get(fileId);
    if (entry === undefined || entry.state.kind === 'running') return;
    this.#endPause(entry);
    if (entry.state.kind === 'stopped') {
      if (!(await this.#mayWrite(entry, true))) return;
      entry.failureCount = 0;
      this.#set(entry, { kind: 'queued' });
    }
    this.#look(this.#options.status.peek());
  }

  /** Cancels it, and deletes the bytes that arrived. */
  cancel(fileId: string): void {
    const entry = this.#entries.get(fileId);
    if (entry === undefined) return;
    this.#discard(entry);
    // The next download gets its turn.
    this.#look(this.#options.status.peek());
  }

  /** Another tab has ended: its downloads go on here. */
  takeUp(): void {
    this.#restored = this.#restored.then(() => this.#restore());
  }

  /** The page ends: durable bytes stay, and the next page continues. */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.#handed.close();
    for (const entry of this.#entries.values()) {
      this.#endPause(entry);
      entry.stopper.abort();
    }
  }

  /** Never rejects. */
  async #restore(): Promise<void> {
    try {
      for (const saved of await this.#options.store.list()) {
        const { fileId, size, destination, durableBytes, handedAtMs } = saved;
        if (this.#entries.has(fileId) || this.#handed.has(fileId)) continue;
        if (handedAtMs !== undefined) {
          this.#handed.keep(fileId, size, handedAtMs);
          continue;
        }
        // Stopped until it is known that it may continue.
        const state = { kind: 'stopped', reason: words.downloads.permission } as const;
        // Its name is not on the disk. The pool's status brings it, if the pool still has the file.
        const entry = this.#add({ fileId, name: '', size, destination, state, arrivedBytes: durableBytes });
        if (destination === 'kept' || (await this.#mayWrite(entry, false)))
          this.#set(entry, { kind: 'queued' });
      }
    } catch (error) {
      this.#options.alerts.raise(words.downloads.notTakenUp(explain(error)));
    }
    this.#look(this.#options.status.peek());
  }

  /** Never rejects: trouble with the file stops the download. */
  async #mayWrite(entry: Entry, ask: boolean): Promise<boolean> {
    if (entry.destination !== 'picked') return true;
    try {
      return await this.#options.store.mayWrite(entry.fileId, ask);
    } catch (error) {
      this.#stop(entry, error);
      return false;
    }
  }

  /** @throws DOMException 'AbortError' when the person closes the picker; PalmError of the store. */
  async #begin(file: FileStatus): Promise<Entry['destination']> {
    const { store, saving, nowMs } = this.#options;
    const { fileId, size } = file;
    const best = rules.placeFor(file);
    if (best === 'memory') return new MemoryFile();
    // First of all: the browser opens it only shortly after the gesture.
    const picked = best === 'picked' ? await saving.pick(savedName(file.name)) : undefined;
    await this.#deletions.settled(fileId);
    await store.begin({ fileId, size, startedAtMs: nowMs(), picked });
    return picked === undefined ? 'kept' : 'picked';
  }

  #add(start: Pick<Entry, 'fileId' | 'name' | 'size' | 'destination' | 'state' | 'arrivedBytes'>): Entry {
    const entry = {
      ...start,
      failureCount: 0,
      endPause: undefined,
      stopper: new AbortController(),
      work: Promise.resolve(),
    };
    this.#entries.set(start.fileId, entry);
    this.#publish();
    return entry;
  }

  /** Starts downloads that can run now, and ends those of files that left the pool. */
  #look(status: PalmStatus): void {
    if (this.#closed) return;
    if (status.pool === undefined) return this.#forgetAll(status.lock === 'locked');
    let runningCount = 0;
    for (const { state } of this.#entries.values()) if (state.kind === 'running') runningCount++;
    for (const entry of this.#entries.values()) {
      if (entry.state.kind === 'running') continue;
      const file = status.files.find(({ fileId }) => fileId === entry.fileId);
      if (file === undefined) {
        this.#gone(entry);
        continue;
      }
      if (file.name !== '') entry.name = file.name;
      if (entry.state.kind === 'stopped') continue;
      const need = rules.needOf(file);
      if (need !== 'nothing') this.#set(entry, { kind: 'waiting', need });
      else if (entry.endPause !== undefined) continue;
      else if (runningCount >= MAX_RUNNING) this.#set(entry, { kind: 'queued' });
      else {
        runningCount++;
        this.#set(entry, { kind: 'running' });
        entry.work = this.#run(entry);
      }
    }
  }

  /** Never rejects. */
  async #run(entry: Entry): Promise<void> {
    entry.stopper = new AbortController();
    const { palm, store } = this.#options;
    const attempt = await attemptDownload(entry, palm, store, entry.stopper.signal, (arrivedBytes) => {
      entry.arrivedBytes = arrivedBytes;
      this.#publish();
    });
    if (this.#closed || this.#entries.get(entry.fileId) !== entry) return;
    try {
      if (attempt.kind === 'whole') await this.#deliver(entry);
      else this.#judge(entry, attempt);
    } catch (error) {
      if (this.#entries.has(entry.fileId)) this.#stop(entry, error);
      else this.#options.alerts.raise(explain(error));
    }
    this.#look(this.#options.status.peek());
  }

  #judge(entry: Entry, attempt: Exclude<Attempt, { kind: 'whole' }>): void {
    const { alerts } = this.#options;
    if (attempt.kind === 'wrong') {
      this.#discard(entry);
      alerts.raise(rules.wrongSizeText(entry, attempt.arrivedBytes));
      return;
    }
    const { error } = attempt;
    entry.failureCount = attempt.broughtBytes ? 1 : entry.failureCount + 1;
    switch (rules.verdictOf(error)) {
      case 'drop':
        return this.#discard(entry);
      case 'gone':
        return this.#gone(entry);
      case 'fail':
        this.#discard(entry);
        return alerts.raise(rules.failedText(entry, error));
      case 'wait':
        return this.#pause(entry, rules.silenceText(error));
      case 'again':
        return entry.failureCount > MAX_QUIET_RETRIES ? this.#stop(entry, error) : this.#pause(entry);
      case 'stop':
        return this.#stop(entry, error);
    }
  }

  /** @throws PalmError of the store; while the download is still listed it can be tried again. */
  async #deliver(entry: Entry): Promise<void> {
    const { fileId, name, size, destination } = entry;
    const { store, saving, say } = this.#options;
    const whole = destination === 'kept' ? await store.file(fileId) : undefined;
    // Cancelled in the meantime.
    if (this.#entries.get(fileId) !== entry) return;
    if (whole !== undefined && whole.size !== size)
      throw new PalmError({ code: 'storage-failed', reason: 'download-changed' });
    this.#entries.delete(fileId);
    this.#publish();
    if (destination instanceof MemoryFile) return saving.download(destination.whole(), savedName(name));
    say(rules.savedText(entry, destination));
    if (whole === undefined) await store.forget(fileId);
    else await this.#handed.handOver(entry, whole);
  }

  #pause(entry: Entry, reason?: string): void {
    const why = reason === undefined ? {} : { reason };
    this.#set(entry, { kind: 'waiting', need: 'devices', ...why });
    entry.endPause = this.#options.delay(rules.pauseAfter(entry.failureCount), () => {
      entry.endPause = undefined;
      this.#look(this.#options.status.peek());
    });
  }

  #endPause(entry: Entry): void {
    entry.endPause?.();
    entry.endPause = undefined;
  }

  #stop(entry: Entry, error: unknown): void {
    this.#set(entry, { kind: 'stopped', reason: rules.stoppedText(error, entry.arrivedBytes) });
  }

  #gone(entry: Entry): void {
    this.#discard(entry);
    this.#options.alerts.raise(rules.goneText(entry));
  }

  /**
   * What is gathered lies on the disk in the clear. On a locked device, what was delivered stays for its
   * time: the browser may still be copying it.
   */
  #forgetAll(isLocked: boolean): void {
    for (const entry of this.#entries.values()) this.#discard(entry);
    if (!isLocked) this.#handed.dropAll();
  }

  #discard(entry: Entry): void {
    this.#endPause(entry);
    entry.stopper.abort();
    this.#entries.delete(entry.fileId);
    this.#publish();
    if (entry.destination instanceof MemoryFile) return;
    const { destination } = entry;
    this.#deletions.begin(entry.fileId, entry.work, (error) => {
      // A kept file has no record now, and the next page deletes it.
      if (destination === 'picked') this.#options.alerts.raise(rules.leftoverText(entry, error));
    });
  }

  #set(entry: Entry, state: DownloadState): void {
    // The pool's status is renewed many times a second, and mostly changes nothing here.
    if (JSON.stringify(state) === JSON.stringify(entry.state)) return;
    entry.state = state;
    this.#publish();
  }

  #publish(): void {
    const views = [...this.#entries.values()].map(
      ({ fileId, name, size, arrivedBytes, state }): DownloadView => ({
        fileId,
        name,
        size,
        arrivedBytes,
        state,
      }),
    );
    this.#views.value = views;
  }
}
