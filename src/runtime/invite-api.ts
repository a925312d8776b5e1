// Invites, as the public face shows them. Documented in docs/API.md.

import type { InvitedRole, Role } from '../core/model/role.ts';

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

/** A device that came in by an invite. */
export interface InvitedDeviceStatus {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** The device that let it in, and when, by that one's clock. */
  readonly byId: string;
  readonly byName: string;
  readonly atMs: number;
  /** It came in beyond the count. `grant` it a role to keep it, or shut it out: both take it off the list. */
  readonly beyond: boolean;
}

/**
 * An invite by which more devices came in than it was for. Parts of a pool that do not reach each other each
 * count for themselves; which device is 'beyond' follows from who had seen whom come in, and not from whom it
 * was meant for.
 */
export interface OverusedInviteStatus {
  readonly id: string;
  readonly uses: number;
  /** Those that are in, in the order in which they are counted. */
  readonly devices: readonly InvitedDeviceStatus[];
}

/** A join that waits to be let in. */
export interface JoiningStatus {
  /** 'waiting': no member of the pool has answered yet; 'asking': one has. */
  readonly state: 'waiting' | 'asking';
  readonly relay: 'connecting' | 'connected' | 'lost';
  /** When the invite ends, ms since the Unix epoch. */
  readonly expiresMs: number;
}
