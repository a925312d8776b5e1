// One record of a device's log: append-only, hash-chained, signed (FORMATS.md, log entry).

import type { SignedRecord } from '../encoding/signed-record.ts';
import { concatBytes, utf8 } from '../model/bytes.ts';
import { isPalmError } from '../model/errors.ts';
import {
  cidOf,
  deviceIdOf,
  entryIdOf,
  parseFileId,
  type DeviceId,
  type EntryId,
  type FileId,
} from '../model/ids.ts';
import {
  MAX_DEVICE_NAME_BYTES,
  MAX_KIND_BYTES,
  MAX_LOG_LENGTH,
  MAX_POOL_NAME_BYTES,
  MAX_RECORD_BYTES,
} from '../model/limits.ts';
import type { PolicyParts } from '../model/policy.ts';
import { bytesOf, fieldsOf, kindOf, mapOf, linkOf, textOf, type Fields } from '../encoding/decode.ts';
import { decodeChained, encodeChained, type ChainedKind, type ChainedPayload } from './chained-record.ts';
import { policyFields, policyPartsOf } from './policy-fields.ts';

/** What a device says in its log. */
export type EntryBody =
  /** The device's name as people see it. */
  | { readonly kind: 'profile'; readonly name: string }
  /** The pool's name; the latest wins. */
  | { readonly kind: 'pool'; readonly name: string }
  /** A file, as its sealed manifest. */
  | { readonly kind: 'file'; readonly manifest: Uint8Array }
  /** A further name of a content, sealed (file-name.ts). */
  | { readonly kind: 'name'; readonly sealed: Uint8Array }
  /**
   * A tombstone: takes a name away, a manifest's or a further one; wins over it, whichever arrives first.
   * Where nothing else is known of further names, it removes the manifest's content.
   */
  | { readonly kind: 'remove'; readonly file: FileId }
  /** Takes a manifest's name away, and says that its content has others. */
  | { readonly kind: 'unname'; readonly file: FileId }
  /** Parts of the pool's policy; of each the latest counts. */
  | { readonly kind: 'policy'; readonly parts: PolicyParts }
  /** An invite at whose door members wait (live-invite.ts). */
  | { readonly kind: 'live-invite'; readonly sealed: Uint8Array }
  /** The device left for good; what it held is gone. */
  | { readonly kind: 'leave' }
  /**
   * A kind that only newer versions understand. Kept, chained and passed on without effect, so that the
   * entries after it still count here. `fields` is the whole body.
   */
  | { readonly kind: 'unknown'; readonly fields: Fields };

export type EntryPayload = ChainedPayload<EntryBody>;

/** An entry whose shape was checked. Its signature was not; see check.ts. */
export interface Entry extends EntryPayload, SignedRecord {
  readonly entryId: EntryId;
  readonly deviceId: DeviceId;
  /** The whole record as it is stored and sent. */
  readonly bytes: Uint8Array;
}

const KIND: ChainedKind<EntryBody> = {
  what: 'a log entry',
  maxBytes: MAX_RECORD_BYTES,
  maxSeq: MAX_LOG_LENGTH,
  decodeBody,
};

export function encodeEntryPayload(payload: EntryPayload): Uint8Array<ArrayBuffer> {
  return encodeChained({ ...payload, body: encodeBody(payload.body) });
}

/**
 * The bytes that the device signs: the payload under a label of its own, so that nothing else it signs can
 * pass for it.
 */
export function signedBytesOf(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(utf8('palm/v1/entry'), payload);
}

/** Checks shape, lengths and limits. The bytes are kept. @throws PalmError 'bad-message'. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const record = decodeChained(bytes, KIND);
  const { payload, publicKey } = record;
  return { ...record, entryId: entryIdOf(payload), deviceId: deviceIdOf(publicKey), bytes };
}

function encodeBody(body: EntryBody): unknown {
  switch (body.kind) {
    case 'unknown':
      return body.fields;
    case 'remove':
    case 'unname':
      return { kind: body.kind, file: cidOf(body.file) };
    case 'policy':
      return { kind: body.kind, ...policyFields(body.parts) };
    case 'profile':
    case 'pool':
    case 'file':
    case 'name':
    case 'live-invite':
    case 'leave':
      return body;
  }
}

function decodeBody(value: unknown): EntryBody {
  const kind = kindOf(value);
  switch (kind) {
    case 'profile':
      return { kind, name: textOf(fieldsOf(value, ['kind', 'name'])['name'], MAX_DEVICE_NAME_BYTES) };
    case 'pool':
      return { kind, name: textOf(fieldsOf(value, ['kind', 'name'])['name'], MAX_POOL_NAME_BYTES) };
    case 'file':
      return {
        kind,
        manifest: bytesOf(fieldsOf(value, ['kind', 'manifest'])['manifest'], 1, MAX_RECORD_BYTES),
      };
    case 'remove':
      return { kind, file: parseFileId(linkOf(fieldsOf(value, ['kind', 'file'])['file'])) };
    case 'leave':
      fieldsOf(value, ['kind']);
      return { kind };
    case 'name':
    case 'live-invite':
    case 'unname':
      return decodeLater(kind, value) ?? { kind: 'unknown', fields: mapOf(value) };
    case 'policy': {
      const fields = mapOf(value);
      const parts = policyPartsOf(fields);
      return Object.keys(parts).length === 0 ? { kind: 'unknown', fields } : { kind, parts };
    }
    default:
      textOf(kind, MAX_KIND_BYTES);
      return { kind: 'unknown', fields: mapOf(value) };
  }
}

/**
 * Undefined when the shape is wrong. Devices of the first builds keep such entries without knowing the kind,
 * so this one must keep them too: otherwise it would lack all that follow.
 */
function decodeLater(kind: 'name' | 'live-invite' | 'unname', value: unknown): EntryBody | undefined {
  try {
    if (kind !== 'unname') {
      return { kind, sealed: bytesOf(fieldsOf(value, ['kind', 'sealed'])['sealed'], 1, MAX_RECORD_BYTES) };
    }
    return { kind, file: parseFileId(linkOf(fieldsOf(value, ['kind', 'file'])['file'])) };
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}
