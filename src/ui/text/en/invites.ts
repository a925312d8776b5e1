// English: invites that let nobody in any more, and what may be asked of an invite.

import type { Failure } from '../../../core/model/failures.ts';
import { countOf } from './units.ts';

type EndedReason = 'expired' | 'used' | 'withdrawn' | 'shut-out';
type BadInviteOption = Extract<
  Failure,
  { readonly reason: 'invite-role' | 'invite-uses' | 'invite-time' | 'no-invite' | 'endless-invite' }
>;

export function endedInvite(reason: EndedReason): string {
  switch (reason) {
    case 'expired':
      return 'This invite has expired. Ask somebody in the pool for a new one. If it was made just now, check the date and time of this device.';
    case 'used':
      return 'This invite has been used already. Ask somebody in the pool for a new one.';
    case 'withdrawn':
      return 'This invite was withdrawn. Ask somebody in the pool for a new one.';
    case 'shut-out':
      return 'This device was shut out of the pool. If that was a mistake, ask an admin of the pool to let it in again.';
  }
}

export function badInviteOption(failure: BadInviteOption): string {
  switch (failure.reason) {
    case 'invite-role':
      return 'An invite makes a member or a reader. An admin can make a member an admin afterwards.';
    case 'invite-uses':
      return `An invite is for 1 to ${countOf(failure.max, 'device')}.`;
    case 'invite-time':
      return `An invite is valid for ${Math.floor(failure.maxMs / 86_400_000)} days at most.`;
    case 'no-invite':
      return 'There is no such invite, or it has expired.';
    case 'endless-invite':
      return 'This pool was made by an earlier Palm: its invite has no end, and whoever has it is a member.';
  }
}
