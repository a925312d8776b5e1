// Fragments and requests as messages name them (FORMATS.md, messages).

import { cidOf, parseFileId, type FileId } from '../model/ids.ts';
import { MAX_FRAGMENT_COUNT } from '../model/limits.ts';
import { linkOf, tupleOf, uintOf } from '../encoding/decode.ts';

/** Fragments in one `place` or `get-fragments` message. */
export const MAX_PLACES_PER_MESSAGE = 64;
/** Four bytes. */
const MAX_REQUEST_ID = 0xffff_ffff;

export interface Place {
  readonly file: FileId;
  readonly fragment: number;
}

export function placeToCbor(place: Place): readonly unknown[] {
  return [cidOf(place.file), place.fragment];
}

export function placeOf(value: unknown): Place {
  const [file, fragment] = tupleOf(value, 2);
  return { file: parseFileId(linkOf(file)), fragment: uintOf(fragment, MAX_FRAGMENT_COUNT - 1) };
}

export function requestIdOf(value: unknown): number {
  return uintOf(value, MAX_REQUEST_ID);
}
