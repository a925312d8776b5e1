// Which bytes of a file a reader asks for.

import { PalmError } from '../../core/model/errors.ts';
import type { ReadOptions } from '../api.ts';

/** `end` is exclusive. @throws PalmError 'bad-argument' when it is not within the file. */
export function rangeOf(
  manifest: { readonly size: number },
  options: ReadOptions,
): { start: number; end: number } {
  const { start = 0, end = manifest.size } = options;
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end < start || end > manifest.size) {
    throw new PalmError({ code: 'bad-argument', reason: 'range', start, end, size: manifest.size });
  }
  return { start, end };
}
