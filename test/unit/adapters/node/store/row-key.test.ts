// Keys of rows as bytes: they sort as keys do, and come back.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rowKeyBytes, rowKeyOf, rowKeysOf } from '../../../../../src/adapters/node/store/row-key.ts';
import vectors from '../../../../vectors/row-keys.json' with { type: 'json' };

it('writes the keys of the vectors', () => {
  for (const { key, bytes } of vectors) {
    const value =
      typeof key === 'object' && 'hex' in key ? Uint8Array.from(Buffer.from(key.hex, 'hex')) : key;
    expect(Buffer.from(rowKeyBytes(value)).toString('hex')).toBe(bytes);
    expect(rowKeyOf(Buffer.from(bytes, 'hex'))).toEqual(value);
  }
});

it('brings every key back, in the order of the keys', () => {
  const key = fc.tuple(fc.string({ unit: 'binary-ascii' }), fc.nat());
  fc.assert(
    fc.property(key, key, (a, b) => {
      expect(rowKeyOf(rowKeyBytes(a))).toEqual(a);
      const order =
        a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? -1 : a[0] === b[0] && a[1] === b[1] ? 0 : 1;
      expect(Math.sign(Buffer.compare(rowKeyBytes(a), rowKeyBytes(b)))).toBe(order);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(rowKeyOf(rowKeyBytes(bytes))).toEqual(bytes);
    }),
  );
});

it('takes the lists that begin with a text, and no others', () => {
  const isIn = (key: unknown): boolean => {
    const { from, before } = rowKeysOf('ab');
    const bytes = rowKeyBytes(key);
    return Buffer.compare(bytes, from) >= 0 && Buffer.compare(bytes, before) < 0;
  };
  for (const key of [['ab', 0], ['ab', 2 ** 32 - 1], ['ab']]) expect(isIn(key), String(key)).toBe(true);
  for (const key of [['a', 9], ['abc', 0], ['ab\0', 0], 'ab', ['aa', 7], ['ac', 1]])
    expect(isIn(key), String(key)).toBe(false);
});

it.each([[-1], [0.5], [NaN], [undefined], [null], [{}]])('refuses %s as a key', (key) => {
  expect(() => rowKeyBytes(key)).toThrow(TypeError);
});
