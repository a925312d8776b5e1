// Invites, as the public face shows them. Documented in docs/API.md.

import type { InvitedRole } from '../core/model/role.ts';

export interface InviteOptions {
  /** What the newcomer becomes. Default 'member'. */
  readonly role?: InvitedRole;
  /** How many devices it admits, 1 to 1,000. Default 1. */
  readonly uses?: number;
  /** How long it is valid, ms, at most 366 days. Default one day. */
  readonly expiresInMs?: number;
}

export interface InviteStatus {
  /** For `withdrawInvite`. */
  readonly id: string;
  readonly role: InvitedRole;
  readonly uses: number;
  /** How many devices came in by it, as far as this device knows. */
  readonly used: number;
  /** Ms since the Unix epoch, by its maker's clock. */
  readonly expiresMs: number;
  /** The id of the device that made it. */
  readonly by: string;
  readonly state: 'live' | 'used' | 'withdrawn' | 'expired';
}

/** A join that waits to be let in. */
export interface JoiningStatus {
  /** 'waiting': no member of the pool has answered yet; 'asking': one has. */
  readonly state: 'waiting' | 'asking';
  readonly relay: 'connecting' | 'connected' | 'lost';
  /** When the invite ends, ms since the Unix epoch. */
  readonly expiresMs: number;
}
