// The gate of the catalogue: a record counts only once it went through here. Shape, size, pool, signature
// and, for a file, the manifest's own seal and shape. The chain is the catalogue's to check, for it needs the
// entries before.

import { hasBlocksWorthIndexing } from '../model/geometry.ts';
import { fileIdOf, type FileId } from '../model/ids.ts';
import type { PoolKeys } from '../model/pool-keys.ts';
import type { Cryptography } from '../ports.ts';
import { bad } from '../encoding/decode.ts';
import { decodeEntry, signedBytesOf, type Entry } from './entry.ts';
import { openManifest, type Manifest } from './manifest.ts';

export interface CheckedEntry {
  readonly entry: Entry;
  /**
   * Only when the body's kind is 'file', and unless that file cannot be kept: the entry is without effect
   * then.
   */
  readonly file?: { readonly fileId: FileId; readonly manifest: Manifest };
}

/** @throws PalmError 'bad-message' saying what is wrong with the record. */
export async function checkEntry(
  bytes: Uint8Array,
  keys: PoolKeys,
  cryptography: Cryptography,
): Promise<CheckedEntry> {
  const entry = decodeEntry(bytes);
  if (entry.pool !== keys.poolId) throw bad('an entry of another pool');
  if (!(await cryptography.verify(entry.publicKey, signedBytesOf(entry.payload), entry.signature))) {
    throw bad('an entry whose signature does not fit');
  }
  if (entry.body.kind !== 'file') return { entry };
  const manifest = await openManifest(entry.body.manifest, keys.catalogueKey, keys.poolId, cryptography);
  if (manifest.by !== entry.deviceId) throw bad('a manifest in the name of another device');
  // Kept all the same: what follows in this log hangs on it.
  if (!hasBlocksWorthIndexing(manifest)) return { entry };
  return { entry, file: { fileId: fileIdOf(entry.body.manifest), manifest } };
}
