// Failures in words for people. A PalmError's message is already such a text; anything else is a bug, and is named as
// one instead of being hidden.

import { isPalmError } from '../../core/model/errors.ts';

/** What to show for `error`. */
export function explain(error: unknown): string {
  if (isPalmError(error)) return error.message;
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return `Something unexpected happened (${detail}). What your devices hold is untouched; reload and try again.`;
}

/** Whether the person cancelled: nothing to explain then. */
export function isCancelled(error: unknown): boolean {
  return isPalmError(error, 'cancelled') || (error instanceof Error && error.name === 'AbortError');
}
