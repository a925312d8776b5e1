// At which doors a member waits: few members at each, because each door is a connection with the relay, and
// few doors for each member (FORMATS.md, invites). Every member decides for itself from whom it reaches, and
// one of those who reach each other always waits.

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_DOORS } from '../model/limits.ts';
import type { WallMs } from '../model/time.ts';

/** Members at one door, besides the issuer: one may be about to close its page. */
const ATTENDANT_COUNT = 3;

export interface AttendedInvite {
  /** Its public key, in hexadecimal. */
  readonly id: string;
  readonly issuer: DeviceId;
  readonly expiresMs: WallMs;
  /** Whether it still admits somebody. If not, those who come are told why. */
  readonly isLive: boolean;
}

/**
 * Its own first, since nobody else is sure to wait at these; then those that end soonest, so that invites for
 * a year do not take the doors of those for a day. `attendants`: reachable devices that may admit, this one
 * included.
 */
export function attendedDoors(
  invites: readonly AttendedInvite[],
  self: DeviceId,
  attendants: readonly DeviceId[],
): string[] {
  return invites
    .filter(({ id, issuer }) => issuer === self || firstAt(id, attendants).includes(self))
    .toSorted(
      (a, b) =>
        Number(b.isLive) - Number(a.isLive) ||
        Number(b.issuer === self) - Number(a.issuer === self) ||
        a.expiresMs - b.expiresMs,
    )
    .slice(0, MAX_DOORS)
    .map(({ id }) => id);
}

function firstAt(invite: string, attendants: readonly DeviceId[]): readonly DeviceId[] {
  if (attendants.length <= ATTENDANT_COUNT) return attendants;
  const order = attendants.map((device) => [hexOf(sha256(utf8(device + invite))), device] as const);
  return order
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, ATTENDANT_COUNT)
    .map(([, device]) => device);
}
