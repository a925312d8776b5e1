// Invites and private file links: the secrets that people pass on by hand. Each is the fragment of a URL,
// which no browser sends to a server. A checksum tells a cut or mistyped one from a wrong one, so a reader
// can look for them in whatever text they were pasted with.

import { sha256 } from '@noble/hashes/sha2.js';
import { base64url } from 'multiformats/bases/base64';
import { concatBytes, equalBytes, utf8 } from './bytes.ts';
import { isPalmError, PalmError } from './errors.ts';
import { parseFileId, type FileId } from './ids.ts';
import type { BadInvite } from './failures.ts';
import { MAX_PASTED_CHARS } from './limits.ts';
import { findLinks, hasAddress, lettersOf, partsFrom, plainText, type LinkKind } from './pasted-link.ts';
import { INVITE_SEED_BYTES } from './invite-door.ts';
import { POOL_SECRET_BYTES } from './pool-keys.ts';
import { decodeTicket, HEAD_COUNT_AT, ticketBytes, TICKET_VERSION, type Ticket } from './ticket.ts';

/** An invite to a pool without a charter: whoever has it is a member. */
export interface Invite {
  /** 32 bytes. */
  readonly secret: Uint8Array<ArrayBuffer>;
  readonly epoch: number;
}

/** An invite that ends: what an admin signed, and the key that proves that a device holds it. */
export interface TicketInvite {
  readonly ticket: Ticket;
  /** The private half of the ticket's invite key, 32 bytes (RFC 8032). */
  readonly seed: Uint8Array<ArrayBuffer>;
}

/** What follows `#/join/`. */
export type JoinLink =
  | { readonly kind: 'open'; readonly invite: Invite }
  | { readonly kind: 'ticket'; readonly invite: TicketInvite };

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
/** Characters of `u` and base64url: an invite without its end letter, and the key of a file link. */
const INVITE_CHARS = 1 + Math.ceil((INVITE_BYTES * 4) / 3);
const LINK_KEY_CHARS = 1 + Math.ceil((LINK_BYTES * 4) / 3);
/** Of the text of a body of VERSION, or of an invite with a ticket, as far as it is there. */
const BEGINNING = /^(?:u|uA|uA[Q-Za-f].*)?$/u;
const TICKET_BEGINNING = /^uA[g-v]/u;
/** From this many characters on, an invite with a ticket tells its length. */
const HEAD_COUNT_CHARS = 1 + 4 * Math.ceil((HEAD_COUNT_AT + 1) / 3);
/** A CID in base32, with its prefix. */
const FILE_ID_CHARS = 59;
/**
 * Follows an invite that would end in `-` or `_`: chat programs take those at the end of a link for
 * punctuation, and cut them off.
 */
const END_LETTER = 'e';
/** Older versions wrote no end letter; this many characters that chat programs cut off are tried. */
const MAX_CUT_SIGNS = 2;

/** The invite's text: what follows `#/join/`. It ends in a letter or digit. */
export function encodeInvite(invite: Invite): string {
  const epoch = Uint8Array.of(invite.epoch >> 8, invite.epoch & 0xff);
  return inviteText(concatBytes(Uint8Array.of(VERSION), epoch, invite.secret));
}

/** As `encodeInvite`, of an invite that ends. */
export function encodeTicketInvite({ ticket, seed }: TicketInvite): string {
  return inviteText(concatBytes(ticket.bytes, seed));
}

/** Reads an invite URL, or only its last part, and finds it in other text. @throws PalmError 'bad-invite'. */
export function readJoinLink(text: string): JoinLink {
  return readPasted(text, 'join', /(?<![\w-])u/gu, readInvite);
}

/** As `readJoinLink`, but only an invite to a pool without a charter. @throws PalmError 'bad-invite'. */
export function decodeInvite(text: string): Invite {
  const link = readJoinLink(text);
  if (link.kind === 'ticket') throw badInvite({ code: 'bad-invite', reason: 'newer-version' });
  return link.invite;
}

function inviteText(body: Uint8Array): string {
  const text = base64url.encode(withChecksum('invite', body));
  return /[-_]$/u.test(text) ? text + END_LETTER : text;
}

/** The link's text: what follows `#/file/`. */
export function encodeFileLink(link: FileLink): string {
  const key = withChecksum(`file/${link.fileId}`, concatBytes(Uint8Array.of(VERSION), link.linkKey));
  return `${link.fileId}/${base64url.encode(key)}`;
}

/**
 * Reads a private file's link, or only what follows `#/file/`, and finds it in other text.
 * @throws PalmError 'bad-invite'.
 */
export function decodeFileLink(text: string): FileLink {
  return readPasted(text, 'file', /(?<![\w-])bafk/gu, readFileLink);
}

/**
 * Tries every link of `kind` in `text`, or every part that begins like one if there is no address.
 * @throws PalmError with the reason of the last.
 */
function readPasted<Link>(text: string, kind: LinkKind, bare: RegExp, read: (after: string) => Link): Link {
  if (text.length > MAX_PASTED_CHARS) throw unreadable();
  const plain = plainText(text);
  const links = findLinks(plain);
  const ofKind = links.filter((link) => link.kind === kind).map(({ after }) => after);
  const begins = ofKind.length > 0 ? [] : partsFrom(bare, plain);
  let failure: PalmError | undefined;
  for (const after of [...ofKind, ...begins]) {
    try {
      return read(after);
    } catch (error) {
      if (!isPalmError(error)) throw error;
      failure = error;
    }
  }
  if (ofKind.length === 0) {
    if (links.length > 0) throw badInvite({ code: 'bad-invite', reason: 'other-kind', wanted: kind });
    if (hasAddress(plain)) throw missing(kind === 'join' ? 'invite' : 'file-id');
  }
  throw failure ?? unreadable();
}

