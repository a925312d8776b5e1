// An invite as its issuer tells the members of it, so that they let newcomers in while the issuer is away:
// its ticket, and the key of its door's room. Sealed like a name, because the ticket alone says little and
// whoever has that key may stand at the door (FORMATS.md, invites).

import { concatBytes, utf8 } from '../model/bytes.ts';
import type { PoolId } from '../model/ids.ts';
import { INVITE_SEED_BYTES } from '../model/invite-door.ts';
import { decodeTicket, type Ticket } from '../model/ticket.ts';
import type { Cryptography } from '../ports.ts';
import { openRecord, sealRecord } from './sealed-record.ts';

/** An invite that a member can let newcomers in by. */
export interface LiveInvite {
  readonly ticket: Ticket;
  /** Opens the door's room, 32 bytes; it does not prove the invite. */
  readonly waitingKey: Uint8Array;
}

/** @param nonce 12 random bytes, never used before. */
export function sealLiveInvite(
  { ticket, waitingKey }: LiveInvite,
  key: Uint8Array,
  pool: PoolId,
  nonce: Uint8Array,
  cryptography: Cryptography,
): Promise<Uint8Array<ArrayBuffer>> {
  return sealRecord(concatBytes(ticket.bytes, waitingKey), key, aad(pool), nonce, cryptography);
}

/**
 * The ticket's signature is not checked.
 * @throws PalmError 'bad-message' when it was not sealed with one of `keys` for `pool`, or is malformed.
 */
export async function openLiveInvite(
  sealed: Uint8Array,
  keys: readonly Uint8Array[],
  pool: PoolId,
  cryptography: Cryptography,
): Promise<LiveInvite> {
  const plain = await openRecord('an invite', sealed, keys, aad(pool), cryptography);
  const ticketBytes = Math.max(0, plain.length - INVITE_SEED_BYTES);
  return { ticket: decodeTicket(plain.subarray(0, ticketBytes)), waitingKey: plain.slice(ticketBytes) };
}

function aad(pool: PoolId): Uint8Array {
  return utf8(`palm/v1/live-invite/${pool}`);
}
