// Recovery codes as people write them down and type them in.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hexOf, bytesOfHex } from '../../../../src/core/model/bytes.ts';
import { decodeRecoveryCode, encodeRecoveryCode } from '../../../../src/core/model/recovery-code.ts';
import vectors from '../../../vectors/act.json' with { type: 'json' };
import { expectOnly } from '../../../fixtures/pool-fixture.ts';

const { bytes, text } = vectors.recoveryCode;
const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

function reasonOf(code: string): string {
  try {
    decodeRecoveryCode(code);
    return 'none';
  } catch (error) {
    return JSON.parse(JSON.stringify((error as { failure: unknown }).failure)).reason as string;
  }
}

it('writes and reads the golden code', () => {
  expect(encodeRecoveryCode(bytesOfHex(bytes))).toBe(text);
  expect(hexOf(decodeRecoveryCode(text))).toBe(bytes);
});

it('reads it as people type it: small letters, spaces, O for 0, I and L for 1', () => {
  expect(text).toContain('0');
  expect(text).toContain('1');
  for (const typed of [
    text.toLowerCase(),
    text.replaceAll('-', ''),
    `  ${text.replaceAll('-', ' ')}\n`,
    text.replaceAll('-', '–'),
    text.replaceAll('0', 'O').replaceAll('1', 'I'),
    text.replaceAll('0', 'o').replaceAll('1', 'l'),
  ])
    expect(hexOf(decodeRecoveryCode(typed))).toBe(bytes);
});

it('says what is wrong with one that it cannot read', () => {
  expect(reasonOf('')).toBe('length');
  expect(reasonOf(text.slice(0, -1))).toBe('length');
  expect(reasonOf(`${text}0`)).toBe('length');
  expect(reasonOf(text.replace('4', 'U'))).toBe('characters');
  expect(reasonOf(text.replace('4', '!'))).toBe('characters');
  expect(reasonOf('0'.repeat(2_000))).toBe('length');
  expect(reasonOf('0'.repeat(56))).toBe('mistyped');
});

it('notices any wrong sign, and any two that changed places', () => {
  const code = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((secret) => encodeRecoveryCode(secret));
  fc.assert(
    fc.property(code, fc.nat(55), fc.nat(30), (given, at, by) => {
      const signs = Array.from(given.replaceAll('-', ''));
      const sign = signs[at] ?? '';
      const others = Array.from(SIGNS).filter((each) => each !== sign);
      expect(reasonOf(signs.with(at, others[by] ?? '').join(''))).toBe('mistyped');
      const [one = '', two = ''] = [signs[at], signs[(at + 1) % 56]];
      if (one !== two)
        expect(
          reasonOf(
            signs
              .with(at, two)
              .with((at + 1) % 56, one)
              .join(''),
          ),
        ).toBe('mistyped');
    }),
    { numRuns: 300, seed: 1 },
  );
});

it('is refused as garbage, and nothing worse happens', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (garbage) =>
      expectOnly('bad-recovery-code', () => decodeRecoveryCode(garbage)),
    ),
  );
});
