// Every byte of every file of a browser profile, as stored and unpacked: LevelDB logs joined, LevelDB tables
// and Blink's compressed values decompressed. A layer is searched as plain bytes.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import { logPayload, tableEntries } from './leveldb.ts';
import { unsnap } from './snappy.ts';

export interface Layer {
  /** The file's path in the profile, with `/`, and how it was unpacked, if it was. */
  readonly name: string;
  readonly bytes: Buffer;
  /** True for the file itself. */
  readonly isRaw: boolean;
}

/**
 * Blink's mark of a compressed value (IDBValueWrapper: version tag, pseudo-version, "compressed with
 * snappy").
 */
const BLINK_SNAPPY = Buffer.from([0xff, 0x11, 0x02]);

/**
 * All layers of the files in `folder`; none if there is no folder. Files that a running browser deletes are
 * left out.
 */
export function layersOf(folder: string): Layer[] {
  return filesIn(folder).flatMap((path) => {
    const bytes = existsSync(path) ? readFileSync(path) : undefined;
    return bytes === undefined ? [] : fileLayers(relative(folder, path).replaceAll(sep, '/'), bytes);
  });
}

/** The layers of one file. */
export function fileLayers(name: string, bytes: Buffer): Layer[] {
  const raw: Layer = { name, bytes, isRaw: true };
  const read = [raw, ...levelDbLayers(name, bytes)];
  return [...read, ...read.flatMap(decompressedValues)];
}

function levelDbLayers(name: string, bytes: Buffer): Layer[] {
  const file = basename(name);
  if (/^(?:\d+\.log|MANIFEST-\d+)$/.test(file))
    return [{ name: `${name} (log)`, bytes: logPayload(bytes), isRaw: false }];
  const entries = tableEntries(bytes);
  return entries === undefined ? [] : [{ name: `${name} (table)`, bytes: entries, isRaw: false }];
}

function decompressedValues({ name, bytes }: Layer): Layer[] {
  const layers: Layer[] = [];
  for (const at of offsetsOf(bytes, BLINK_SNAPPY)) {
    const plain = unsnap(bytes, at + BLINK_SNAPPY.length);
    if (plain !== undefined && plain.length > 0)
      layers.push({ name: `${name} (snappy at ${at})`, bytes: plain, isRaw: false });
  }
  return layers;
}

/** Where `needle` is in `bytes`. */
export function* offsetsOf(bytes: Buffer, needle: Buffer): Generator<number> {
  for (let at = bytes.indexOf(needle); at !== -1; at = bytes.indexOf(needle, at + 1)) yield at;
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}
