// Staged blocks that repairs left behind: used by the next repair, or discarded; never kept for good.

import { expect, it } from 'vitest';
import { Leftovers, MAX_LEFTOVERS } from '../../../../src/core/repair/leftovers.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { fileIdAt } from '../../../fixtures/pool-fixture.ts';

const HOUR_MS = 3_600_000;
const [one, other] = [fileIdAt(1), fileIdAt(2)];
const needed = (): boolean => true;
const unneeded = (): boolean => false;

it('waits for claims and links before it takes a file for whole', () => {
  const leftovers = new Leftovers();
  leftovers.add(0, one);
  expect(leftovers.discarded(20_000, unneeded, true)).toEqual([]);
  const dueMs = leftovers.nextDeadlineMs(20_000);
  expect(dueMs).toBeLessThanOrEqual(60_000);
  expect(leftovers.discarded(dueMs, unneeded, true)).toEqual([one]);
  expect(leftovers.nextDeadlineMs(dueMs)).toBe(Infinity);
});

it('keeps what the file needs for some minutes, and not for good', () => {
  const leftovers = new Leftovers();
  leftovers.add(0, one);
  expect(leftovers.discarded(300_000, needed, true)).toEqual([]);
  expect(leftovers.discarded(HOUR_MS, needed, true)).toEqual([one]);
});

it('does not count the time in which repairs must not run', () => {
  const leftovers = new Leftovers();
  leftovers.add(0, one);
  expect(leftovers.discarded(HOUR_MS, needed, false)).toEqual([]);
  leftovers.waitAgain(HOUR_MS);
  expect(leftovers.discarded(HOUR_MS + 300_000, needed, true)).toEqual([]);
  expect(leftovers.discarded(2 * HOUR_MS, needed, true)).toEqual([one]);
});

it('discards nothing that a repair took up', () => {
  const leftovers = new Leftovers();
  leftovers.add(0, one);
  leftovers.add(0, other);
  leftovers.take(one);
  expect(leftovers.discarded(HOUR_MS, unneeded, true)).toEqual([other]);
});

it('keeps a bounded number, the newest', () => {
  const leftovers = new Leftovers();
  const files = indicesOf(MAX_LEFTOVERS + 2).map((index) => fileIdAt(index));
  for (const file of files) leftovers.add(0, file);
  expect(leftovers.discarded(0, needed, false)).toEqual(files.slice(0, 2));
});
