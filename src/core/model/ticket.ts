// The ticket of an invite: what an admin signed, and all that a member needs to admit whoever proves the
// invite's key (FORMATS.md, invites). It holds no secret: the ticket is public in the pool, and the key that
// proves it is in the invite alone.

import { concatBytes, utf8 } from './bytes.ts';
import { PalmError } from './errors.ts';
import { deviceIdOf, digestOf, entryIdOfDigest, type DeviceId, type EntryId } from './ids.ts';
import { MAX_INVITE_USES, MAX_TICKET_HEADS } from './limits.ts';
import { INVITED_ROLES, type InvitedRole } from './role.ts';
import type { WallMs } from './time.ts';

export interface TicketBody {
  /** What the newcomer becomes. */
  readonly role: InvitedRole;
  /** How many devices it admits, 1 to MAX_INVITE_USES. */
  readonly uses: number;
  /** It admits nobody later. */
  readonly expiresMs: WallMs;
  /** The pool, by its charter. */
  readonly charter: EntryId;
  /** Ed25519, 32 bytes: whoever can sign with its private half holds the invite. */
  readonly inviteKey: Uint8Array;
  /** Of the admin who signs, 32 bytes. */
  readonly issuerKey: Uint8Array;
  /** 1 to MAX_TICKET_HEADS acts that the issuer knew: an older state of the pool lacks them. */
  readonly heads: readonly EntryId[];
}

export interface Ticket extends TicketBody {
  readonly issuer: DeviceId;
  /** 64 bytes; not checked by the decoder. */
  readonly signature: Uint8Array;
  /** All of it, as it is in invites and acts. */
  readonly bytes: Uint8Array;
}

/** The first byte of a ticket, and of the invite that it begins. */
export const TICKET_VERSION = 2;
const KEY_BYTES = 32;
const DIGEST_BYTES = 32;
const SIGNATURE_BYTES = 64;
const EXPIRES_BYTES = 6;
const CHARTER_AT = 1 + 1 + 2 + EXPIRES_BYTES;
const INVITE_KEY_AT = CHARTER_AT + DIGEST_BYTES;
const ISSUER_AT = INVITE_KEY_AT + KEY_BYTES;
/** Where the number of heads lies: with this many bytes and one, a ticket's length is known. */
export const HEAD_COUNT_AT = ISSUER_AT + KEY_BYTES;
const HEADS_AT = HEAD_COUNT_AT + 1;
/** The longest has as many heads as there may be. */
export const MAX_TICKET_BYTES = ticketBytes(MAX_TICKET_HEADS);
const SIGNATURE_LABEL = utf8('palm/v1/ticket');

/** How long a ticket with so many heads is, bytes. */
export function ticketBytes(headCount: number): number {
  return HEADS_AT + headCount * DIGEST_BYTES + SIGNATURE_BYTES;
}

/** The ticket without its signature. */
export function encodeTicketBody(body: TicketBody): Uint8Array<ArrayBuffer> {
  const expires = new Uint8Array(8);
  new DataView(expires.buffer).setBigUint64(0, BigInt(body.expiresMs));
  return concatBytes(
    Uint8Array.of(TICKET_VERSION, INVITED_ROLES.indexOf(body.role), body.uses >> 8, body.uses & 0xff),
    expires.subarray(8 - EXPIRES_BYTES),
    digestOf(body.charter),
    body.inviteKey,
    body.issuerKey,
    Uint8Array.of(body.heads.length),
    ...body.heads.map(digestOf),
  );
}

/** What the issuer signs. */
export function signedTicketBytes(body: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(SIGNATURE_LABEL, body);
}

/** What the issuer signed. */
export function signedBytesOfTicket({ bytes }: Ticket): Uint8Array<ArrayBuffer> {
  return signedTicketBytes(bytes.subarray(0, bytes.length - SIGNATURE_BYTES));
}

/** Checks shape and ranges; not the signature. @throws PalmError 'bad-message'. */
export function decodeTicket(bytes: Uint8Array): Ticket {
  const headCount = bytes[HEAD_COUNT_AT] ?? 0;
  const role = INVITED_ROLES[bytes[1] ?? INVITED_ROLES.length];
  const uses = (bytes[2] ?? 0) * 256 + (bytes[3] ?? 0);
  if (bytes[0] !== TICKET_VERSION) throw bad('of another version');
  if (role === undefined) throw bad('for a role that no invite gives');
  if (headCount < 1 || headCount > MAX_TICKET_HEADS) throw bad('with too few or too many heads');
  if (bytes.length !== ticketBytes(headCount)) throw bad('of another length');
  if (uses < 1 || uses > MAX_INVITE_USES) throw bad('for an impossible number of devices');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const issuerKey = bytes.slice(ISSUER_AT, ISSUER_AT + KEY_BYTES);
  return {
    role,
    uses,
    expiresMs: view.getUint16(4) * 2 ** 32 + view.getUint32(6),
    charter: entryIdOfDigest(bytes, CHARTER_AT),
    inviteKey: bytes.slice(INVITE_KEY_AT, INVITE_KEY_AT + KEY_BYTES),
    issuerKey,
    issuer: deviceIdOf(issuerKey),
    heads: Array.from({ length: headCount }, (_, index) =>
      entryIdOfDigest(bytes, HEADS_AT + index * DIGEST_BYTES),
    ),
    signature: bytes.slice(bytes.length - SIGNATURE_BYTES),
    bytes: bytes.slice(),
  };
}

function bad(what: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'record', detail: `a ticket ${what}` });
}
