// A file of which nobody claims anything: it was published a moment ago, or every holder found its copy
// damaged.

import { expect, it } from 'vitest';
import { repairNeedOf } from '../../../../src/core/repair/repair-need.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const FILE = {
  k: 4,
  n: 8,
  size: 1_000,
  blockBytes: 1_000,
  salt: seededBytes(16, 1),
  by: deviceAt(0).deviceId,
};

it('is not repaired while its storer may just not have said yet what it holds', () => {
  expect(repairNeedOf(FILE, new Map(), () => false)).toBeUndefined();
});

it('is repaired once it was placed: what is sound of damaged copies may be enough', () => {
  const need = repairNeedOf(FILE, new Map(), () => false, false, true);
  expect(need).toMatchObject({ durableCount: 0, missing: [0, 1, 2, 3, 4, 5, 6, 7], isUrgent: true });
});
