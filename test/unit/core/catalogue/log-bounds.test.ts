// Logs that fork without end, or that are full: whatever came first, and from whom, devices keep the same of
// them, say the same, and stop asking each other.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import type { EntryId, FileId } from '../../../../src/core/model/ids.ts';
import { MAX_LOG_BRANCHES } from '../../../../src/core/model/limits.ts';
import { CatalogueSync } from '../../../../src/core/peer/catalogue-sync.ts';
import { decodeEntry } from '../../../../src/core/catalogue/entry.ts';
import { keptOf } from '../../../fixtures/kept-oracle.ts';
import { deviceAt, fileBody, itemAt, manifestOf, uncheckedEntry } from '../../../fixtures/pool-fixture.ts';
import { entryAfter, grown, idsOf, inChainOrder, keptIds, LABELS } from '../../../fixtures/grown-logs.ts';

/** Some twenty small entries. */
const SMALL_LOG_BYTES = 5_000;

interface Replica {
  readonly catalogue: Catalogue;
  readonly sync: CatalogueSync;
}

/** Each entry follows one before it in the list, or begins its log: `parent` counts back. */
const growth = fc.array(
  fc.record({ by: fc.nat(1), parent: fc.nat(60), what: fc.nat(9), size: fc.constantFrom(0, 0, 0, 60) }),
  { minLength: 1, maxLength: 60 },
);
const sizes = fc.constantFrom(SMALL_LOG_BYTES, 1e9);

