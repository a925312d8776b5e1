// One device's log, chained and forked.

import { describe, expect, it } from 'vitest';
import type { CheckedEntry } from '../../src/core/catalogue/check.ts';
import { DeviceLog } from '../../src/core/catalogue/device-log.ts';
import { deviceAt, itemAt, uncheckedEntry } from './pool-fixture.ts';

/** Entries 1..`names.length`, each behind the one before it, the first behind `after`. */
function chain(names: readonly string[], after?: CheckedEntry): CheckedEntry[] {
  const entries: CheckedEntry[] = [];
  for (const name of names) {
    const before = entries.at(-1) ?? after;
    const place = {
      seq: (before?.entry.seq ?? 0) + 1,
      prev: before?.entry.entryId,
      at: { ms: 1, count: 0 },
    };
    entries.push(uncheckedEntry(deviceAt(0), place, { kind: 'profile', name }));
  }
  return entries;
}

function logOf(...entries: readonly CheckedEntry[]): DeviceLog {
  const log = new DeviceLog();
  for (const entry of entries) log.add(entry);
  return log;
}

const TRUNK = chain(['a', 'b', 'c']);
const BRANCH = chain(['x', 'y', 'z'], TRUNK[0]);

describe('a log', () => {
  it('takes entries in order, knows those it has, and refuses those in the air', () => {
    const log = new DeviceLog();
    expect(log.head).toBeUndefined();
    expect(log.add(itemAt(TRUNK, 1))).toBe('orphan');
    expect(log.add(itemAt(TRUNK, 0))).toBe('added');
    expect(log.add(itemAt(TRUNK, 0))).toBe('known');
    expect(log.add(itemAt(TRUNK, 1))).toBe('added');
    expect([log.seq, log.entryCount, log.has(itemAt(TRUNK, 1).entry.entryId)]).toEqual([2, 2, true]);
    expect(log.head).toBe(itemAt(TRUNK, 1));
  });

  it('refuses an entry whose number does not follow from the one it names', () => {
    const place = { seq: 3, prev: itemAt(TRUNK, 0).entry.entryId, at: { ms: 1, count: 0 } };
    const jump = uncheckedEntry(deviceAt(0), place, { kind: 'leave' });
    expect(logOf(itemAt(TRUNK, 0)).add(jump)).toBe('orphan');
  });

  it('keeps both branches of a fork; the longer one goes on', () => {
    const log = logOf(...TRUNK, ...BRANCH);
    expect([log.seq, log.entryCount]).toEqual([4, 6]);
    expect(log.head).toBe(BRANCH[2]);
  });

  it('of two equal branches goes on with the smaller id, the same on every device', () => {
    const heads = [
      logOf(...TRUNK, ...BRANCH.slice(0, 2)),
      logOf(...TRUNK.slice(0, 1), ...BRANCH.slice(0, 2), ...TRUNK),
    ];
    expect(heads[0]?.head).toBe(heads[1]?.head);
  });

  it('has one digest for one set of entries, whatever their order, and another for any other', () => {
    const logs = [
      logOf(...TRUNK, ...BRANCH),
      logOf(...TRUNK.slice(0, 1), ...BRANCH, ...TRUNK.slice(1)),
      logOf(...TRUNK),
      logOf(...TRUNK.slice(0, 2)),
      logOf(...TRUNK.slice(0, 1), ...BRANCH),
      logOf(...TRUNK, ...BRANCH.slice(0, 1)),
      logOf(),
    ];
    expect(logs[0]?.digest).toBe(logs[1]?.digest);
    expect(new Set(logs.map(({ digest }) => digest)).size).toBe(logs.length - 1);
    expect(logs[0]?.digest).toMatch(/^[0-9a-f]{16}$/);
  });

  it('goes on after any entry of any row, each entry once', () => {
    const log = logOf(...TRUNK, ...BRANCH);
    const all = [...log.after(0)];
    expect(all).toHaveLength(6);
    for (const [index, { entry }] of all.entries()) {
      expect([...log.after(entry.seq, entry.entryId)]).toEqual(all.slice(index + 1));
      expect([...log.after(entry.seq)]).toEqual(all.filter((other) => other.entry.seq > entry.seq));
    }
    expect([...log.after(0, itemAt(all, 0).entry.entryId)]).toEqual(all);
    expect([...log.after(9)]).toEqual([]);
  });
});
