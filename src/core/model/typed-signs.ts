// Bytes as people type and compare them: Crockford's base32, which has no letters that look like digits, in
// groups of four.

import { base32hex } from 'multiformats/bases/base32';

/** The signs of base32hex, and Crockford's of the same values. */
const HEX_SIGNS = '0123456789abcdefghijklmnopqrstuv';
const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUP_SIGNS = 4;
/** A pasted text longer than this is no code, in UTF-16 units. */
export const MAX_TYPED_UNITS = 1_000;

/** A sign for every 5 bits, without groups. */
export function signsOf(bytes: Uint8Array): string {
  return Array.from(base32hex.baseEncode(bytes), (sign) => SIGNS[HEX_SIGNS.indexOf(sign)]).join('');
}

export function inGroups(signs: string): string {
  const groups: string[] = [];
  for (let at = 0; at < signs.length; at += GROUP_SIGNS) groups.push(signs.slice(at, at + GROUP_SIGNS));
  return groups.join('-');
}

/** What somebody typed, in any case, without spaces and dashes. Undefined when it has other signs. */
export function typedSigns(text: string): string | undefined {
  const signs = text
    .replaceAll(/[\s\p{Dash}\p{Cf}]/gu, '')
    .toUpperCase()
    .replaceAll('O', '0')
    .replaceAll(/[IL]/gu, '1');
  return Array.from(signs).every((sign) => SIGNS.includes(sign)) ? signs : undefined;
}

/** The bytes of `signs`, which are Crockford's. @throws Error when no bytes have them. */
export function bytesOfSigns(signs: string): Uint8Array {
  return base32hex.baseDecode(Array.from(signs, (sign) => HEX_SIGNS[SIGNS.indexOf(sign)]).join(''));
}
