// File names of more than 255 bytes, as records carry them. Members of earlier versions refuse a record with
// such a name, and with it all that its device wrote later. So the record has a shortened name, and the whole
// one as the last folder of its path, where those members show it (FORMATS.md, manifest).

import type { FileDetails } from '../model/file-details.ts';
import { MAX_NAME_BYTES, MAX_NAME_UNITS } from '../model/limits.ts';
import { cutName } from '../model/short-name.ts';
import { utf8Length } from '../encoding/decode.ts';

/** `details` as records carry them. */
export function writtenDetails(details: FileDetails): FileDetails {
  const { name, path, mime } = details;
  if (utf8Length(name) <= MAX_NAME_BYTES) return details;
  // Slashes of the name are doubled, so that it is one folder.
  const whole = name.replaceAll('/', '//');
  return { name: cutName(name, MAX_NAME_BYTES), path: path === '' ? whole : `${path}/${whole}`, mime };
}

/** The details that were written as `written`. */
export function readDetails(written: FileDetails): FileDetails {
  const { name, path, mime } = written;
  const separators = [...path.matchAll(/\/+/gu)].filter(([slashes]) => slashes.length % 2 === 1);
  const at = separators.at(-1)?.index ?? -1;
  const whole = path.slice(at + 1).replaceAll('//', '/');
  const isWhole =
    whole.length <= MAX_NAME_UNITS &&
    utf8Length(whole) > MAX_NAME_BYTES &&
    cutName(whole, MAX_NAME_BYTES) === name;
  return isWhole ? { name: whole, path: path.slice(0, Math.max(0, at)), mime } : written;
}
