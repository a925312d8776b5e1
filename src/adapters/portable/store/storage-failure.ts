// What a disk's failure means, in whichever words an engine or system tells it.

import { isWrongCall } from '../../../core/model/bug.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';

/** How engines and systems word it, where they have only words for it. */
const NO_ROOM = /\b(?:ENOSPC|EDQUOT)\b|no space left|disk (?:is )?full|NO_SPACE/iu;
/** What Chromium (seen in 156) says on a full disk, without naming it; it says the same of other faults. */
const NAMES_OF_FULL_DISK = ['UnknownError', 'AbortError'];

/** A disk's failure as a PalmError with its cause; a bug as it is. */
export function storageFailure(cause: unknown): Error {
  if (isPalmError(cause)) return cause;
  if (cause instanceof Error && isWrongCall(cause)) return cause;
  if (cause instanceof Error && (cause.name === 'QuotaExceededError' || NO_ROOM.test(cause.message))) {
    return new PalmError({ code: 'storage-full', reason: 'device' }, { cause });
  }
  const name = cause instanceof Error ? cause.name : undefined;
  const mayBeFull = name !== undefined && NAMES_OF_FULL_DISK.includes(name);
  return new PalmError({ code: 'storage-failed', reason: 'database', detail: name, mayBeFull }, { cause });
}
