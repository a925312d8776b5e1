// What is remembered of files that needed repair is bounded, and what liars did is the last to go.

import { expect, it } from 'vitest';
import { RepairWaits } from '../../../../src/core/repair/repair-waits.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt } from '../../../fixtures/pool-fixture.ts';

const SELF = deviceAt(0).deviceId;
const HOLDER = deviceAt(1).deviceId;
const LIAR = deviceAt(2).deviceId;
const MAX_ENDED = 10_000;
const DAY_MS = 24 * 60 * 60_000;

const isGone = (): boolean => false;
const ofHolder = new Map([[HOLDER, new Set([0])]]);
const withLiar = new Map([...ofHolder, [LIAR, new Set([1])]]);

it('files that need repair no longer are forgotten after a day, or when they are many', () => {
  const waits = new RepairWaits(SELF);
  const files = indicesOf(MAX_ENDED + 2_000).map((index) => fileIdAt(index));
  const [flapped, ...others] = files;
  if (flapped === undefined) throw new Error('expected files');
  waits.needed(0, flapped, ofHolder, isGone);
  waits.over(1, flapped, withLiar);
  waits.needed(2, flapped, ofHolder, isGone);
  waits.over(3, flapped, ofHolder);
  for (const file of others) waits.needed(0, file, ofHolder, isGone);
  waits.keepOnly(new Set(files));
  // What needs repair now is not forgotten.
  expect(files.every((file) => waits.has(file))).toBe(true);
  for (const file of others) waits.over(4, file, withLiar);
  waits.keepOnly(new Set(files));
  expect(files.filter((file) => waits.has(file))).toHaveLength(MAX_ENDED);
  expect(waits.isUnsteady(flapped, LIAR)).toBe(true);
  const last = itemAt(files, files.length - 1);
  waits.over(DAY_MS + 3, last, withLiar);
  expect(waits.has(last)).toBe(true);
  waits.over(DAY_MS + 4, last, withLiar);
  expect(waits.has(last)).toBe(false);
});
