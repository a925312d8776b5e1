// The decisions about downloads: where a file goes, what a failure means, how long to wait, what to tell the
// person. Pure.

import { isPalmError } from '../../core/model/errors.ts';
import type { FileStatus } from '../../runtime/api.ts';
import { shownName } from '../text/file-name.ts';
import { explain, isCancelled } from '../text/explain.ts';
import { words } from '../text/words.ts';

/** Up to this size a file is gathered in memory: reading it keeps more in flight anyway. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** The most that any phone can hold in memory once: the limit where there is no disk to gather on. */
const MEMORY_BYTES = 64 * 1024 * 1024;
/**
 * Up to this size a plain download is worth its second copy on the disk, because it asks no question. Above
 * it people are asked where to save, if the browser can write there directly.
 */
const PLAIN_BYTES = 64 * 1024 * 1024;

/**
 * The best destination of a new download. The browser's handle of a picked file has its name and cannot be
 * erased, so a private file is kept until it is whole, whatever its size.
 */
export function placeFor({
  size,
  private: isPrivate,
}: Pick<FileStatus, 'size' | 'private'>): 'memory' | 'kept' | 'picked' {
  if (size <= SMALL_BYTES) return 'memory';
  return isPrivate || size <= PLAIN_BYTES ? 'kept' : 'picked';
}

export function fitsMemory(size: number): boolean {
  return size <= MEMORY_BYTES;
}

/** What a failed attempt means for its download. */
export type Verdict =
  /** The person cancelled it, or left the pool: nothing of it stays, and nothing needs saying. */
  | 'drop'
  /** The pool no longer has the file. */
  | 'gone'
  /** It continues when devices, or the file's link, are back. */
  | 'wait'
  /** Another attempt may help immediately. */
  | 'again'
  /** The person must do something first. */
  | 'stop'
  /** It cannot be done in this browser. */
  | 'fail';

export function verdictOf(error: unknown): Verdict {
  if (isCancelled(error)) return 'drop';
  if (!isPalmError(error)) return 'stop';
  switch (error.code) {
    case 'not-in-pool':
      return 'drop';
    case 'removed-file':
    case 'unknown-file':
      return 'gone';
    case 'not-enough-fragments':
    case 'link-closed':
    case 'deadline':
    case 'refused':
    case 'link-needed':
      return 'wait';
    case 'worker-failed':
      return 'again';
    case 'unsupported':
      return 'fail';
    default:
      return 'stop';
  }
}

/** Why a download waits, if devices that are linked do not answer. */
export function silenceText(error: unknown): string | undefined {
  const isSilence = isPalmError(error) && error.failure.code === 'not-enough-fragments';
  return isSilence && error.failure.silent.length > 0 ? explain(error) : undefined;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** The wait before the next attempt, ms, after `failureCount` (from 1) attempts that brought no byte. */
export function pauseAfter(failureCount: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.max(0, failureCount - 1));
}

/** The obstacle to reading `file` now. */
export function needOf(file: Pick<FileStatus, 'openable' | 'reach' | 'k'>): 'nothing' | 'link' | 'devices' {
  if (!file.openable) return 'link';
  return file.reach >= file.k ? 'nothing' : 'devices';
}

/** A file as messages name it; `name` is '' while a private file's is unknown. */
interface Named {
  readonly name: string;
}

export function savedText({ name }: Named, destination: 'kept' | 'picked'): string {
  return destination === 'picked' ? words.downloads.saved(shown(name)) : words.downloads.handed(shown(name));
}

export function goneText({ name }: Named): string {
  return words.downloads.gone(shown(name));
}

export function failedText({ name }: Named, error: unknown): string {
  return words.downloads.failed(shown(name), explain(error));
}

/** A stopped download, in its row. */
export function stoppedText(error: unknown, keptBytes: number): string {
  return words.downloads.stopped(explain(error), keptBytes);
}

export function leftoverText({ name }: Named, error: unknown): string {
  return words.downloads.leftover(shown(name), explain(error));
}

/** More bytes, or fewer, than the file has, from a read that ended well. */
export function wrongSizeText(
  { name, size }: Named & { readonly size: number },
  arrivedBytes: number,
): string {
  return words.downloads.wrongSize(shown(name), size, arrivedBytes);
}

const KEPT_AT_LEAST_MS = 10 * 60_000;
/**
 * A slow memory card, bytes per ms: the browser copies the kept file to its downloads, and does not say when
 * it is done.
 */
const SLOW_COPY_BYTES_PER_MS = 5_000;

/**
 * How much longer the kept file stays when by the wall clock `passedMs` passed since it was handed over, ms.
 * The clock may have been set in between: forward, and the browser may have only begun to copy; or back.
 */
export function leftOfKeepingMs(size: number, passedMs: number): number {
  const copyingMs = size / SLOW_COPY_BYTES_PER_MS;
  const keptMs = KEPT_AT_LEAST_MS + copyingMs;
  return Math.min(keptMs, Math.max(copyingMs, keptMs - passedMs));
}

function shown(name: string): string | undefined {
  return name === '' ? undefined : shownName(name);
}
