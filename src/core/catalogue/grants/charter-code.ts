// The code by which a person knows an upgrade: the device that upgraded a pool shows it, and who confirms the
// upgrade on another device types it there. So nobody follows the charter of a device that only took the name
// of another.

import { cidOf, type EntryId } from '../../model/ids.ts';
import { inGroups, MAX_TYPED_UNITS, signsOf, typedSigns } from '../../model/typed-signs.ts';

/** Of 5 bits each: who wants another charter with the same 60 bits must sign some 10^18. */
const CODE_SIGNS = 12;
/** As many as hold the code's bits. */
const CODE_BYTES = 8;

/** Three groups of four signs, the first bits of the SHA-256 in the charter's id. */
export function charterCode(charter: EntryId): string {
  return inGroups(signsOf(cidOf(charter).multihash.digest.subarray(0, CODE_BYTES)).slice(0, CODE_SIGNS));
}

/** Whether somebody typed the code of `charter`. */
export function isCharterCode(text: string, charter: EntryId): boolean {
  if (text.length > MAX_TYPED_UNITS) return false;
  const typed = typedSigns(text);
  return typed !== undefined && inGroups(typed) === charterCode(charter);
}
