// A name that a person gives a pool or a device.

import { utf8Length } from '../core/encoding/decode.ts';
import { PalmError } from '../core/model/errors.ts';
import { hasVisibleCharacters } from '../core/model/visible-name.ts';

/** Without spaces at its ends. @throws PalmError 'bad-argument' when it cannot be shown or kept. */
export function checkedName(of: 'pool' | 'device', name: string, maxBytes: number): string {
  const trimmed = name.trim();
  if (trimmed === '') throw new PalmError({ code: 'bad-argument', reason: 'no-name', of });
  if (!hasVisibleCharacters(trimmed))
    throw new PalmError({ code: 'bad-argument', reason: 'invisible-name', of });
  if (/\p{Surrogate}/u.test(trimmed) || utf8Length(trimmed) > maxBytes) {
    throw new PalmError({ code: 'bad-argument', reason: 'long-name', of, maxBytes });
  }
  return trimmed;
}
