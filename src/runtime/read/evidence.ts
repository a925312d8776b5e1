// What a failed request says about the device that was asked.

import { isPalmError, type PalmError } from '../../core/model/errors.ts';

/**
 * 'wrong': it gave something else. 'absent': it said that it has none, or that its copy is damaged.
 * Undefined: it may still have what it claims, because it is slow, busy or gone.
 */
export function evidenceOf(error: unknown): 'wrong' | 'absent' | undefined {
  if (isPalmError(error, 'refused')) return 'absent';
  if (isPalmError(error, 'corrupt')) return isItsWord(error) ? 'absent' : 'wrong';
  return isPalmError(error, 'bad-message') ? 'wrong' : undefined;
}

/** Whether a device said itself that its copy is damaged. */
function isItsWord(error: PalmError): boolean {
  return error.failure.code === 'corrupt' && error.failure.reason === 'copy-elsewhere';
}
