// Names cut to a number of bytes. Deterministic: every device cuts a name alike.

import { utf8 } from './bytes.ts';

/** A longer "extension" is none, and keeping it would leave no name. */
const MAX_EXTENSION_UNITS = 16;

/** `name`, cut before its extension to at most `maxBytes` of UTF-8, between the characters of `split`. */
export function cutName(
  name: string,
  maxBytes: number,
  split: (text: string) => Iterable<string> = (text) => text,
): string {
  if (utf8(name).length <= maxBytes) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION_UNITS ? name.slice(dot) : '';
  let room = maxBytes - utf8(extension).length;
  let kept = '';
  for (const character of split(name.slice(0, name.length - extension.length))) {
    room -= utf8(character).length;
    if (room < 0) break;
    kept += character;
  }
  return kept.trimEnd() + extension;
}
