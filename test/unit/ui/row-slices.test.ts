// Lists are drawn in slices: the first rows soon, changes in the order of the rows, and everything in the
// end.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileStatus } from '../../../src/runtime/api.ts';
import {
  FIRST_SLICE_ROWS,
  nextSlice,
  nextSliceRows,
  type RowView,
  type Slice,
} from '../../../src/ui/pool/row-slices.ts';

describe('a slice', () => {
  test('draws the first rows of a new list, and the next ones with each further slice', () => {
    const wanted = rowsOf([1, 2, 3, 4, 5]);
    const first = nextSlice([], wanted, 2);
    expect(idsOf(first)).toEqual(['1', '2']);
    expect(first.isWhole).toBe(false);
    const second = nextSlice(first.rows, wanted, 2);
    expect(idsOf(second)).toEqual(['1', '2', '3', '4']);
    expect(nextSlice(second.rows, wanted, 2)).toEqual({ rows: wanted, isWhole: true });
  });

  test('keeps the rows that did not change, and draws few of those that did', () => {
    const before = rowsOf([1, 2, 3, 4], 'all away');
    const wanted = rowsOf([1, 2, 3, 4], 'one is here');
    const { rows, isWhole } = nextSlice(before, wanted, 3);
    expect(rows.map(({ devicesKey }) => devicesKey)).toEqual([
      'one is here',
      'one is here',
      'one is here',
      'all away',
    ]);
    expect(isWhole).toBe(false);
    const same = rowsOf([1, 2, 3, 4], 'all away').map((row, at) => ({ ...row, file: fileOf(before, at) }));
    expect(nextSlice(before, same, 0).rows.every((row, at) => row === before[at])).toBe(true);
  });

  test('leaves out a row at once that is no longer wanted', () => {
    const before = rowsOf([1, 2, 3]);
    expect(nextSlice(before, before.slice(1), 0)).toEqual({ rows: before.slice(1), isWhole: true });
  });

  test('never has more new or changed rows than it may, and the last one has all that is wanted', () => {
    const list = fc.uniqueArray(fc.nat(30), { maxLength: 20 });
    fc.assert(
      fc.property(list, list, fc.integer({ min: 1, max: 8 }), (ids, wantedIds, atMost) => {
        const before = rowsOf(ids);
        const wanted = rowsOf(wantedIds, 'changed');
        let slice: Slice = { rows: before, isWhole: false };
        for (let count = 0; !slice.isWhole; count++) {
          expect(count).toBeLessThanOrEqual(wanted.length);
          const next = nextSlice(slice.rows, wanted, atMost);
          const old = new Set(slice.rows);
          expect(next.rows.filter((row) => !old.has(row)).length).toBeLessThanOrEqual(atMost);
          slice = next;
        }
        expect(slice.rows).toEqual(wanted);
      }),
    );
  });
});

test('slices grow on a fast device, shrink on a slow one, and are never empty', () => {
  expect(nextSliceRows(FIRST_SLICE_ROWS, 1)).toBe(2 * FIRST_SLICE_ROWS);
  expect(nextSliceRows(FIRST_SLICE_ROWS, 80)).toBe(FIRST_SLICE_ROWS);
  expect(nextSliceRows(FIRST_SLICE_ROWS, 500)).toBe(FIRST_SLICE_ROWS / 2);
  expect(nextSliceRows(1, 500)).toBe(1);
  expect(nextSliceRows(1_000, 1)).toBe(nextSliceRows(2_000, 1));
});

function rowsOf(ids: readonly number[], devicesKey = ''): RowView[] {
  return ids.map((id) => ({ file: fileNamed(String(id)), devices: [], devicesKey, looks: new Map() }));
}

function fileNamed(fileId: string): FileStatus {
  return {
    fileId,
    contentId: fileId,
    name: fileId,
    path: '',
    mime: '',
    size: 1,
    k: 1,
    n: 1,
    reach: 1,
    margin: 0,
    durable: 1,
    durableMargin: 0,
    holders: [],
    private: false,
    openable: true,
    inOutbox: false,
    by: 'a',
    storedAtMs: 0,
    modifiedMs: 0,
    safe: false,
  };
}

function fileOf(rows: readonly RowView[], at: number): FileStatus {
  const row = rows[at];
  if (row === undefined) throw new Error('no such row');
  return row.file;
}

function idsOf({ rows }: Slice): string[] {
  return rows.map(({ file }) => file.fileId);
}
