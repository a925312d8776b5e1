// What is kept of logs that forked or are full, by its definition and without the catalogue's code: all entries in branch
// order, as long as few enough bytes and branch ends come before.

import type { CheckedEntry } from '../../src/core/catalogue/check.ts';
import type { EntryId } from '../../src/core/model/ids.ts';
import { MAX_LOG_BRANCHES } from '../../src/core/model/limits.ts';

export function keptOf(entries: readonly CheckedEntry[], maxLogBytes: number): CheckedEntry[] {
  const devices = new Set(entries.map(({ entry }) => entry.deviceId));
  return [...devices].flatMap((device) =>
    keptOfLog(
      entries.filter(({ entry }) => entry.deviceId === device),
      maxLogBytes,
    ),
  );
}

function keptOfLog(log: readonly CheckedEntry[], maxLogBytes: number): CheckedEntry[] {
  const kept: CheckedEntry[] = [];
  let byteCount = 0;
  let endCount = 0;
  const visit = (prev: EntryId | undefined): void => {
    const next = log
      .filter(({ entry }) => entry.prev === prev)
      .toSorted((a, b) => (a.entry.entryId < b.entry.entryId ? -1 : 1));
    for (const checked of next) {
      if (byteCount > maxLogBytes || endCount >= MAX_LOG_BRANCHES) return;
      kept.push(checked);
      byteCount += checked.entry.bytes.length;
      const before = kept.length;
      visit(checked.entry.entryId);
      if (kept.length === before) endCount += 1;
    }
  };
  visit(undefined);
  return kept;
}
