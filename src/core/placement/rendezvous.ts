// Rendezvous hashing (Thaler and Ravishankar 1998): all that know the same devices order them alike.

import { sha256 } from '@noble/hashes/sha2.js';
import { hexOf, utf8 } from '../model/bytes.ts';
import type { DeviceId } from '../model/ids.ts';

/**
 * -1 / ln(h) with h in (0, 1) from SHA-256 of the file's salt and the device: the higher, the better a home.
 * All devices weigh the same: a device's offered space is only its word and must not attract fragments.
 */
export function rendezvousScore(salt: Uint8Array, device: DeviceId): number {
  const digest = sha256(utf8(`palm/v1/rendezvous/${hexOf(salt)}/${device}`));
  let hash = 0;
  for (const byte of digest.subarray(0, 6)) hash = hash * 256 + byte;
  const unit = (hash + 0.5) / 2 ** 48;
  return -1 / Math.log(unit);
}
