// Logs with points that acts name: what leads to them is kept before all else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import { ALL_RIGHTS, type EntryRights } from '../../../../src/core/catalogue/entry-rights.ts';
import type { EntryId } from '../../../../src/core/model/ids.ts';
import { MAX_LOG_BRANCHES } from '../../../../src/core/model/limits.ts';
import { entryAfter, grown, idsOf, inChainOrder, keptIds } from '../../../fixtures/grown-logs.ts';
import { keptOf } from '../../../fixtures/kept-oracle.ts';
import { fileBody, itemAt } from '../../../fixtures/pool-fixture.ts';

/** One log with more branches than are kept. */
const bushy = fc.array(
  fc.record({
    by: fc.constant(0),
    parent: fc.constantFrom(7, 7, 7, 4, 1),
    what: fc.nat(9),
    size: fc.constantFrom(0, 60),
  }),
  { minLength: 20, maxLength: 60 },
);
const sizes = fc.constantFrom(5_000, 1e9);

describe('of a log with a point that an act names', () => {
  it('what leads there stays, whatever else comes, and the rest is kept by the same rule', () => {
    fc.assert(
      fc.property(
        bushy,
        sizes,
        fc.nat(),
        fc.array(fc.nat(), { maxLength: 60 }),
        (plan, maxBytes, at, order) => {
          const entries = grown(plan);
          const point = itemAt(entries, at % entries.length);
          const path = pathTo(point, entries);
          const points = new Set([point.entry.entryId]);
          const expected = new Set(idsOf(keptOf(entries, maxBytes, points)));
          const rest = inChainOrder(entries, order).filter((entry) => !path.includes(entry));
          const catalogue = new Catalogue(
            undefined,
            maxBytes,
            pointing(() => points),
          );
          for (const entry of [...path, ...rest]) catalogue.add([entry]);
          expect(new Set(keptIds(catalogue))).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('forks that a thief writes after the act evict nothing that it lets count', () => {
    let points: ReadonlySet<EntryId> = new Set();
    const catalogue = new Catalogue(
      undefined,
      undefined,
      pointing(() => points),
    );
    const trunk = entryAfter(undefined, { kind: 'profile', name: 'phone' });
    const honest = [entryAfter(trunk, fileBody('one').body)];
    for (const label of ['two', 'three']) honest.push(entryAfter(honest.at(-1), fileBody(label).body));
    catalogue.add([trunk, ...honest]);
    const last = itemAt(honest, honest.length - 1).entry;
    points = new Set([last.entryId]);
    catalogue.rightsChanged([last.deviceId]);
    const forks = Array.from({ length: 500 }, (_, index) =>
      entryAfter(trunk, { kind: 'profile', name: `fork ${index}` }),
    ).filter(({ entry }) => entry.entryId < itemAt(honest, 0).entry.entryId);
    expect(forks.length).toBeGreaterThan(MAX_LOG_BRANCHES);
    for (const fork of forks) catalogue.add([fork]);
    expect(catalogue.files().size).toBe(3);
    const late = new Catalogue(
      undefined,
      undefined,
      pointing(() => points),
    );
    late.add([trunk, ...honest, ...forks.toReversed()]);
    expect(late.digest()).toBe(catalogue.digest());
  });
});

function pointing(pointsOf: () => ReadonlySet<EntryId>): EntryRights {
  return { ...ALL_RIGHTS, pointsOf };
}

/** The entry and all that come before it, the first first. */
function pathTo(last: CheckedEntry, entries: readonly CheckedEntry[]): CheckedEntry[] {
  const before = entries.find(({ entry }) => entry.entryId === last.entry.prev);
  return before === undefined ? [last] : [...pathTo(before, entries), last];
}
