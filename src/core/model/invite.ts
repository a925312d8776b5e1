// Invites and private file links: the two secrets that people pass on by hand. Each is the fragment of a URL,
// which no browser sends to a server. A checksum tells a cut or mistyped one from a wrong one.

import { sha256 } from '@noble/hashes/sha2.js';
import { base64url } from 'multiformats/bases/base64';
import { concatBytes, equalBytes, utf8 } from './bytes.ts';
import { PalmError } from './errors.ts';
import { parseFileId, type FileId } from './ids.ts';
import { POOL_SECRET_BYTES } from './pool-keys.ts';

export interface Invite {
  /** 32 bytes. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly epoch: number;
}

export interface FileLink {
  readonly fileId: FileId;
  /** Kc, 32 bytes: the half of the file's key that the pool does not have. */
  readonly linkKey: Uint8Array<ArrayBuffer>;
}

const VERSION = 1;
const CHECKSUM_BYTES = 4;
const INVITE_BYTES = 1 + 2 + POOL_SECRET_BYTES + CHECKSUM_BYTES;
const LINK_KEY_BYTES = 32;
const LINK_BYTES = 1 + LINK_KEY_BYTES + CHECKSUM_BYTES;
/** No invite or link is longer, in characters, whatever address precedes it. */
const MAX_TEXT_LENGTH = 4096;

/** The invite's text: what follows `#/join/`. */
export function encodeInvite(invite: Invite): string {
  const epoch = Uint8Array.of(invite.epoch >> 8, invite.epoch & 0xff);
  return base64url.encode(withChecksum('invite', concatBytes(Uint8Array.of(VERSION), epoch, invite.secret)));
}

/** Reads an invite URL, or only its last part. @throws PalmError 'bad-invite'. */
export function decodeInvite(text: string): Invite {
  const bytes = decodeChecked('invite', lastPart(text, '#/join/'), INVITE_BYTES);
  const [, high = 0, low = 0] = bytes;
  return { epoch: high * 256 + low, secret: bytes.slice(3, 3 + POOL_SECRET_BYTES) };
}

/** The link's text: what follows `#/file/`. */
export function encodeFileLink(link: FileLink): string {
  const key = withChecksum(`file/${link.fileId}`, concatBytes(Uint8Array.of(VERSION), link.linkKey));
  return `${link.fileId}/${base64url.encode(key)}`;
}

/** Reads a private file's link, or only what follows `#/file/`. @throws PalmError 'bad-invite'. */
export function decodeFileLink(text: string): FileLink {
  const [id, key, ...rest] = lastPart(text, '#/file/').split('/');
  if (id === undefined || key === undefined || rest.length > 0) throw unreadable();
  let fileId: FileId;
  try {
    fileId = parseFileId(id);
  } catch (cause) {
    throw unreadable(cause);
  }
  const bytes = decodeChecked(`file/${fileId}`, key, LINK_BYTES);
  return { fileId, linkKey: bytes.slice(1, 1 + LINK_KEY_BYTES) };
}

function lastPart(text: string, marker: string): string {
  if (text.length > MAX_TEXT_LENGTH) throw unreadable();
  const trimmed = text.trim();
  const at = trimmed.lastIndexOf(marker);
  return at === -1 ? trimmed : trimmed.slice(at + marker.length);
}

function withChecksum(use: string, bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, checksum(use, bytes));
}

function decodeChecked(use: string, text: string, length: number): Uint8Array<ArrayBuffer> {
  let bytes: Uint8Array;
  try {
    bytes = base64url.decode(text);
  } catch (cause) {
    throw unreadable(cause);
  }
  const version = bytes[0];
  if (version !== undefined && version > VERSION && bytes.length >= length) {
    throw new PalmError({ code: 'bad-invite', reason: 'newer-version' });
  }
  const body = bytes.slice(0, bytes.length - CHECKSUM_BYTES);
  const sum = bytes.subarray(bytes.length - CHECKSUM_BYTES);
  if (bytes.length !== length || version !== VERSION || !equalBytes(checksum(use, body), sum))
    throw unreadable();
  return body;
}

function checksum(use: string, bytes: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8(`palm/v1/${use}`), bytes)).subarray(0, CHECKSUM_BYTES);
}

function unreadable(cause?: unknown): PalmError {
  return new PalmError({ code: 'bad-invite', reason: 'unreadable' }, { cause });
}
