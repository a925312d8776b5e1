// Which rows of a list one task draws: a few new or changed ones, and all others as they are on the screen.
// So a slow phone takes taps between two slices, and shows the first rows soon. Pure.

import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import type { DeviceLook } from './device-look.ts';

/** Rows of the first task: a phone six times as slow as a laptop takes some 100 ms for them. */
export const FIRST_SLICE_ROWS = 4;
/** More rows at a time gain nothing: a slice costs little beside its rows. */
const MAX_SLICE_ROWS = 32;
/** Time in a slice's own code, ms. Layout and painting take about as long again. */
const SHORT_MS = 40;
const LONG_MS = 100;

/** A row as it is, or will be, on the screen. */
export interface RowView {
  readonly file: FileStatus;
  readonly devices: readonly DeviceStatus[];
  /** What a row shows of the devices, as text: it stands for `devices` and `looks`. */
  readonly devicesKey: string;
  readonly looks: ReadonlyMap<string, DeviceLook>;
}

export interface Slice {
  readonly rows: readonly RowView[];
  /** Whether these are all that is wanted; otherwise there is another slice to draw. */
  readonly isWhole: boolean;
}

/**
 * `wanted` as far as it can be drawn now: rows that did not change are those of `before`, and at most
 * `atMost` are new or changed. The others stay as they are in `before`, or out.
 */
export function nextSlice(before: readonly RowView[], wanted: readonly RowView[], atMost: number): Slice {
  const drawn = new Map(before.map((row) => [row.file.fileId, row]));
  const rows: RowView[] = [];
  let leftCount = atMost;
  let isWhole = true;
  for (const row of wanted) {
    const last = drawn.get(row.file.fileId);
    if (last?.file === row.file && last.devicesKey === row.devicesKey) rows.push(last);
    else if (leftCount > 0) {
      leftCount -= 1;
      rows.push(row);
    } else {
      isWhole = false;
      if (last !== undefined) rows.push(last);
    }
  }
  return { rows, isWhole };
}

/** How many rows the next slice may have, after one of `rowCount` that took `tookMs`. */
export function nextSliceRows(rowCount: number, tookMs: number): number {
  if (tookMs < SHORT_MS) return Math.min(2 * rowCount, MAX_SLICE_ROWS);
  return tookMs > LONG_MS ? Math.max(1, Math.floor(rowCount / 2)) : rowCount;
}
