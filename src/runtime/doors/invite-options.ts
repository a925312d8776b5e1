// What people may ask of an invite.

import { PalmError } from '../../core/model/errors.ts';
import { MAX_INVITE_MS, MAX_INVITE_USES } from '../../core/model/limits.ts';
import { INVITED_ROLES, type InvitedRole } from '../../core/model/role.ts';
import type { InviteOptions } from '../invite-api.ts';

/** One device, for one day: a lost link is soon worth nothing. */
const USUAL_MS = 24 * 60 * 60_000;

/** With what is not said. @throws PalmError 'bad-argument'. */
export function checkedInviteOptions(options: InviteOptions): Required<InviteOptions> {
  const { role = 'member', uses = 1, expiresInMs = USUAL_MS } = options;
  if (!isInvitedRole(role)) throw new PalmError({ code: 'bad-argument', reason: 'invite-role' });
  if (!isWhole(uses, MAX_INVITE_USES)) {
    throw new PalmError({ code: 'bad-argument', reason: 'invite-uses', max: MAX_INVITE_USES });
  }
  if (!isWhole(expiresInMs, MAX_INVITE_MS)) {
    throw new PalmError({ code: 'bad-argument', reason: 'invite-time', maxMs: MAX_INVITE_MS });
  }
  return { role, uses, expiresInMs };
}

function isInvitedRole(role: unknown): role is InvitedRole {
  return INVITED_ROLES.some((invited) => invited === role);
}

function isWhole(value: unknown, max: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= max;
}
