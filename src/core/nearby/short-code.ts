// The short code that two people compare, and the key for what is handed over once they have (FORMATS.md,
// nearby pools).
//
// The exchange is that of a short authentication string: the asker commits itself to a fresh key before it
// sees the other's, and reveals it after (Vaudenay, "Secure Communications over Insecure Channels Based on
// Short Authenticated Strings", CRYPTO 2005; RFC 6189, 4.4.1.1, for the commitment; Bluetooth Core 5.4, Vol 2
// Part H, 7.2.1, for six digits that people compare). Invariants: neither end, nor anybody between them, can
// try keys until a code fits, since each has fixed its own before it can know the other's; both ends get one
// code only if every byte of the three letters arrived as it was sent.

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesOf, decodeCbor, encodeCbor, textOf, tupleOf } from '../encoding/decode.ts';
import { concatBytes, utf8 } from '../model/bytes.ts';
import type { ExchangePair, ExchangeKey } from '../model/exchange-key.ts';
import { MAX_NEARBY_BYTES } from '../model/limits.ts';
import { DIGIT_COUNT, SIGNS } from '../model/signs.ts';
import type { Cryptography } from '../ports.ts';
import { encodeNearbyLetter, type NearbyLetter, type Reveal } from './nearby-letter.ts';

/** Signs to choose among: four taken blindly fit once in 20 736. */
const CHOICE_COUNT = 12;

export interface ShortCode {
  /** SIGN_COUNT of SIGNS. */
  readonly signs: readonly string[];
  /** DIGIT_COUNT decimal digits. */
  readonly digits: string;
  /** CHOICE_COUNT different ones of SIGNS, in their order, with those of the code among them. */
  readonly choices: readonly string[];
}

export interface Agreed {
  readonly code: ShortCode;
  /** 32 bytes: seals the one thing that is handed over. */
  readonly key: Uint8Array;
}

const COMMITMENT_LABEL = utf8('palm/v1/nearby-commitment');
const TRANSCRIPT_LABEL = utf8('palm/v1/nearby-transcript');
const INVITE_LABEL = utf8('palm/v1/nearby-invite');
const KEY_BYTES = 32;
/** 3 for four signs of six bits, 5 for six digits, and enough to pick eight others with. */
const CODE_BYTES = 3 + 5 + 64;
/** A key seals one message. */
const ZERO_NONCE = new Uint8Array(12);

/** What the asker commits itself to: every byte of what it will reveal. */
export function commitmentTo(reveal: Reveal): Uint8Array {
  return sha256(concatBytes(COMMITMENT_LABEL, encodeNearbyLetter(reveal)));
}

export interface Exchange {
  readonly ask: NearbyLetter & { readonly kind: 'ask' };
  readonly answer: NearbyLetter & { readonly kind: 'answer' };
  readonly reveal: Reveal;
}

/** What both ends get of one exchange; `own`: the pair of this end, `other`: the key of the other. */
export async function agreeOn(
  { ask, answer, reveal }: Exchange,
  own: ExchangePair,
  other: ExchangeKey,
  cryptography: Pick<Cryptography, 'agree'>,
): Promise<Agreed> {
  const shared = await cryptography.agree(own, other);
  // Lengths are part of the encoding: one list, one meaning.
  const letters = encodeCbor([ask, answer, reveal].map(encodeNearbyLetter));
  const transcript = sha256(concatBytes(TRANSCRIPT_LABEL, letters));
  const derive = (label: string, length: number): Uint8Array =>
    hkdf(sha256, shared, transcript, utf8(`palm/v1/nearby-${label}`), length);
  return { code: shortCode(derive('code', CODE_BYTES)), key: derive('key', KEY_BYTES) };
}

/** `bytes`: CODE_BYTES, uniformly random. */
function shortCode(bytes: Uint8Array): ShortCode {
  const [a = 0, b = 0, c = 0] = bytes;
  const bits = (a << 16) | (b << 8) | c;
  const signs = [18, 12, 6, 0].map((shift) => signAt((bits >> shift) & 63));
  // 40 bits: no digit is likelier than another by a millionth.
  const number = bytes.subarray(3, 8).reduce((sum, byte) => sum * 256 + byte, 0);
  const digits = String(number % 10 ** DIGIT_COUNT).padStart(DIGIT_COUNT, '0');
  const choices = new Set(signs);
  for (const byte of bytes.subarray(8)) if (choices.size < CHOICE_COUNT) choices.add(signAt(byte & 63));
  // 64 draws of 64 signs all but always give the eight or more that lack; if not, the first ones do.
  for (const sign of SIGNS) if (choices.size < CHOICE_COUNT) choices.add(sign);
  return { signs, digits, choices: SIGNS.filter((sign) => choices.has(sign)) };
}

function signAt(index: number): string {
  return SIGNS[index] ?? '';
}

/** Seals an invite's link. The caller owns the result. */
export function sealNearbyInvite(
  invite: string,
  { key }: Agreed,
  cryptography: Pick<Cryptography, 'seal'>,
): Promise<Uint8Array<ArrayBuffer>> {
  return cryptography.seal(key, ZERO_NONCE, INVITE_LABEL, encodeCbor([invite]));
}

/** Undefined for anything else than what the other end of the same exchange sealed. */
export async function openNearbyInvite(
  sealed: Uint8Array,
  { key }: Agreed,
  cryptography: Pick<Cryptography, 'open'>,
): Promise<string | undefined> {
  const plain = await cryptography.open(key, ZERO_NONCE, INVITE_LABEL, bytesOf(sealed, 1, MAX_NEARBY_BYTES));
  if (plain === undefined) return undefined;
  const [invite] = tupleOf(decodeCbor(plain, MAX_NEARBY_BYTES), 1);
  return textOf(invite, MAX_NEARBY_BYTES);
}
