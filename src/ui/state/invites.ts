// The pool's invites, as they change.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Palm } from '../../runtime/api.ts';
import type { InviteStatus } from '../../runtime/invite-api.ts';
import { usePage } from './page.ts';

export function useInvites(): readonly InviteStatus[] {
  const { palm } = usePage();
  const invites = useSignal(invitesOf(palm));
  useEffect(
    () =>
      palm.subscribe(() => {
        const now = invitesOf(palm);
        // Most changes of a pool concern no invite, and need not be drawn.
        if (JSON.stringify(now) !== JSON.stringify(invites.peek())) invites.value = now;
      }),
    [palm, invites],
  );
  return invites.value;
}

function invitesOf(palm: Palm): readonly InviteStatus[] {
  return palm.status().pool === undefined ? [] : palm.invites();
}
