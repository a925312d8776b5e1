// Whether an invite lets a device in now, as far as this member's acts say (FORMATS.md, invites). Pure. The
// same rule decides for everybody whether the act that follows counts; this one answers in words before it is
// written.

import type { DeviceId, EntryId } from '../model/ids.ts';
import { INVITE_TOLERANCE_MS } from '../model/limits.ts';
import type { Role } from '../model/role.ts';
import type { Ticket } from '../model/ticket.ts';
import type { WallMs } from '../model/time.ts';
import type { AdmissionRefusal } from './door-message.ts';

/** 'give': it is in already, and gets what it lost on the way. */
export type Verdict = 'admit' | 'give' | AdmissionRefusal;

/** What a member knows of its pool when it judges. */
export interface AdmissionFacts {
  /** The charter that it follows. */
  readonly charter: EntryId | undefined;
  knows(act: EntryId): boolean;
  /** Undefined for devices that are not in. */
  roleOf(device: DeviceId): Role | undefined;
  isOut(device: DeviceId): boolean;
  isWithdrawn(inviteKey: Uint8Array): boolean;
  /** How many devices the invite let in. */
  admittedBy(inviteKey: Uint8Array): number;
  /** The later of its wall clock and its hybrid clock. */
  readonly nowMs: WallMs;
}

export function verdictOf(
  ticket: Ticket,
  newcomer: DeviceId,
  admitter: DeviceId,
  facts: AdmissionFacts,
): Verdict {
  if (ticket.charter !== facts.charter || !ticket.heads.every((head) => facts.knows(head))) return 'unknown';
  const ownRole = facts.roleOf(admitter);
  if (ownRole !== 'member' && ownRole !== 'admin') return 'unknown';
  if (facts.isOut(newcomer)) return 'shut-out';
  if (facts.roleOf(newcomer) !== undefined) return 'give';
  if (facts.isWithdrawn(ticket.inviteKey) || facts.roleOf(ticket.issuer) !== 'admin') return 'withdrawn';
  if (facts.admittedBy(ticket.inviteKey) >= ticket.uses) return 'used';
  return isExpired(ticket, facts.nowMs) ? 'expired' : 'admit';
}

/** Clocks differ: an invite is over only once it has expired for a while. */
export function isExpired({ expiresMs }: Pick<Ticket, 'expiresMs'>, nowMs: WallMs): boolean {
  return nowMs > expiresMs + INVITE_TOLERANCE_MS;
}
