// One device's log, chained and forked.

import { describe, expect, it } from 'vitest';
import type { EntryPosition } from '../../../../src/core/catalogue/log-head.ts';
import { DeviceLog } from '../../../../src/core/catalogue/device-log.ts';
import type { EntryBody } from '../../../../src/core/catalogue/entry.ts';
import { PackedEntry, packEntry } from '../../../../src/core/catalogue/packed-entry.ts';
import { MAX_LOG_MARKS } from '../../../../src/core/model/limits.ts';
import { deviceAt, itemAt, uncheckedEntry } from '../../../fixtures/pool-fixture.ts';

/** Entries 1..`names.length`, each after the one before it, the first after `after`. */
function chain(names: readonly string[], after?: PackedEntry): PackedEntry[] {
  const entries: PackedEntry[] = [];
  for (const name of names) {
    const before = entries.at(-1) ?? after;
    const position = {
      seq: (before?.seq ?? 0) + 1,
      prev: before?.entryId,
      at: { ms: 1, count: 0 },
    };
    entries.push(packedOf(position, { kind: 'profile', name }));
  }
  return entries;
}

function packedOf(position: EntryPosition, body: EntryBody): PackedEntry {
  return new PackedEntry(packEntry(uncheckedEntry(deviceAt(0), position, body)), 0);
}

function logOf(...entries: readonly PackedEntry[]): DeviceLog {
  const log = new DeviceLog();
  for (const entry of entries) log.add(entry);
  return log;
}

const TRUNK = chain(['a', 'b', 'c']);
const BRANCH = chain(['x', 'y', 'z'], TRUNK[0]);

describe('a log', () => {
  it('takes entries in order, recognises those it has, and refuses those without their predecessor', () => {
    const log = new DeviceLog();
    expect(log.head).toBeUndefined();
    expect(log.add(itemAt(TRUNK, 1)).kind).toBe('orphan');
    expect(log.add(itemAt(TRUNK, 0)).kind).toBe('added');
    expect(log.add(itemAt(TRUNK, 0)).kind).toBe('known');
    expect(log.add(itemAt(TRUNK, 1)).kind).toBe('added');
    expect([log.seq, log.entryCount, log.has(itemAt(TRUNK, 1).entryId)]).toEqual([2, 2, true]);
    expect(log.head).toBe(itemAt(TRUNK, 1));
  });

  it("refuses an entry whose number does not follow from its predecessor's", () => {
    const position = { seq: 3, prev: itemAt(TRUNK, 0).entryId, at: { ms: 1, count: 0 } };
    expect(logOf(itemAt(TRUNK, 0)).add(packedOf(position, { kind: 'leave' })).kind).toBe('orphan');
  });

  it('keeps both branches of a fork and continues the longer one', () => {
    const log = logOf(...TRUNK, ...BRANCH);
    expect([log.seq, log.entryCount]).toEqual([4, 6]);
    expect(log.head).toBe(BRANCH[2]);
  });

  it('continues, of two equal branches, the one with the smaller id, the same on every device', () => {
    const heads = [
      logOf(...TRUNK, ...BRANCH.slice(0, 2)),
      logOf(...TRUNK.slice(0, 1), ...BRANCH.slice(0, 2), ...TRUNK),
    ];
    expect(heads[0]?.head).toBe(heads[1]?.head);
  });

  it('has one digest for one set of entries in any order, and another for any other set', () => {
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

  it('resumes after any entry of any branch, sending each entry once', () => {
    const log = logOf(...TRUNK, ...BRANCH);
    const all = [...log.missing([], 0)];
    expect(all).toHaveLength(6);
    for (const [index, entry] of all.entries()) {
      expect([...log.missing([], entry.seq, entry.entryId)]).toEqual(all.slice(index + 1));
      expect([...log.missing([], entry.seq)]).toEqual(all.filter((other) => other.seq > entry.seq));
    }
    expect([...log.missing([], 0, itemAt(all, 0).entryId)]).toEqual(all);
    expect([...log.missing([], 9)]).toEqual([]);
  });

  it('sends what another lacks and nothing that it has, by that device’s marks', () => {
    const long = chain(Array.from({ length: 100 }, (_, index) => `${index}`));
    const early = chain(['p', 'q'], long[49]);
    const late = chain(['r'], long[97]);
    const whole = logOf(...long, ...early, ...late);
    const missingTo = (...entries: readonly PackedEntry[]): Set<PackedEntry> =>
      new Set(whole.missing(logOf(...entries).marks(), 0));
    expect(missingTo(...long)).toEqual(new Set([...early, ...late]));
    expect(missingTo(...long, ...early)).toEqual(new Set(late));
    expect(missingTo(...long.slice(0, 60))).toEqual(new Set([...long.slice(60), ...early, ...late]));
    expect(missingTo(...long, ...early, ...late)).toEqual(new Set());
    // A device that continued differently after number 70 has everything before that. Some entries are sent
    // twice, never half of them.
    const parted = missingTo(...long.slice(0, 70), ...chain(['s', 't'], long[69]));
    for (const entry of [...long.slice(70), ...early, ...late]) expect(parted).toContain(entry);
    expect(parted.size).toBeLessThan(40);
    expect(whole.marks().length).toBeLessThanOrEqual(MAX_LOG_MARKS);
  });
});
