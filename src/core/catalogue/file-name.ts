// A further name of a content that the pool has already: bytes are stored once, and named as often as people
// named them. The first name is in the manifest; each further one is a record of its own, sealed like the
// manifest (FORMATS.md, file name). Only contents that every member can open get further names.

import type { FileDetails } from '../model/file-details.ts';
import { utf8 } from '../model/bytes.ts';
import { cidOf, parseDeviceId, parseFileId, type DeviceId, type FileId, type PoolId } from '../model/ids.ts';
import { MAX_RECORD_BYTES } from '../model/limits.ts';
import type { Cryptography } from '../ports.ts';
import { bad, decodeCbor, encodeCbor, fieldsOf, linkOf, uintOf } from '../encoding/decode.ts';
import { MAX_HYBRID_MS } from './clock.ts';
import { writtenDetails } from './long-names.ts';
import { detailsOf } from './manifest.ts';
import { openRecord, sealRecord } from './sealed-record.ts';

export interface FileName {
  /** The file whose manifest describes the bytes. */
  readonly content: FileId;
  readonly details: FileDetails;
  /** Last modification of the source that was given this name, ms since the Unix epoch; 0 when unknown. */
  readonly modifiedMs: number;
  readonly by: DeviceId;
  readonly atMs: number;
}

const VERSION = 1;
const NAME_KEYS = ['v', 'content', 'name', 'path', 'mime', 'modified', 'by', 'at'];

/** Seals a name for the pool. @param nonce 12 random bytes, never used before. */
export async function sealFileName(
  name: FileName,
  key: Uint8Array,
  pool: PoolId,
  nonce: Uint8Array,
  cryptography: Cryptography,
): Promise<Uint8Array<ArrayBuffer>> {
  const { name: text, path, mime } = writtenDetails(name.details);
  const plain = encodeCbor({
    v: VERSION,
    content: cidOf(name.content),
    name: text,
    path,
    mime,
    modified: name.modifiedMs,
    by: cidOf(name.by),
    at: name.atMs,
  });
  return sealRecord(plain, key, aad(pool), nonce, cryptography);
}

/** @throws PalmError 'bad-message' when it was not sealed with one of `keys` for `pool`, or is malformed. */
export async function openFileName(
  sealed: Uint8Array,
  keys: readonly Uint8Array[],
  pool: PoolId,
  cryptography: Cryptography,
): Promise<FileName> {
  const plain = await openRecord('a file name', sealed, keys, aad(pool), cryptography);
  const fields = fieldsOf(decodeCbor(plain, MAX_RECORD_BYTES), NAME_KEYS);
  if (fields['v'] !== VERSION) throw bad('a file name of an unknown version');
  return {
    content: parseFileId(linkOf(fields['content'])),
    details: detailsOf(fields),
    modifiedMs: uintOf(fields['modified'], MAX_HYBRID_MS),
    by: parseDeviceId(linkOf(fields['by'])),
    atMs: uintOf(fields['at'], MAX_HYBRID_MS),
  };
}

function aad(pool: PoolId): Uint8Array {
  return utf8(`palm/v1/name/${pool}`);
}
