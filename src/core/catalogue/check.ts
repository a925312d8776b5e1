// The gate of the catalogue: a record counts only after it passed here. Checks shape, size, pool, signature
// and, for a file, the manifest's own seal and shape. The catalogue checks the chain, because that needs the
// earlier entries.

import { isPalmError } from '../model/errors.ts';
import { hasBlocksWorthIndexing } from '../model/geometry.ts';
import { fileIdOf, type FileId } from '../model/ids.ts';
import type { KeyRing } from '../model/key-ring.ts';
import type { Cryptography } from '../ports.ts';
import { bad } from '../encoding/decode.ts';
import { decodeEntry, signedBytesOf, type Entry } from './entry.ts';
import { openFileName, type FileName } from './file-name.ts';
import { openManifest, type Manifest } from './manifest.ts';

export interface CheckedEntry {
  readonly entry: Entry;
  /** Set only when the body's kind is 'file' and the file can be kept: otherwise the entry has no effect. */
  readonly file?: { readonly fileId: FileId; readonly manifest: Manifest };
  /** Set only when the body's kind is 'name' and the name is sound: otherwise the entry has no effect. */
  readonly named?: { readonly nameId: FileId; readonly name: FileName };
}

/** @throws PalmError 'bad-message' saying what is wrong with the record. */
export async function checkEntry(
  bytes: Uint8Array,
  keys: KeyRing,
  cryptography: Cryptography,
): Promise<CheckedEntry> {
  const entry = decodeEntry(bytes);
  if (entry.pool !== keys.poolId) throw bad('an entry of another pool');
  if (!(await cryptography.verify(entry.publicKey, signedBytesOf(entry.payload), entry.signature))) {
    throw bad('an entry whose signature does not fit');
  }
  if (entry.body.kind === 'name') {
    const name = await soundName(entry.body.sealed, entry, keys, cryptography);
    return name === undefined ? { entry } : { entry, named: { nameId: fileIdOf(entry.body.sealed), name } };
  }
  if (entry.body.kind !== 'file') return { entry };
  const manifest = await openManifest(entry.body.manifest, keys.catalogueKeys, keys.poolId, cryptography);
  if (manifest.by !== entry.deviceId) throw bad('a manifest in the name of another device');
  // Kept all the same: the log's later entries depend on it.
  if (!hasBlocksWorthIndexing(manifest)) return { entry };
  return { entry, file: { fileId: fileIdOf(entry.body.manifest), manifest } };
}

/**
 * Undefined when it does not open, or is in another device's name. The entry is kept, as by older devices.
 * @throws PalmError 'bad-message' when keys that are still to come may open it: then it is asked for again.
 */
async function soundName(
  sealed: Uint8Array,
  { deviceId }: Entry,
  { catalogueKeys, poolId, isComplete }: KeyRing,
  cryptography: Cryptography,
): Promise<FileName | undefined> {
  try {
    const name = await openFileName(sealed, catalogueKeys, poolId, cryptography);
    return name.by === deviceId ? name : undefined;
  } catch (error) {
    if (isPalmError(error, 'bad-message') && isComplete) return undefined;
    throw error;
  }
}
