// How a key lies in its slot (key-slots.ts): as it is, or locked under the device's lock key, so that a file
// of locked slots opens nothing without the passphrase (FORMATS.md, "The lock").
//
// A locked slot is a nonce and the key, XORed with an HMAC of the nonce. The nonce is random each time, so
// that what a slot had before says nothing of what it has now. Whether the key is the right one shows in the
// seal of its row. Zeros are an erased slot in either form.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '../../../core/model/bytes.ts';
import { PalmError } from '../../../core/model/errors.ts';
import { systemRandom } from '../random.ts';

export const KEY_BYTES = 32;
const NONCE_BYTES = 32;

export interface SlotForm {
  readonly slotBytes: number;
  /** Whether keys can be read and made. */
  readonly isOpen: boolean;
  /** A key as it lies in its slot. @throws PalmError 'locked' without the lock key. */
  seal(key: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The reverse; a copy. @throws PalmError 'locked' without the lock key. */
  open(slot: Uint8Array): Uint8Array<ArrayBuffer>;
}

export const PLAIN_SLOTS: SlotForm = {
  slotBytes: KEY_BYTES,
  isOpen: true,
  seal: (key) => new Uint8Array(key),
  open: (slot) => new Uint8Array(slot),
};

/** `lockKey`: 32 bytes; undefined while the device is locked. */
export function lockedSlots(lockKey: Uint8Array | undefined): SlotForm {
  const masked = (nonce: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
    if (lockKey === undefined) throw new PalmError({ code: 'locked' });
    const mask = hmac(sha256, lockKey, nonce);
    return Uint8Array.from(bytes, (byte, at) => byte ^ (mask[at] ?? 0));
  };
  return {
    slotBytes: NONCE_BYTES + KEY_BYTES,
    isOpen: lockKey !== undefined,
    seal(key) {
      const nonce = systemRandom.bytes(NONCE_BYTES);
      return concatBytes(nonce, masked(nonce, key));
    },
    open: (slot) => masked(slot.subarray(0, NONCE_BYTES), slot.subarray(NONCE_BYTES)),
  };
}
