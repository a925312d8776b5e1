// The invite that the dialog shows. Opening the dialog again shows the same one, as long as it lets somebody
// in: each invite is told to the whole pool.

import { hexOf } from '../../core/model/bytes.ts';
import { readJoinLink } from '../../core/model/invite.ts';
import type { InvitedRole } from '../../core/model/role.ts';
import type { Palm } from '../../runtime/api.ts';

export interface InviteDraft {
  readonly role: InvitedRole;
  readonly uses: number;
  readonly expiresInMs: number;
}

const HOUR_MS = 60 * 60_000;
export const INVITE_USES = [1, 2, 3, 5, 10, 30, 100] as const satisfies readonly number[];
export const INVITE_TIMES_MS: readonly number[] = [
  HOUR_MS,
  24 * HOUR_MS,
  7 * 24 * HOUR_MS,
  30 * 24 * HOUR_MS,
];
export const USUAL_INVITE: InviteDraft = { role: 'member', uses: 1, expiresInMs: 24 * HOUR_MS };

export class ShownInvite {
  readonly #palm: Pick<Palm, 'invite' | 'invites' | 'status'>;
  #last: string | undefined;

  constructor(palm: Pick<Palm, 'invite' | 'invites' | 'status'>) {
    this.#palm = palm;
  }

  /** Whether the pool's invites end. One of an earlier Palm has a single one, which does not. */
  get isEnding(): boolean {
    return this.#palm.status().pool?.invitesEnd === true;
  }

  /** The last one that still lets somebody in, or a new one. */
  async show(): Promise<string> {
    if (!this.isEnding) return this.#palm.invite();
    const last = this.#last;
    const id = last === undefined ? undefined : idOf(last);
    const isLive = this.#palm.invites().some((invite) => invite.id === id && invite.state === 'live');
    return last !== undefined && isLive ? last : this.make(USUAL_INVITE);
  }

  async make(draft: InviteDraft): Promise<string> {
    const made = await this.#palm.invite({ ...draft });
    this.#last = made;
    return made;
  }
}

/** As in `invites()`. */
export function idOf(url: string): string | undefined {
  const link = readJoinLink(url);
  return link.kind === 'ticket' ? hexOf(link.invite.ticket.inviteKey) : undefined;
}
