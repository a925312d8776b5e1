// The key that a passphrase stands for. People choose words that can be guessed, so each guess is made to
// cost time and memory: scrypt (RFC 7914).
//
// N = 2^15, r = 8, p = 1 take 32 MiB, and 0.3 s of a processor core of 2026 in a rented machine, so one to
// two seconds of a slow phone. Twice the memory could end the page on the smallest phones. Each lock has its
// own parameters in its row, so that later versions may ask for more.

import { scrypt } from '@noble/hashes/scrypt.js';
import { utf8 } from '../../../core/model/bytes.ts';
import { KEY_BYTES } from './slot-forms.ts';

export interface Stretch {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

export const NEW_STRETCH: Stretch = { log2N: 15, r: 8, p: 1 };
export const SALT_BYTES = 16;
/** A row that asks for more is damaged: no version ever asked for that. */
export const MAX_STRETCH_BYTES = 256 * 2 ** 20;

/** Bytes of memory that scrypt needs (RFC 7914, section 2). */
export function memoryOf({ log2N, r, p }: Stretch): number {
  return 128 * r * (2 ** log2N + p);
}

/** Takes its time, and blocks its thread: for workers. The same keys on any keyboard give the same text. */
export function keyOfPassphrase(passphrase: string, salt: Uint8Array, { log2N, r, p }: Stretch): Uint8Array {
  return scrypt(utf8(passphrase.normalize('NFKC')), salt, { N: 2 ** log2N, r, p, dkLen: KEY_BYTES });
}
