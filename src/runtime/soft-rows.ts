// Lists that an earlier page saved and that this one can do without. Rows that do not decode are left out and
// counted: soft state never stops a start.

import { isPalmError } from '../core/model/errors.ts';

export interface SoftRows<Row> {
  readonly rows: readonly Row[];
  /** Rows left out: damaged, or beyond the bound. */
  readonly droppedCount: number;
}

/**
 * The rows of `kept`, at most `maxCount`; undefined is an empty list. `decode` throws PalmError for rows that
 * it refuses.
 */
export function softRows<Row>(kept: unknown, maxCount: number, decode: (row: unknown) => Row): SoftRows<Row> {
  if (kept === undefined) return { rows: [], droppedCount: 0 };
  if (!Array.isArray(kept)) return { rows: [], droppedCount: 1 };
  const rows: Row[] = [];
  for (const row of kept.slice(0, maxCount)) {
    const decoded = softRow(row, decode);
    if (decoded !== undefined) rows.push(decoded.row);
  }
  return { rows, droppedCount: kept.length - rows.length };
}

function softRow<Row>(row: unknown, decode: (row: unknown) => Row): { readonly row: Row } | undefined {
  try {
    return { row: decode(row) };
  } catch (error) {
    if (isPalmError(error)) return undefined;
    throw error;
  }
}
