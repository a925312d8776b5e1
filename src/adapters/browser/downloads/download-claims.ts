// Which tab has which download: each is a lock that the browser gives back when its tab ends. Without Web
// Locks each tab takes all of them.

import { holdLock } from '../page/tab-lock.ts';

const PREFIX = 'palm/download/';

/** Locks of a tab that has just ended are given back one by one, within moments, ms. */
const ENDED_WITHIN_MS = 500;

export class DownloadClaims {
  readonly #own = new Map<string, () => void>();

  /** Whether this tab has the download from now on, until `free` or its own end. */
  async take(fileId: string): Promise<boolean> {
    if (this.#own.has(fileId)) return true;
    const locks: LockManager | undefined = navigator.locks;
    if (locks === undefined) return this.#unlocked(fileId);
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), ENDED_WITHIN_MS);
    try {
      const lock = await holdLock(locks, { signal: waiting.signal }, PREFIX + fileId);
      if (lock !== undefined) this.#own.set(fileId, () => lock.release());
      return lock !== undefined;
    } catch {
      // An engine that refuses its locks is like one without.
      return waiting.signal.aborted ? false : this.#unlocked(fileId);
    } finally {
      clearTimeout(timer);
    }
  }

  #unlocked(fileId: string): boolean {
    this.#own.set(fileId, () => undefined);
    return true;
  }

  /** Whether this tab has it. */
  has(fileId: string): boolean {
    return this.#own.has(fileId);
  }

  free(fileId: string): void {
    this.#own.get(fileId)?.();
    this.#own.delete(fileId);
  }

  /** The files whose downloads any tab has. */
  async taken(): Promise<ReadonlySet<string>> {
    const locks: LockManager | undefined = navigator.locks;
    const { held = [] } = (await locks?.query().catch(() => undefined)) ?? {};
    return new Set(
      held.flatMap(({ name = '' }) => (name.startsWith(PREFIX) ? name.slice(PREFIX.length) : [])),
    );
  }
}