describe('of a log that forked or is full', () => {
  it('the same is kept, whatever the order in which its entries come', () => {
    fc.assert(
      fc.property(growth, sizes, fc.array(fc.nat(), { maxLength: 60 }), (plan, maxBytes, order) => {
        const entries = grown(plan);
        const expected = new Set(idsOf(keptOf(entries, maxBytes)));
        for (const arrival of [entries, inChainOrder(entries, order)]) {
          const catalogue = new Catalogue(undefined, maxBytes);
          const here = new Set<EntryId>();
          for (const entry of arrival) {
            const { added, evicted } = catalogue.add([entry]);
            for (const id of idsOf(added)) here.add(id);
            for (const { entryId } of evicted) here.delete(entryId);
          }
          expect(new Set(keptIds(catalogue))).toEqual(expected);
          expect(here).toEqual(expected);
          expect(sayingOf(catalogue)).toEqual(readingOf(keptOf(entries, maxBytes)));
          expectBounded(catalogue, maxBytes);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('the same is kept by all, and they stop asking, whichever part each was given', () => {
    fc.assert(
      fc.property(
        growth,
        sizes,
        fc.array(fc.array(fc.nat(), { maxLength: 60 }), { minLength: 2, maxLength: 4 }),
        fc.integer({ min: 1, max: 8 }),
        (plan, maxBytes, parts, batch) => {
          const entries = grown(plan);
          const replicas = parts.map((part): Replica => {
            const catalogue = new Catalogue(undefined, maxBytes);
            for (const index of part) catalogue.add([itemAt(entries, index % entries.length)]);
            return { catalogue, sync: new CatalogueSync(catalogue, batch) };
          });
          const offered = entries.filter(({ entry }) =>
            replicas.some(({ catalogue }) => keptIds(catalogue).includes(entry.entryId)),
          );
          const messageCount = pulseUntilQuiet(replicas, entries);
          const expected = keptOf(offered, maxBytes);
          for (const { catalogue } of replicas) {
            expect(new Set(keptIds(catalogue))).toEqual(new Set(idsOf(expected)));
            expect(catalogue.digest()).toBe(replicas[0]?.catalogue.digest());
            expect(sayingOf(catalogue)).toEqual(readingOf(expected));
          }
          // Each entry goes to each device once or twice, besides two messages for each pair and round.
          expect(messageCount).toBeLessThan(replicas.length ** 2 * (12 + (3 * entries.length) / batch));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('a restart keeps the same, even if evicted entries still lie on the disk, in any order', () => {
    fc.assert(
      fc.property(growth, sizes, (plan, maxBytes) => {
        const entries = grown(plan);
        const before = new Catalogue(undefined, maxBytes);
        before.add(entries);
        const again = new Catalogue(undefined, maxBytes);
        const all = new Catalogue(undefined, 1e9);
        all.add(entries);
        const gone = again.restore([...all.missingFor([]), ...before.missingFor([])].toReversed());
        expect(again.digest()).toBe(before.digest());
        expect(sayingOf(again)).toEqual(sayingOf(before));
        const keptCount = keptIds(again).length;
        expect(gone).toHaveLength(keptIds(all).length + keptIds(before).length - keptCount);
      }),
    );
  });
});

describe('thousands of forks of one log', () => {
  const COUNT = 16_000;
  const first = entryAfter(undefined, { kind: 'profile', name: 'trunk' });
  const forks = Array.from({ length: COUNT }, (_, index) =>
    entryAfter(first, { kind: 'profile', name: `fork ${index}` }),
  );

  it('cost a device no more than their number, and the others no more than the branches that are kept', () => {
    const [victim, other] = [replicaOf(), replicaOf()];
    const before = process.cpuUsage();
    victim.catalogue.add([first]);
    let keptCount = 0;
    for (let at = 0; at < COUNT; at += 64) {
      keptCount += victim.catalogue.add(forks.slice(at, at + 64)).added.length;
    }
    // Its own processor time: other load on the machine does not count.
    const tookMs = process.cpuUsage(before).user / 1_000;
    expect(keptIds(victim.catalogue)).toHaveLength(1 + MAX_LOG_BRANCHES);
    expect(keptCount).toBeLessThan(300);
    expect(pulseUntilQuiet([victim, other], [first, ...forks])).toBeLessThan(12);
    // One more that is kept, because its id is the smallest: only this one is sent.
    const more = forkBefore(victim.catalogue);
    victim.catalogue.add([more]);
    const { heads } = askOf(other);
    expect([...victim.catalogue.missingFor(heads)].map(({ entryId }) => entryId)).toEqual([
      more.entry.entryId,
    ]);
    // A second on an idle machine. With a set of all forks it took four times that, and again for each
    // further one.
    expect(tookMs).toBeLessThan(3_000);
  });

  it('at the end of a long log do not bring that log again', () => {
    const [one, other] = [replicaOf(), replicaOf()];
    const trunk = [first];
    for (let index = 0; index < 3_000; index++) {
      trunk.push(entryAfter(itemAt(trunk, index), { kind: 'profile', name: `${index}` }));
    }
    const end = itemAt(trunk, trunk.length - 1);
    const [left, right] = [0, 1].map((at) => entryAfter(end, { kind: 'pool', name: `branch ${at}` }));
    if (left === undefined || right === undefined) throw new Error('expected two items');
    for (const { catalogue } of [one, other]) catalogue.add(trunk);
    one.catalogue.add([left]);
    other.catalogue.add([right]);
    const sent = [...other.catalogue.missingFor(askOf(one).heads)];
    expect(sent.map(({ entryId }) => entryId)).toEqual([right.entry.entryId]);
    expect(pulseUntilQuiet([one, other], [...trunk, left, right])).toBeLessThan(10);
    expect(one.catalogue.digest()).toBe(other.catalogue.digest());
  });
});

describe('devices that cannot agree', () => {
  it('because each already knows a thousand others stop asking, until something changes', () => {
    const [one, other] = [new Catalogue(), new Catalogue()].map((catalogue, at) => {
      // As a device does that has no room for the other's log.
      const add = catalogue.add.bind(catalogue);
      const own = deviceAt(at).deviceId;
      catalogue.add = (entries) => add(entries.filter(({ entry }) => entry.deviceId === own));
      return { catalogue, sync: new CatalogueSync(catalogue) };
    });
    if (one === undefined || other === undefined) throw new Error('expected two items');
    const written = [0, 1].map((at) =>
      uncheckedEntry(deviceAt(at), { seq: 1, prev: undefined, at: { ms: 1, count: 0 } }, { kind: 'leave' }),
    );
    for (const { catalogue } of [one, other]) catalogue.add(written);
    expect(one.catalogue.digest()).not.toBe(other.catalogue.digest());
    expect(pulseUntilQuiet([one, other], written)).toBeLessThan(12);
    expect(one.sync.askUnlikeOurs(deviceAt(1).deviceId, 'another digest')).toBeDefined();
  });
});

function replicaOf(): Replica {
  const catalogue = new Catalogue();
  return { catalogue, sync: new CatalogueSync(catalogue) };
}

function askOf({ sync }: Replica): { heads: ReturnType<Catalogue['heads']> } {
  const ask = sync.ask(deviceAt(7).deviceId);
  if (ask.kind !== 'sync') throw new Error('expected a sync');
  return { heads: [...ask.heads] };
}

/** A branch that begins where the others do and comes before all of them. */
function forkBefore(catalogue: Catalogue): CheckedEntry {
  const [first, ...others] = [...catalogue.missingFor([])];
  for (let index = 0; index < 1e6; index++) {
    const position = { seq: 2, prev: first?.entryId, at: { ms: 9, count: index } };
    const entry = uncheckedEntry(deviceAt(0), position, { kind: 'leave' });
    if (others.every(({ entryId }) => entry.entry.entryId < entryId)) return entry;
  }
  throw new Error('of a million entries none has the smallest id');
}

/** Acts as pulses do until no device asks. Returns how many messages that took. */
function pulseUntilQuiet(replicas: readonly Replica[], entries: readonly CheckedEntry[]): number {
  const written = new Map(entries.map((entry) => [entry.entry.entryId, entry]));
  let messageCount = 0;
  for (let round = 0; ; round++) {
    if (round > 40) throw new Error('they do not stop asking');
    let isQuiet = true;
    for (const [from, asker] of replicas.entries()) {
      for (const [to, answerer] of replicas.entries()) {
        if (from === to) continue;
        const [asking, { deviceId }] = [deviceAt(from), deviceAt(to)];
        let ask = asker.sync.askUnlikeOurs(deviceId, answerer.sync.digestFor(asking.deviceId));
        while (ask?.kind === 'sync') {
          isQuiet = false;
          messageCount += 1;
          const answer = answerer.sync.answer(asking.deviceId, ask);
          if (answer?.kind !== 'entries') break;
          messageCount += 1;
          const got = answer.entries.flatMap((bytes) => written.get(decodeEntry(bytes).entryId) ?? []);
          ask = asker.sync.goOn(deviceId, got, answer.more, asker.catalogue.add(got));
        }
      }
    }
    if (isQuiet) return messageCount;
  }
}

function expectBounded(catalogue: Catalogue, maxBytes: number): void {
  for (const { device } of catalogue.heads()) {
    const kept = [...catalogue.missingFor([])].filter(({ deviceId }) => deviceId === device);
    const byteCount = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(byteCount - Math.max(...kept.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(maxBytes);
  }
}

function sayingOf(catalogue: Catalogue): unknown {
  return {
    files: [...catalogue.files().keys()].toSorted(),
    removed: LABELS.map((label) => catalogue.isRemoved(fileBody(label).fileId)),
    tagged: catalogue.filesWithTag(tagOf()),
    pool: catalogue.poolName,
    names: [0, 1].map((index) => catalogue.deviceName(deviceAt(index).deviceId)),
    members: catalogue.members().toSorted(),
  };
}

function tagOf(): Uint8Array {
  const { access } = manifestOf(deviceAt(0).deviceId);
  return access.kind === 'pool' ? access.contentTag : new Uint8Array(32);
}

/** The same from all entries at once, without the catalogue's code. */
function readingOf(entries: readonly CheckedEntry[]): unknown {
  const bodies = entries.map(({ entry }) => entry.body);
  const removed = new Set<FileId>(bodies.flatMap((body) => (body.kind === 'remove' ? [body.file] : [])));
  const files = entries
    .flatMap(({ file }) => file?.fileId ?? [])
    .filter((file, index, all) => !removed.has(file) && all.indexOf(file) === index)
    .toSorted();
  const lastOf = (by: number, kind: 'profile' | 'pool'): CheckedEntry | undefined =>
    entries
      .filter(({ entry }) => entry.deviceId === deviceAt(by).deviceId && entry.body.kind === kind)
      .toSorted(({ entry: a }, { entry: b }) => a.seq - b.seq || (a.entryId < b.entryId ? 1 : -1))
      .at(-1);
  const poolEntry = [0, 1]
    .flatMap((by) => lastOf(by, 'pool') ?? [])
    .toSorted(({ entry: a }, { entry: b }) => a.at.ms - b.at.ms || (a.entryId < b.entryId ? -1 : 1))
    .at(-1);
  const left = new Set(entries.flatMap(({ entry }) => (entry.body.kind === 'leave' ? [entry.deviceId] : [])));
  const members = [0, 1]
    .filter((by) => lastOf(by, 'profile') !== undefined)
    .map((by) => deviceAt(by).deviceId);
  return {
    files,
    removed: LABELS.map((label) => removed.has(fileBody(label).fileId)),
    tagged: files,
    pool: nameOf(poolEntry),
    names: [0, 1].map((by) => nameOf(lastOf(by, 'profile'))),
    members: members.filter((device) => !left.has(device)).toSorted(),
  };
}

function nameOf(checked: CheckedEntry | undefined): string {
  const body = checked?.entry.body;
  return body?.kind === 'profile' || body?.kind === 'pool' ? body.name : '';
}
