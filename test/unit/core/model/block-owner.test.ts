// Owners of blocks: what each function makes can be read back from a disk, and nothing else can.

import { describe, expect, test } from 'vitest';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import {
  deviceIdOf,
  ownerOfForetold,
  ownerOfLoading,
  ownerOfStore,
  ownerOfTaking,
  parseBlockOwner,
  parseJobId,
} from '../../../../src/core/model/ids.ts';

const DEVICE = deviceIdOf(new Uint8Array(32));
const JOB = parseJobId(new Uint8Array(16));

describe('an owner of blocks', () => {
  test.each([ownerOfStore('ab'.repeat(16)), ownerOfTaking(7), ownerOfForetold(DEVICE, JOB)])(
    'is read from the disk as it was written: %s',
    (owner) => expect(parseBlockOwner(owner)).toBe(owner),
  );

  test.each([ownerOfLoading(), 'fragment:x', 'store:', 'store', '', `store:${'x'.repeat(250)}`, 7, null])(
    'is refused when no function made it for the disk: %s',
    (value) =>
      expect(() => parseBlockOwner(value)).toThrow(
        expect.toSatisfy((error: unknown) => isPalmError(error, 'bad-message')),
      ),
  );

  test('differs from those of other kinds, jobs and devices', () => {
    const other = deviceIdOf(new Uint8Array(32).fill(1));
    const owners = [
      ownerOfStore('1'),
      ownerOfTaking(1),
      ownerOfForetold(DEVICE, JOB),
      ownerOfForetold(other, JOB),
    ];
    expect(new Set(owners).size).toBe(owners.length);
  });
});
