// What can go wrong with passkeys.

/** Why a page has no passkeys: it was opened at an address, or its browser lacks them, or their secrets. */
export type NoPasskeys = 'passkey-address' | 'no-passkeys' | 'passkey-prf';

/**
 * 'not-used': the prompt was closed, ran out of time, or found no such passkey: browsers do not say which.
 * 'no-secret': it signs people in, and has no secret for a lock. 'wrong': its secret opens another lock.
 */
export type PasskeyFailed =
  | { readonly code: 'passkey-failed'; readonly reason: 'not-used' | 'no-secret' | 'wrong' }
  | { readonly code: 'passkey-failed'; readonly reason: 'refused'; readonly detail: string };
