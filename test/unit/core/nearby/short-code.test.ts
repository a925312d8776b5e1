// The code that two people compare, against vectors by an independent implementation; and that every byte of
// the exchange counts for it.

import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { webCryptography as cryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { parseExchangeKey } from '../../../../src/core/model/exchange-key.ts';
import { MAX_NEARBY_BYTES } from '../../../../src/core/model/limits.ts';
import { SIGNS } from '../../../../src/core/model/signs.ts';
import {
  decodeNearbyLetter,
  encodeNearbyLetter,
  type NearbyLetter,
} from '../../../../src/core/nearby/nearby-letter.ts';
import {
  agreeOn,
  commitmentTo,
  openNearbyInvite,
  sealNearbyInvite,
  type Exchange,
} from '../../../../src/core/nearby/short-code.ts';

interface Vector {
  readonly askerPrivate: string;
  readonly memberPrivate: string;
  readonly ask: string;
  readonly answer: string;
  readonly reveal: string;
  readonly signs: readonly string[];
  readonly digits: string;
  readonly choices: readonly string[];
  readonly invite: string;
  readonly sealed: string;
  readonly inviteLetter: string;
  readonly end: string;
}

const file = new URL('../../../vectors/nearby.json', import.meta.url);
const { exchanges }: { exchanges: readonly Vector[] } = JSON.parse(readFileSync(file, 'utf8'));

function bytes(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function exchangeOf({ ask, answer, reveal }: Pick<Vector, 'ask' | 'answer' | 'reveal'>): Exchange {
  const [a, b, c] = [ask, answer, reveal].map((hex) => decodeNearbyLetter(bytes(hex)));
  if (a?.kind !== 'ask' || b?.kind !== 'answer' || c?.kind !== 'reveal') throw new Error('three letters');
  return { ask: a, answer: b, reveal: c };
}

function agreed(vector: Vector, side: 'asker' | 'member', exchange = exchangeOf(vector)) {
  const { answer, reveal } = exchangeOf(vector);
  const isAsker = side === 'asker';
  const privateKey = bytes(isAsker ? vector.askerPrivate : vector.memberPrivate);
  const pair = { privateKey, publicKey: parseExchangeKey(isAsker ? reveal.key : answer.key) };
  return agreeOn(exchange, pair, isAsker ? exchange.answer.key : exchange.reveal.key, cryptography);
}

test.each(exchanges)('both ends of an exchange get the code of the vector $digits', async (vector) => {
  const exchange = exchangeOf(vector);
  expect(commitmentTo(exchange.reveal)).toEqual(exchange.ask.commitment);
  for (const side of ['asker', 'member'] as const) {
    const { code, ...rest } = await agreed(vector, side);
    expect(code).toEqual({ signs: vector.signs, digits: vector.digits, choices: vector.choices });
    const sealed = await sealNearbyInvite(vector.invite, { code, ...rest }, cryptography);
    expect(Buffer.from(sealed).toString('hex')).toBe(vector.sealed);
    expect(await openNearbyInvite(sealed, { code, ...rest }, cryptography)).toBe(vector.invite);
    sealed[0] = (sealed[0] ?? 0) ^ 1;
    expect(await openNearbyInvite(sealed, { code, ...rest }, cryptography)).toBeUndefined();
  }
});

describe('every part of the exchange is in the code', () => {
  const [vector] = exchanges;
  if (vector === undefined) throw new Error('there is a vector');
  const exchange = exchangeOf(vector);
  const other = new Uint8Array(32).fill(7);
  const changed: readonly (readonly [string, Exchange])[] = [
    ['the name of the pool', { ...exchange, ask: { ...exchange.ask, pool: 'Hone' } }],
    ['the name of the device', { ...exchange, ask: { ...exchange.ask, device: 'phone' } }],
    ['the commitment', { ...exchange, ask: { ...exchange.ask, commitment: other } }],
    ['which ask it is', { ...exchange, answer: { ...exchange.answer, ask: other.subarray(16) } }],
    ['the nonce', { ...exchange, reveal: { ...exchange.reveal, nonce: other } }],
    ['the key of the asker', { ...exchange, reveal: { ...exchange.reveal, key: exchange.answer.key } }],
  ];
  test.each(changed)('%s', async (_what, exchanged) => {
    const one = await agreed(vector, 'asker', exchanged);
    expect(one.code.digits).not.toBe(vector.digits);
    expect(one.code.signs).not.toEqual(vector.signs);
    expect(await openNearbyInvite(bytes(vector.sealed), one, cryptography)).toBeUndefined();
  });

  test('a reveal with another key or nonce is not what was committed to', () => {
    const { reveal, ask } = exchange;
    expect(commitmentTo({ ...reveal, key: exchange.answer.key })).not.toEqual(ask.commitment);
    expect(commitmentTo({ ...reveal, nonce: other })).not.toEqual(ask.commitment);
  });
});

describe('letters', () => {
  const letters = exchanges.flatMap(({ ask, answer, reveal, inviteLetter, end }) => [
    ask,
    answer,
    reveal,
    inviteLetter,
    end,
  ]);

  test('those of the vectors are read and written to the byte', () => {
    for (const letter of letters) {
      expect(Buffer.from(encodeNearbyLetter(decodeNearbyLetter(bytes(letter)))).toString('hex')).toBe(letter);
    }
    const kinds = new Set(letters.map((letter) => decodeNearbyLetter(bytes(letter)).kind));
    expect([...kinds].toSorted()).toEqual(['answer', 'ask', 'end', 'invite', 'reveal']);
  });

  test('whatever else arrives is refused with bad-message', () => {
    const damaged = fc
      .tuple(fc.constantFrom(...letters), fc.nat(), fc.nat(255))
      .map(([letter, at, value]) => {
        const copy = bytes(letter);
        copy[at % copy.length] = value;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 300 })), (sample) => {
        try {
          const letter: NearbyLetter = decodeNearbyLetter(sample);
          expect(encodeNearbyLetter(letter).length).toBeLessThanOrEqual(MAX_NEARBY_BYTES);
        } catch (error) {
          expect(isPalmError(error, 'bad-message')).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test('the signs are 64, and all different', () => {
  expect(SIGNS).toHaveLength(64);
  expect(new Set(SIGNS).size).toBe(64);
});
