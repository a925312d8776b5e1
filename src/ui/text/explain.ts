// Failures in words for people. Anything but a PalmError is a bug, and is named as one instead of being
// hidden.

import { isPalmError } from '../../core/model/errors.ts';
import { words } from './words.ts';

/** What to show for `error`. */
export function explain(error: unknown): string {
  if (isPalmError(error)) return words.errorText(error.failure);
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return words.messages.unexpected(detail);
}

/** Whether the person cancelled: nothing to explain then. */
export function isCancelled(error: unknown): boolean {
  return isPalmError(error, 'cancelled') || (error instanceof Error && error.name === 'AbortError');
}
