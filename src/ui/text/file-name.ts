// File names come from other devices and are never trusted: `shownName` is what the screen shows, `savedName` what a
// download is called. Pure. A name can neither reorder the text around it nor leave the downloads folder.

/** What most file systems allow for one name, in UTF-8 bytes. */
const MAX_SAVED_NAME_BYTES = 255;
const UNNAMED = 'Unnamed file';

/**
 * Control characters, line separators, bidirectional marks (Unicode Bidi_Control), invisible joiners that have no use in
 * a name, and lone surrogates. The zero-width joiner stays: emoji are made with it.
 */
const UNSHOWABLE =
  /[\p{Cc}\p{Cs}\u061C\u200B\u200E\u200F\u2028\u2029\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB]/gu;

/** Refused by Windows in any name; the slash by everyone. */
const UNSAVEABLE = /[/\\:*?"<>|]/gu;

/** Device names that Windows reserves, with any extension (Microsoft, "Naming Files, Paths, and Namespaces"). */
const RESERVED = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/iu;

/** `name` without anything invisible or direction-changing; 'Unnamed file' when nothing is left. */
export function shownName(name: string): string {
  const shown = name.replace(UNSHOWABLE, '').trim();
  return shown === '' ? UNNAMED : shown;
}

/** A folder path for the screen: every part as `shownName`, joined by " / "; '' for none. */
export function shownPath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '')
    .map(shownName)
    .join(' / ');
}

/** `name` as every common file system takes it: one path component of at most 255 bytes, never reserved or empty. */
export function savedName(name: string): string {
  const plain = name.replace(UNSHOWABLE, '').replace(UNSAVEABLE, '_').trim();
  const ended = plain.replace(/[. ]+$/u, '');
  if (ended === '') return UNNAMED;
  return cutToBytes(RESERVED.test(ended) ? `_${ended}` : ended);
}

/** Cuts before the extension, between characters. */
function cutToBytes(name: string): string {
  const encoder = new TextEncoder();
  if (encoder.encode(name).length <= MAX_SAVED_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  // A longer "extension" is no extension, and keeping it would leave no name.
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