function readInvite(after: string): JoinLink {
  const letters = lettersOf(after);
  if (letters === '') throw missing('invite');
  if (TICKET_BEGINNING.test(letters)) return { kind: 'ticket', invite: readTicketInvite(letters) };
  const bytes = firstChecked(withCutSigns(letters.slice(0, INVITE_CHARS), INVITE_CHARS), (text) =>
    decodeChecked('invite', text, INVITE_BYTES),
  );
  if (bytes !== undefined) {
    const [, high = 0, low = 0] = bytes;
    const invite = { epoch: high * 256 + low, secret: bytes.slice(3, 3 + POOL_SECRET_BYTES) };
    return { kind: 'open', invite };
  }
  throw refusal(letters, INVITE_CHARS, 'invite');
}

function readTicketInvite(letters: string): TicketInvite {
  // Cut before its length is known, it misses at least as much as the shortest would.
  const known = letters.length < HEAD_COUNT_CHARS ? undefined : bytesOf(letters.slice(0, HEAD_COUNT_CHARS));
  const bodyBytes = ticketBytes(known?.[HEAD_COUNT_AT] ?? 1) + INVITE_SEED_BYTES;
  const length = bodyBytes + CHECKSUM_BYTES;
  const charCount = 1 + Math.ceil((length * 4) / 3);
  const bytes = firstChecked(withCutSigns(letters.slice(0, charCount), charCount), (text) =>
    decodeChecked('invite', text, length, TICKET_VERSION),
  );
  if (bytes === undefined) {
    throw letters.length < charCount ? missing('invite', charCount - letters.length) : unreadable();
  }
  try {
    const ticket = decodeTicket(bytes.subarray(0, bodyBytes - INVITE_SEED_BYTES));
    return { ticket, seed: bytes.slice(bodyBytes - INVITE_SEED_BYTES, bodyBytes) };
  } catch (cause) {
    if (!isPalmError(cause, 'bad-message')) throw cause;
    throw unreadable(cause);
  }
}

function readFileLink(after: string): FileLink {
  const [idText = '', keyText] = after.split('/', 2);
  const id = lettersOf(idText);
  let fileId: FileId;
  try {
    fileId = parseFileId(id);
  } catch (cause) {
    throw id.length < FILE_ID_CHARS ? missing('file-id', FILE_ID_CHARS - id.length) : unreadable(cause);
  }
  const key = lettersOf(keyText ?? '');
  const bytes = firstChecked([key.slice(0, LINK_KEY_CHARS)], (text) =>
    decodeChecked(`file/${fileId}`, text, LINK_BYTES),
  );
  if (bytes !== undefined) return { fileId, linkKey: bytes.slice(1, 1 + LINK_KEY_BYTES) };
  throw refusal(key, LINK_KEY_CHARS, 'link-key');
}

/** `text`, and what it was if a chat program cut off its last signs. */
function withCutSigns(text: string, length: number): string[] {
  const cut = length - text.length;
  if (cut < 1 || cut > MAX_CUT_SIGNS) return [text];
  return ['-', '_'].flatMap((sign) => withCutSigns(text + sign, length));
}

function firstChecked(
  texts: readonly string[],
  check: (text: string) => Uint8Array<ArrayBuffer> | undefined,
): Uint8Array<ArrayBuffer> | undefined {
  for (const text of texts) {
    const bytes = check(text);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** Why `letters` are not the part that they should be. */
function refusal(letters: string, length: number, part: LinkPart): PalmError {
  if (letters.length < length) {
    return BEGINNING.test(letters) ? missing(part, length - letters.length) : unreadable();
  }
  const version = bytesOf(letters.slice(0, length - ((length - 1) % 4)))?.[0];
  return version !== undefined && version > VERSION
    ? badInvite({ code: 'bad-invite', reason: 'newer-version' })
    : unreadable();
}

function withChecksum(use: string, bytes: Uint8Array): Uint8Array {
  return concatBytes(bytes, checksum(use, bytes));
}

/** The body; undefined unless `text` is one of `version`, whole and unchanged. */
function decodeChecked(
  use: string,
  text: string,
  length: number,
  version = VERSION,
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = bytesOf(text);
  if (bytes?.length !== length || bytes[0] !== version) return undefined;
  const body = bytes.slice(0, bytes.length - CHECKSUM_BYTES);
  return equalBytes(checksum(use, body), bytes.subarray(bytes.length - CHECKSUM_BYTES)) ? body : undefined;
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return base64url.decode(text);
  } catch {
    return undefined;
  }
}

function checksum(use: string, bytes: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8(`palm/v1/${use}`), bytes)).subarray(0, CHECKSUM_BYTES);
}

type LinkPart = Extract<BadInvite, { readonly reason: 'missing' }>['part'];

/** `charCount`: how many of its characters; undefined for all. */
function missing(part: LinkPart, charCount?: number): PalmError {
  return badInvite({ code: 'bad-invite', reason: 'missing', part, charCount });
}

function unreadable(cause?: unknown): PalmError {
  return badInvite({ code: 'bad-invite', reason: 'unreadable' }, cause);
}

function badInvite(failure: BadInvite, cause?: unknown): PalmError {
  return new PalmError(failure, { cause });
}
