// Failures in words for people. Anything but a PalmError is a bug, and is named as one instead of being
// hidden.

import { bugDetail, isBug } from '../../core/model/bug.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { words } from './words.ts';

/** What to show for `error`. */
export function explain(error: unknown): string {
  if (isPalmError(error) && !isBug(error)) return words.errorText(error.failure);
  return words.messages.unexpected([bugDetail(error), ...placeOf(error)].join(', '));
}

/** Whether `text` is about a bug: it is to be copied into a report. */
export function isAboutBug(text: string): boolean {
  return words.messages.ofBugs.some((mark) => text.includes(mark));
}

/** Where it was thrown: the first line of the stack that names a file, for whoever mends it. */
function placeOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return /[^/\s()]+\.[jt]sx?(?:\?[^:\s]*)?:\d+:\d+/u.exec(stack)?.slice(0, 1) ?? [];
}

/** Whether the person cancelled: nothing to explain then. */
export function isCancelled(error: unknown): boolean {
  return isPalmError(error, 'cancelled') || (error instanceof Error && error.name === 'AbortError');
}
