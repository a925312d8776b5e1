// File names come from other devices and are never trusted: `shownName` is what the screen shows, `savedName`
// what a download is called. Pure. A name cannot be invisible, reorder the text around it, or leave the
// downloads folder.

import { cutName } from '../../core/model/short-name.ts';
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

/** Both as shown, for the buttons of a list: heard one by one, they must tell which file they are for. */
export function heardName(name: string, path: string): string {
  return path === '' ? name : `${name}, ${path}`;
}

/**
 * `name` as every common file system accepts it: one path component, never reserved or empty, of at most 255
 * bytes where the system counts these.
 */
export function savedName(name: string, countsBytes = countsNamesInBytes()): string {
  const plain = withoutHidden(name).replace(UNSAVEABLE, '_').trim();
  const ended = plain.replace(/[. ]+$/u, '');
  if (!hasVisibleCharacters(ended)) return words.names.unnamedFile;
  // The rest must not become a hidden file.
  if (ended.startsWith('.') && !name.startsWith('.'))
    return fitted(`${words.names.unnamedFile}${ended}`, countsBytes);
  return fitted(RESERVED.test(ended) ? `_${ended}` : ended, countsBytes);
}

/** Windows counts UTF-16 units, all others bytes. Names of the pool fit the former. */
function fitted(name: string, countsBytes: boolean): string {
  return countsBytes ? cutName(name, MAX_SAVED_NAME_BYTES, graphemesOf) : name;
}

/** What people see as one character may be several. */
function graphemesOf(text: string): Iterable<string> {
  // Firefox lacks it up to version 124.
  if (!('Segmenter' in Intl)) return text;
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

function countsNamesInBytes(): boolean {
  return !('navigator' in globalThis) || !/Windows/u.test(navigator.userAgent);
}
