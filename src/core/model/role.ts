// What a device may do in its pool.

/** From the least to the greatest. */
export const ROLES = ['reader', 'member', 'admin'] as const;

/**
 * A reader reads files and holds fragments. A member also stores, and removes what it stored. An admin
 * removes everything, sets the policy, and grants roles.
 */
export type Role = (typeof ROLES)[number];

/** The rank of everybody who is no admin. */
export const NO_RANK = 255;

/** What an invite can make of a newcomer. Nobody becomes an admin by a link: an admin makes admins. */
export const INVITED_ROLES = ['reader', 'member'] as const satisfies readonly Role[];
export type InvitedRole = (typeof INVITED_ROLES)[number];
