// Checks of invites and of the acts that admit somebody (FORMATS.md, invites): signatures only. Whether the
// issuer might invite, and how often the invite was used, follows from the pool's acts.

import { concatBytes, utf8 } from '../../model/bytes.ts';
import { isPalmError } from '../../model/errors.ts';
import { digestOf, type DeviceId } from '../../model/ids.ts';
import { decodeTicket, signedBytesOfTicket, type Ticket } from '../../model/ticket.ts';
import type { Cryptography } from '../../ports.ts';

/** What a newcomer shows, and the act that admits it repeats. */
export interface Application {
  /** As it is in the invite. */
  readonly ticket: Uint8Array;
  /** The newcomer's public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Its exchange key, 65 bytes. */
  readonly exchange: Uint8Array;
  /** By the invite's key, 64 bytes. */
  readonly proof: Uint8Array;
  /** By the newcomer's key, 64 bytes. */
  readonly consent: Uint8Array;
}

const LABEL = utf8('palm/v1/admission');

/** What proof and consent sign: who is admitted, by whom, and by which invite. */
export async function applicationBytes(
  { ticket, key, exchange }: Pick<Application, 'ticket' | 'key' | 'exchange'>,
  admitter: DeviceId,
  { sha256 }: Pick<Cryptography, 'sha256'>,
): Promise<Uint8Array<ArrayBuffer>> {
  return concatBytes(LABEL, await sha256(ticket), key, exchange, digestOf(admitter));
}

/** The ticket, if its issuer signed it. */
export async function checkTicket(
  bytes: Uint8Array,
  cryptography: Pick<Cryptography, 'verify'>,
): Promise<Ticket | undefined> {
  try {
    const ticket = decodeTicket(bytes);
    const isSigned = await cryptography.verify(
      ticket.issuerKey,
      signedBytesOfTicket(ticket),
      ticket.signature,
    );
    return isSigned ? ticket : undefined;
  } catch (error) {
    if (isPalmError(error, 'bad-message')) return undefined;
    throw error;
  }
}

/**
 * The ticket of an application to `admitter`, if all of its signatures fit: the issuer's, that of the
 * invite's key, and the newcomer's.
 */
export async function checkAdmit(
  application: Application,
  admitter: DeviceId,
  cryptography: Pick<Cryptography, 'verify' | 'sha256'>,
): Promise<Ticket | undefined> {
  const ticket = await checkTicket(application.ticket, cryptography);
  if (ticket === undefined) return undefined;
  const signed = await applicationBytes(application, admitter, cryptography);
  const isProved = await cryptography.verify(ticket.inviteKey, signed, application.proof);
  return isProved && (await cryptography.verify(application.key, signed, application.consent))
    ? ticket
    : undefined;
}
