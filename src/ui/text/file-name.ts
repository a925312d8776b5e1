// File names come from other devices and are never trusted: `shownName` is what the screen shows, `savedName`
// what a download is called. Pure. A name cannot be invisible, reorder the text around it, or leave the
// downloads folder.

import { hasVisibleCharacters, visibleName, withoutHidden } from '../../core/model/visible-name.ts';
import { words } from './words.ts';

/** The limit of most file systems for one name, in UTF-8 bytes. */
const MAX_SAVED_NAME_BYTES = 255;

/** Windows refuses these in any name; everyone refuses the slash. */
const UNSAVEABLE = /[/\\:*?"<>|]/gu;

/**
 * Device names that Windows reserves, with any extension (Microsoft, "Naming Files, Paths, and Namespaces").
 */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/iu;

/** `name` with every invisible character written out; 'Unnamed file' for none. */
export function shownName(name: string): string {
  return visibleName(name) || words.names.unnamedFile;
}

/** A folder path for the screen: every part as `shownName`, joined by " / "; '' for none. */
export function shownPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map(shownName)
    .join(' / ');
}

/**
 * `name` as every common file system accepts it: one path component of at most 255 bytes, never reserved or
 * empty.
 */
export function savedName(name: string): string {
  const plain = withoutHidden(name).replace(UNSAVEABLE, '_').trim();
  const ended = plain.replace(/[. ]+$/u, '');
  if (!hasVisibleCharacters(ended)) return words.names.unnamedFile;
  // The rest must not become a hidden file.
  if (ended.startsWith('.') && !name.startsWith('.')) return cutToBytes(`${words.names.unnamedFile}${ended}`);
  return cutToBytes(RESERVED.test(ended) ? `_${ended}` : ended);
}

/** Cuts before the extension, between characters. */
function cutToBytes(name: string): string {
  const encoder = new TextEncoder();
  if (encoder.encode(name).length <= MAX_SAVED_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  // A longer "extension" is none, and keeping it would leave no name.
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : '';
  let room = MAX_SAVED_NAME_BYTES - encoder.encode(extension).length;
  let kept = '';
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= encoder.encode(character).length;
    if (room < 0) break;
    kept += character;
  }
  return kept.trimEnd() + extension;
}
