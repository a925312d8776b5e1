// Alive records: golden bytes, signatures, and that bad bytes are refused.

import { createPublicKey, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSigned } from '../../../../src/core/encoding/signed-record.ts';
import {
  decodeAlive,
  encodeAlivePayload,
  isLater,
  signedBytesOfAlive,
} from '../../../../src/core/membership/alive-record.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { MAX_ALIVE_BYTES } from '../../../../src/core/model/limits.ts';
import vectors from '../../../vectors/alive.json' with { type: 'json' };
import { bytesOfHex } from '../../../fixtures/erasure-oracle.ts';
import { expectOnly, expectThrows, mutationsOf } from '../../../fixtures/pool-fixture.ts';
import { identityFrom, PUBLIC_KEY_DER } from '../../../fixtures/seeded-identity.ts';

describe.each(vectors.cases)(
  'golden record $incarnation.$beat',
  ({ bytes, payload, signature, ...claim }) => {
    it('is read, and written again', async () => {
      const record = decodeAlive(bytesOfHex(bytes));
      const { pool, incarnation, beat, class: of, device } = record;
      const publicKey = hexOf(record.publicKey);
      expect({ pool, publicKey, incarnation, beat, class: of, device }).toEqual(claim);
      expect(hexOf(encodeAlivePayload(record))).toBe(payload);
      const { sign } = identityFrom(bytesOfHex(vectors.deviceSeed));
      const signed = await sign(signedBytesOfAlive(record.payload));
      expect(hexOf(signed)).toBe(signature);
      expect(hexOf(encodeSigned(record.payload, signed))).toBe(bytes);
      expect(record.bytes.length).toBeLessThan(MAX_ALIVE_BYTES);
      const spki = Buffer.concat([PUBLIC_KEY_DER, record.publicKey]);
      const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      expect(verify(null, signedBytesOfAlive(record.payload), key, record.signature)).toBe(true);
    });
  },
);

it('any garbage is refused, and nothing worse happens', () => {
  const mutated = fc.oneof(...vectors.cases.map(({ bytes }) => mutationsOf(bytesOfHex(bytes))));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), (bytes) =>
      expectOnly('bad-message', () => decodeAlive(bytes)),
    ),
    { numRuns: 1_000 },
  );
});

it('a record of incarnation 0 is refused: it means that nothing is known', () => {
  const [first] = vectors.cases;
  const claim = decodeAlive(bytesOfHex(first?.bytes ?? ''));
  const payload = encodeAlivePayload({ ...claim, incarnation: 0 });
  expectThrows('bad-message', () => decodeAlive(encodeSigned(payload, claim.signature)));
});

it('a later incarnation wins, then a later beat', () => {
  expect(isLater({ incarnation: 2, beat: 0 }, { incarnation: 1, beat: 9 })).toBe(true);
  expect(isLater({ incarnation: 1, beat: 9 }, { incarnation: 2, beat: 0 })).toBe(false);
  expect(isLater({ incarnation: 1, beat: 2 }, { incarnation: 1, beat: 1 })).toBe(true);
  expect(isLater({ incarnation: 1, beat: 1 }, { incarnation: 1, beat: 1 })).toBe(false);
});
