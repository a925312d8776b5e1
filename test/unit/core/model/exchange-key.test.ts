// An exchange key from elsewhere is a point of its curve, or refused.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { bytesOfHex } from '../../../../src/core/model/bytes.ts';
import { parseExchangeKey } from '../../../../src/core/model/exchange-key.ts';
import { expectOnly, expectThrows } from '../../../fixtures/pool-fixture.ts';

// NIST SP 800-186, 3.2.1.3: the base point.
const BASE =
  '046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296' +
  '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5';
/** The curve has the point (0, this). */
const SQUARE_ROOT_OF_B = '66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4';

it('accepts the base point, and what the engine makes', async () => {
  expect(parseExchangeKey(bytesOfHex(BASE))).toEqual(bytesOfHex(BASE));
  for (let pair = 0; pair < 8; pair++) {
    const { publicKey } = await webCryptography.newExchangePair();
    expect(parseExchangeKey(publicKey)).toEqual(publicKey);
  }
});

it('refuses points that are not on the curve, and every other form', () => {
  const base = bytesOfHex(BASE);
  for (let at = 0; at < base.length; at++) {
    expectThrows('bad-message', () => parseExchangeKey(base.with(at, (base[at] ?? 0) ^ 1)));
  }
  const compressed = Uint8Array.of(3, ...base.subarray(1, 33));
  const zero = new Uint8Array(65);
  zero[0] = 4;
  // x = p: the point with x = 0, if coordinates were reduced.
  const aboveField = bytesOfHex(
    `04ffffffff00000001000000000000000000000000ffffffffffffffffffffffff${SQUARE_ROOT_OF_B}`,
  );
  const belowField = bytesOfHex(`04${'00'.repeat(32)}${SQUARE_ROOT_OF_B}`);
  expect(parseExchangeKey(belowField)).toEqual(belowField);
  for (const bytes of [compressed, zero, aboveField, base.subarray(1), Uint8Array.of(...base, 0)]) {
    expectThrows('bad-message', () => parseExchangeKey(bytes));
  }
});

it('from any value is either a point or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.uint8Array({ minLength: 65, maxLength: 65 })), (value) => {
      expectOnly('bad-message', () => parseExchangeKey(value));
    }),
  );
});
