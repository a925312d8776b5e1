// What it means that a file or folder of this device, which is to be stored, could not be read.

import { PalmError } from './errors.ts';

/**
 * For a platform's refusal to list a folder, or to open a file that nothing was read of yet. File API: a
 * NotFoundError says that it is gone; engines give all other reasons other names.
 */
export function unreadSource(of: 'file' | 'folder', cause: unknown): PalmError {
  const reason = isGone(cause) ? 'gone' : 'unreadable';
  return new PalmError({ code: 'source-changed', reason, of }, { cause });
}

/** For a read of a file that failed, or gave other bytes than the file's size says. */
export function changedSource(cause: unknown): PalmError {
  if (isGone(cause)) return unreadSource('file', cause);
  return new PalmError({ code: 'source-changed', reason: 'while-read' }, { cause });
}

function isGone(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'NotFoundError';
}
