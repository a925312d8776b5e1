// The code by which a person knows an upgrade.

import { expect, it } from 'vitest';
import { charterCode, isCharterCode } from '../../../../../src/core/catalogue/grants/charter-code.ts';
import { cidOf } from '../../../../../src/core/model/ids.ts';
import { charterBy } from '../../../../fixtures/signed-acts.ts';
import { deviceAt } from '../../../../fixtures/pool-fixture.ts';

const charter = (await charterBy(deviceAt(0), [deviceAt(1)])).record.id;
const other = (await charterBy(deviceAt(1), [deviceAt(0)])).record.id;
const code = charterCode(charter);

it('has the first 60 bits of the hash in the id', () => {
  const bits = Array.from(cidOf(charter).multihash.digest, (byte) => byte.toString(2).padStart(8, '0')).join(
    '',
  );
  const signs = Array.from({ length: 12 }, (_, at) => {
    const value = Number.parseInt(bits.slice(5 * at, 5 * at + 5), 2);
    return '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[value];
  }).join('');
  expect(code).toBe(`${signs.slice(0, 4)}-${signs.slice(4, 8)}-${signs.slice(8)}`);
});

it('is known however it was typed', () => {
  const digitsAsLetters = code.replaceAll('0', 'o').replaceAll('1', 'l');
  for (const typed of [code, code.toLowerCase(), code.replaceAll('-', ''), ` ${code} `, digitsAsLetters]) {
    expect(isCharterCode(typed, charter)).toBe(true);
  }
});

it('is no other one', () => {
  const last = code.endsWith('0') ? '1' : '0';
  for (const typed of [
    charterCode(other),
    '',
    code.slice(0, -1),
    `${code}0`,
    code.slice(0, -1) + last,
    '!',
    code.repeat(1_000),
  ]) {
    expect(isCharterCode(typed, charter)).toBe(false);
  }
});
