// The letters of an ask to join, between a device in no pool and one that listed its pool (FORMATS.md, nearby
// pools). The relay carries them and can read, change, drop and repeat them: nothing in them is believed
// until people have compared the code that follows from all of them (short-code.ts).

import { bad, bytesOf, decodeCbor, encodeCbor, fieldsOf, kindOf, oneOf, textOf } from '../encoding/decode.ts';
import { EXCHANGE_KEY_BYTES, parseExchangeKey, type ExchangeKey } from '../model/exchange-key.ts';
import { MAX_DEVICE_NAME_BYTES, MAX_NEARBY_BYTES, MAX_POOL_NAME_BYTES } from '../model/limits.ts';

export const ASK_ID_BYTES = 16;
export const NONCE_BYTES = 32;
const COMMITMENT_BYTES = 32;

/** Why one end gives an ask up. Nothing authenticates it: the relay can say it, too. */
const ASK_ENDS = ['refused', 'busy', 'differs', 'too-late', 'given-up'] as const;
type AskEnd = (typeof ASK_ENDS)[number];

/** In each, `ask`: which one, ASK_ID_BYTES random bytes of its asker. */
export type NearbyLetter =
  /** To who listed. `pool`: the name that the asker was shown; `device`: its own. */
  | {
      readonly kind: 'ask';
      readonly ask: Uint8Array;
      readonly pool: string;
      readonly device: string;
      readonly commitment: Uint8Array;
    }
  /** To the asker, once a person wants to compare. */
  | { readonly kind: 'answer'; readonly ask: Uint8Array; readonly key: ExchangeKey }
  /** What the asker had committed itself to. */
  | Reveal
  /** To the asker, once a person has compared: an invite, for it alone. */
  | { readonly kind: 'invite'; readonly ask: Uint8Array; readonly sealed: Uint8Array }
  | { readonly kind: 'end'; readonly ask: Uint8Array; readonly reason: AskEnd };

export interface Reveal {
  readonly kind: 'reveal';
  readonly ask: Uint8Array;
  readonly key: ExchangeKey;
  readonly nonce: Uint8Array;
}

/** The caller owns the result. */
export function encodeNearbyLetter(letter: NearbyLetter): Uint8Array<ArrayBuffer> {
  return encodeCbor(letter);
}

/** @throws PalmError 'bad-message'. */
export function decodeNearbyLetter(bytes: Uint8Array): NearbyLetter {
  const value = decodeCbor(bytes, MAX_NEARBY_BYTES);
  const kind = kindOf(value);
  switch (kind) {
    case 'ask': {
      const fields = fieldsOf(value, ['kind', 'ask', 'pool', 'device', 'commitment']);
      return {
        kind,
        ask: askIdOf(fields['ask']),
        pool: textOf(fields['pool'], MAX_POOL_NAME_BYTES),
        device: textOf(fields['device'], MAX_DEVICE_NAME_BYTES),
        commitment: bytesOf(fields['commitment'], COMMITMENT_BYTES, COMMITMENT_BYTES),
      };
    }
    case 'answer': {
      const fields = fieldsOf(value, ['kind', 'ask', 'key']);
      return { kind, ask: askIdOf(fields['ask']), key: keyOf(fields['key']) };
    }
    case 'reveal': {
      const fields = fieldsOf(value, ['kind', 'ask', 'key', 'nonce']);
      return {
        kind,
        ask: askIdOf(fields['ask']),
        key: keyOf(fields['key']),
        nonce: bytesOf(fields['nonce'], NONCE_BYTES, NONCE_BYTES),
      };
    }
    case 'invite': {
      const fields = fieldsOf(value, ['kind', 'ask', 'sealed']);
      return { kind, ask: askIdOf(fields['ask']), sealed: bytesOf(fields['sealed'], 1, MAX_NEARBY_BYTES) };
    }
    case 'end': {
      const fields = fieldsOf(value, ['kind', 'ask', 'reason']);
      return { kind, ask: askIdOf(fields['ask']), reason: oneOf(fields['reason'], ASK_ENDS) };
    }
    default:
      throw bad('a letter that no ask to join has');
  }
}

function askIdOf(value: unknown): Uint8Array {
  return bytesOf(value, ASK_ID_BYTES, ASK_ID_BYTES);
}

function keyOf(value: unknown): ExchangeKey {
  return parseExchangeKey(bytesOf(value, EXCHANGE_KEY_BYTES, EXCHANGE_KEY_BYTES));
}
