// The catalogue: however entries were written, lost, forked, reordered or delivered in part, devices that
// exchange what they have end with one catalogue. It says what an independent reading of all entries says.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import { MAX_HYBRID_COUNT, MAX_HYBRID_MS } from '../../../../src/core/catalogue/clock.ts';
import { decodeEntry, type EntryBody } from '../../../../src/core/catalogue/entry.ts';
import type { DeviceId, EntryId, FileId } from '../../../../src/core/model/ids.ts';
import { MAX_AHEAD_MS, MAX_DEVICE_COUNT, MAX_LOG_BYTES } from '../../../../src/core/model/limits.ts';
import { CatalogueSync } from '../../../../src/core/peer/catalogue-sync.ts';
import golden from '../../../vectors/entry.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { keptOf } from '../../../fixtures/kept-oracle.ts';
import {
  deviceAt,
  fileBody,
  itemAt,
  manifestOf,
  uncheckedEntry,
  write,
} from '../../../fixtures/pool-fixture.ts';

/** Every entry that a test wrote, by id: stands in for check.ts when bytes arrive. */
type Written = Map<EntryId, CheckedEntry>;

interface Replica {
  readonly index: number;
  readonly device: DeviceId;
  catalogue: Catalogue;
  sync: CatalogueSync;
}

const LABELS = ['one', 'two', 'three'];
const DAY_MS = 24 * 60 * 60_000;

describe('devices that exchange what they have', () => {
  const replicaIndex = fc.nat(3);
  const operation = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('write'),
        by: replicaIndex,
        what: fc.nat(8),
        wallMs: fc.nat(50),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('lose-tail'), by: replicaIndex, count: fc.nat(4) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('exchange'),
        by: replicaIndex,
        from: replicaIndex,
        messages: fc.nat(4),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('stray'),
        by: replicaIndex,
        from: replicaIndex,
        pick: fc.nat(),
      }),
    },
  );

  it('end with one catalogue that says what all entries together say', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), fc.integer({ min: 1, max: 5 }), (script, batch) => {
        const written: Written = new Map();
        const replicas = [0, 1, 2, 3].map((index) => replicaOf(index, batch, []));
        for (const step of script) {
          const replica = itemAt(replicas, step.by);
          switch (step.kind) {
            case 'write':
              remember(written, writeSomething(replica, step.what, step.wallMs));
              break;
            case 'lose-tail':
              loseTail(replica, step.count, batch, written);
              break;
            case 'exchange':
              exchange(replica, itemAt(replicas, step.from), written, step.messages);
              break;
            case 'stray': {
              const entries = entriesOf(itemAt(replicas, step.from).catalogue, written);
              const entry = entries[step.pick % Math.max(1, entries.length)];
              if (entry !== undefined) replica.catalogue.add([entry]);
              break;
            }
          }
        }
        const everything = new Map(
          replicas
            .flatMap(({ catalogue }) => entriesOf(catalogue, written))
            .map((entry) => [entry.entry.entryId, entry]),
        );
        exchangeUntilEqual(replicas, written);
        const kept = keptOf([...everything.values()], MAX_LOG_BYTES);
        const expected = readingOf(kept);
        for (const { catalogue } of replicas) {
          expect(entriesOf(catalogue, written)).toHaveLength(kept.length);
          expect(sayingOf(catalogue)).toEqual(expected);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('do so after a long log forked, with messages of realistic size', () => {
    const written: Written = new Map();
    const [writer, other] = [replicaOf(1, 64, []), replicaOf(0, 64, [])];
    for (let count = 0; count < 300; count++) remember(written, writeSomething(writer, count, count));
    exchangeUntilEqual([writer, other], written);
    loseTail(writer, 20, 64, written);
    for (let count = 0; count < 50; count++) remember(written, writeSomething(writer, count + 1, count));
    expect(exchangeUntilEqual([writer, other], written)).toBeLessThanOrEqual(3);
    expect(entriesOf(other.catalogue, written)).toHaveLength(350);
  });

  it('also get the logs after one that forked', () => {
    const written: Written = new Map();
    const [forked, other] = [replicaOf(0, 8, []), replicaOf(1, 8, [])];
    for (let count = 0; count < 40; count++) remember(written, writeSomething(forked, count, count));
    exchangeUntilEqual([forked, other], written);
    loseTail(forked, 1, 8, written);
    remember(written, writeSomething(forked, 3, 1_000));
    // The other has a branch that the asker lacks, and the reverse; and a log of its own that comes later.
    for (let count = 0; count < 20; count++) remember(written, writeSomething(other, count, count));
    exchange(forked, other, written, Infinity);
    expect(forked.catalogue.heads().map(({ seq }) => seq)).toEqual([40, 20]);
  });

  it('never go round in circles, whatever the other side sends', () => {
    const written: Written = new Map();
    const [asker, liar] = [replicaOf(0, 4, []), replicaOf(1, 4, [])];
    for (let count = 0; count < 12; count++) remember(written, writeSomething(liar, count, count));
    const entries = entriesOf(liar.catalogue, written);
    asker.sync.ask(liar.device);
    for (const [first, last] of [
      [0, 4],
      [4, 8],
    ] as const) {
      const part = entries.slice(first, last);
      expect(asker.sync.goOn(liar.device, part, true, asker.catalogue.add(part))).toBeDefined();
      expect(asker.sync.goOn(liar.device, part, true, asker.catalogue.add(part))).toBeUndefined();
    }
    const early = entries.slice(0, 4);
    expect(asker.sync.goOn(liar.device, early, true, asker.catalogue.add(early))).toBeUndefined();
    expect(asker.sync.goOn(liar.device, [], true, { orphaned: [] })).toBeUndefined();
  });
});

describe('an entry whose predecessor is missing', () => {
  it('leaves no trace', () => {
    const catalogue = new Catalogue();
    const position = { seq: 2, prev: entryOf(0, { kind: 'leave' }).entry.entryId, at: { ms: 1, count: 0 } };
    catalogue.add([uncheckedEntry(deviceAt(0), position, { kind: 'leave' })]);
    expect([catalogue.heads(), catalogue.digest()]).toEqual([[], new Catalogue().digest()]);
  });

  it('is an orphan, and its log is asked for from the start, once', () => {
    const writer = replicaOf(2, 64, []);
    const entries = [0, 1, 2].map((count) => writeSomething(writer, count, count));
    const asker = replicaOf(0, 64, []);
    const result = asker.catalogue.add(entries.slice(1));
    expect(result).toMatchObject({ added: [], orphaned: [writer.device] });
    const next = asker.sync.goOn(writer.device, entries.slice(1), false, result);
    expect(next).toEqual({
      kind: 'sync',
      heads: asker.catalogue.heads(),
      from: { device: writer.device, seq: 0 },
      closed: false,
    });
    expect(asker.sync.goOn(writer.device, entries.slice(1), false, result)).toBeUndefined();
  });
});

describe('files', () => {
  it('that were removed stay removed, whichever entry arrives first', () => {
    const { body, fileId } = fileBody('x');
    const file = entryOf(0, body);
    const remove = entryOf(1, { kind: 'remove', file: fileId });
    for (const order of [
      [file, remove],
      [remove, file],
      [file, remove, file],
    ]) {
      const catalogue = new Catalogue();
      catalogue.add(order);
      expect(catalogue.files().size).toBe(0);
      expect(catalogue.isRemoved(fileId)).toBe(true);
      expect(catalogue.filesWithTag(seededBytes(32, 5))).toEqual([]);
    }
  });

  it('are found by their content tag, in the order of their ids, until removed; private ones are never found', () => {
    const catalogue = new Catalogue();
    const stored = LABELS.map((label) => {
      const { body, fileId } = fileBody(label);
      write(catalogue, deviceAt(0), 1, body, manifestOf(deviceAt(0).deviceId));
      return fileId;
    }).toSorted();
    const hidden = manifestOf(deviceAt(0).deviceId, {
      access: { kind: 'private', sealed: seededBytes(32, 5) },
    });
    write(catalogue, deviceAt(0), 1, fileBody('private').body, hidden);
    for (const [index, fileId] of stored.entries()) {
      expect(catalogue.filesWithTag(seededBytes(32, 5))).toEqual(stored.slice(index));
      write(catalogue, deviceAt(1), 2, { kind: 'remove', file: fileId });
    }
    expect(catalogue.filesWithTag(seededBytes(32, 5))).toEqual([]);
    expect(catalogue.files().size).toBe(1);
  });
});

describe('names', () => {
  it('are the latest writer’s, by hybrid time and then by entry id, in any order of arrival', () => {
    const at = fc.record({ ms: fc.nat(2), count: fc.nat(2) });
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(fc.nat(7), at), { minLength: 2, maxLength: 6, selector: ([by]) => by }),
        fc.nat(),
        (writes, turn) => {
          const entries = writes.map(([by, time], index) =>
            entryOf(by, { kind: 'pool', name: `name ${index}` }, time),
          );
          const rotated = [
            ...entries.slice(turn % entries.length),
            ...entries.slice(0, turn % entries.length),
          ];
          const names = [entries, rotated, entries.toReversed()].map((order) => {
            const catalogue = new Catalogue();
            catalogue.add(order);
            return catalogue.poolName;
          });
          const last = entries.toSorted(byTime).at(-1)?.entry.body;
          expect(names).toEqual(names.map(() => (last?.kind === 'pool' ? last.name : '')));
        },
      ),
    );
  });

  it('follow the wall clock forward, and causality when it stands still or runs back', () => {
    const catalogue = new Catalogue();
    write(catalogue, deviceAt(0), 5_000, { kind: 'pool', name: 'first' });
    // A device whose clock is an hour behind renames the pool after it saw the first name.
    write(catalogue, deviceAt(1), 0, { kind: 'pool', name: 'second' });
    expect(catalogue.poolName).toBe('second');
  });

  it('dated more than 12 hours ahead wait for their time, and no clock follows them', () => {
    const dueMs = 40 * DAY_MS;
    const future = entryOf(3, { kind: 'pool', name: 'future' }, { ms: dueMs + DAY_MS / 2, count: 5 });
    const past = entryOf(2, { kind: 'pool', name: 'past' }, { ms: 7, count: 0 });
    for (const entries of [
      [past, future],
      [future, past],
    ]) {
      const catalogue = new Catalogue();
      catalogue.tell(dueMs - 1);
      catalogue.add(entries);
      expect([catalogue.poolName, catalogue.nextDeadlineMs()]).toEqual(['past', dueMs]);
      expect(catalogue.positionOf(deviceAt(0).deviceId, 0).at).toEqual({ ms: 7, count: 1 });
      expect([...catalogue.missingFor([])]).toHaveLength(2);
      catalogue.tell(dueMs);
      expect([catalogue.poolName, catalogue.nextDeadlineMs()]).toEqual(['future', Infinity]);
      // A device that has seen it can still rename the pool.
      write(catalogue, deviceAt(0), dueMs, { kind: 'pool', name: 'after it' });
      expect(catalogue.poolName).toBe('after it');
    }
  });

  it('dated by a clock that ran ahead wait again once it is put right, and no clock follows them', () => {
    const nowMs = 40 * DAY_MS;
    const catalogue = new Catalogue();
    write(catalogue, deviceAt(0), nowMs, { kind: 'pool', name: 'Family' });
    write(catalogue, deviceAt(0), nowMs + 9 * DAY_MS, { kind: 'profile', name: 'phone' });
    catalogue.add([entryOf(2, { kind: 'pool', name: 'ahead' }, { ms: nowMs + 2 * DAY_MS, count: 0 })]);
    expect(catalogue.poolName).toBe('ahead');
    catalogue.tell(nowMs);
    expect([catalogue.poolName, catalogue.deviceName(deviceAt(0).deviceId)]).toEqual(['Family', 'phone']);
    expect(catalogue.nextDeadlineMs()).toBe(nowMs + 1.5 * DAY_MS);
    const { entry } = write(catalogue, deviceAt(0), nowMs, { kind: 'pool', name: 'Friends' });
    expect([catalogue.poolName, entry.at]).toEqual(['Friends', { ms: nowMs, count: 1 }]);
  });

  it('given after an entry dated ahead are never dated so far ahead that an honest clock reports them', () => {
    const nowMs = 40 * DAY_MS;
    for (let hours = 1; hours <= 26; hours++) {
      // Its clock is a minute ahead of the others'.
      const fast = new Catalogue();
      fast.tell(nowMs + 60_000);
      const at = { ms: nowMs + 60_000 + hours * 3_600_000, count: 0 };
      fast.add([entryOf(2, { kind: 'pool', name: 'dated ahead' }, at)]);
      const { entry } = write(fast, deviceAt(0), nowMs + 60_000, { kind: 'pool', name: 'Family' });
      expect(entry.at.ms - nowMs).toBeLessThan(MAX_AHEAD_MS - 11 * 3_600_000);
      // And the name that shows can be changed immediately.
      expect(fast.poolName).toBe('Family');
    }
  });

  it('that a device gave later in its log replace one that it dated ahead by mistake, even once that is due', () => {
    const catalogue = new Catalogue();
    const first = entryOf(1, { kind: 'pool', name: 'dated ahead' }, { ms: 9 * DAY_MS, count: 0 });
    catalogue.add([first]);
    write(catalogue, deviceAt(1), 5, { kind: 'pool', name: 'put right' });
    expect(catalogue.poolName).toBe('put right');
    catalogue.tell(20 * DAY_MS);
    expect(catalogue.poolName).toBe('put right');
  });

  it('agree once the clock of each has passed their dates, whatever it showed before and in any order', () => {
    const naming = fc.record({ by: fc.nat(2), day: fc.nat(6), count: fc.nat(1) });
    const told = fc.array(fc.oneof(fc.record({ take: fc.nat(9) }), fc.record({ day: fc.nat(8) })), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.array(naming, { maxLength: 9 }), told, told, (writes, one, other) => {
        const logs = new Map<number, CheckedEntry>();
        const entries = writes.map(({ by, day, count }, index) => {
          const before = logs.get(by)?.entry;
          const position = {
            seq: (before?.seq ?? 0) + 1,
            prev: before?.entryId,
            at: { ms: day * DAY_MS, count },
          };
          const entry = uncheckedEntry(deviceAt(by), position, { kind: 'pool', name: `name ${index}` });
          logs.set(by, entry);
          return entry;
        });
        const names = [one, other].map((steps) => {
          const catalogue = new Catalogue();
          for (const step of steps) {
            if ('day' in step) catalogue.tell(step.day * DAY_MS);
            else catalogue.add(entries.slice(0, step.take));
          }
          catalogue.add(entries);
          catalogue.tell(9 * DAY_MS);
          return catalogue.poolName;
        });
        const last = [...logs.values()].toSorted(byTime).at(-1)?.entry.body;
        expect(names).toEqual(names.map(() => (last?.kind === 'pool' ? last.name : '')));
      }),
    );
  });

  it('wait, but files and removals never wait, whatever their date', () => {
    const catalogue = new Catalogue();
    const end = { ms: MAX_HYBRID_MS, count: MAX_HYBRID_COUNT };
    const { body, fileId } = fileBody('dated ahead');
    catalogue.add([entryOf(2, body, end)]);
    expect(catalogue.files().has(fileId)).toBe(true);
    catalogue.add([entryOf(3, { kind: 'remove', file: fileId }, end)]);
    expect([catalogue.files().has(fileId), catalogue.isRemoved(fileId)]).toEqual([false, true]);
  });

  it('of a device follow its own log, whatever the dates in it', () => {
    const catalogue = new Catalogue();
    const end = { ms: MAX_HYBRID_MS, count: MAX_HYBRID_COUNT };
    catalogue.add([entryOf(3, { kind: 'profile', name: 'from the end of time' }, end)]);
    expect(catalogue.deviceName(deviceAt(3).deviceId)).toBe('from the end of time');
    write(catalogue, deviceAt(3), 5, { kind: 'profile', name: 'now' });
    expect(catalogue.deviceName(deviceAt(3).deviceId)).toBe('now');
  });

  it('can still be given after one entry from the end of time', () => {
    const catalogue = new Catalogue();
    const end = { ms: MAX_HYBRID_MS, count: MAX_HYBRID_COUNT };
    catalogue.add([entryOf(3, { kind: 'profile', name: 'hostile' }, end)]);
    const file = fileBody('after');
    write(catalogue, deviceAt(0), 1, file.body, manifestOf(deviceAt(0).deviceId));
    expect(catalogue.files().has(file.fileId)).toBe(true);
  });
});

describe('digests', () => {
  it('are those of the golden log', () => {
    const catalogue = new Catalogue();
    const entries = golden.entries.map(({ record }) => ({ entry: decodeEntry(bytesOfHex(record)) }));
    expect(catalogue.add(entries).orphaned).toEqual([]);
    const head = { device: golden.deviceId, seq: golden.entries.length, digest: golden.logDigest };
    expect(catalogue.heads()).toMatchObject([head]);
    expect(catalogue.digest()).toBe(golden.catalogueDigest);
  });
});

describe('members', () => {
  it('are the devices with a profile that have not left', () => {
    const catalogue = new Catalogue();
    const [ada, bob] = [deviceAt(0), deviceAt(1)];
    write(catalogue, ada, 1, { kind: 'profile', name: 'Ada' });
    write(catalogue, bob, 1, { kind: 'profile', name: 'Bob' });
    expect(catalogue.members().toSorted()).toEqual([ada.deviceId, bob.deviceId]);
    write(catalogue, bob, 2, { kind: 'leave' });
    expect(catalogue.members()).toEqual([ada.deviceId]);
    expect([catalogue.hasLeft(ada.deviceId), catalogue.hasLeft(bob.deviceId)]).toEqual([false, true]);
    expect(catalogue.deviceName(bob.deviceId)).toBe('Bob');
  });
});

describe('bounds', () => {
  it('a device beyond the thousandth is not added', () => {
    const catalogue = new Catalogue();
    for (let index = 0; index <= MAX_DEVICE_COUNT; index++) {
      const stranger = { publicKey: seededBytes(32, 5_000 + index) };
      const position = { seq: 1, prev: undefined, at: { ms: 1, count: 0 } };
      catalogue.add([uncheckedEntry(stranger, position, { kind: 'profile', name: `${index}` })]);
    }
    expect(catalogue.heads()).toHaveLength(MAX_DEVICE_COUNT);
    expect(catalogue.members()).toHaveLength(MAX_DEVICE_COUNT);
  });
});

function replicaOf(index: number, batch: number, entries: readonly CheckedEntry[]): Replica {
  const catalogue = new Catalogue();
  catalogue.add(entries);
  return { index, device: deviceAt(index).deviceId, catalogue, sync: new CatalogueSync(catalogue, batch) };
}

function entryOf(by: number, body: EntryBody, at = { ms: 1, count: 0 }): CheckedEntry {
  const manifest = body.kind === 'file' ? manifestOf(deviceAt(by).deviceId) : undefined;
  return uncheckedEntry(deviceAt(by), { seq: 1, prev: undefined, at }, body, manifest);
}

function writeSomething({ index, catalogue }: Replica, what: number, wallMs: number): CheckedEntry {
  const label = itemAt(LABELS, what % LABELS.length);
  const { body, fileId } = fileBody(label);
  const bodies: readonly EntryBody[] = [
    { kind: 'profile', name: `device ${index} of ${what}` },
    { kind: 'pool', name: `pool ${what} of ${index}` },
    body,
    { kind: 'remove', file: fileId },
    body,
  ];
  const chosen = itemAt(bodies, what % bodies.length);
  const manifest = manifestOf(deviceAt(index).deviceId);
  return write(catalogue, deviceAt(index), wallMs, chosen, chosen.kind === 'file' ? manifest : undefined);
}

/** The device's disk lost the last entries of its own log: it continues from the rest without knowing. */
function loseTail(replica: Replica, count: number, batch: number, written: Written): void {
  const entries = entriesOf(replica.catalogue, written);
  const own = replica.catalogue.positionOf(replica.device, 0).seq - 1;
  const kept = entries.filter(
    ({ entry }) => entry.deviceId !== replica.device || entry.seq <= Math.max(0, own - count),
  );
  Object.assign(replica, replicaOf(replica.index, batch, kept));
}

function remember(written: Written, entry: CheckedEntry): void {
  written.set(entry.entry.entryId, entry);
}

/** `asker` asks `answerer` for what it lacks, until it has everything or `maxMessages` were answered. */
function exchange(asker: Replica, answerer: Replica, written: Written, maxMessages: number): void {
  if (asker === answerer) return;
  let ask = asker.sync.ask(answerer.device);
  for (let count = 0; count < maxMessages; count++) {
    if (ask.kind !== 'sync') throw new Error('expected a sync');
    if (count > 1_000) throw new Error('an exchange goes round in circles');
    const answer = answerer.sync.answer(asker.device, ask);
    if (answer?.kind !== 'entries') return;
    const entries = answer.entries.flatMap((bytes) => written.get(decodeEntry(bytes).entryId) ?? []);
    expect(entries).toHaveLength(answer.entries.length);
    const next = asker.sync.goOn(answerer.device, entries, answer.more, asker.catalogue.add(entries));
    if (next === undefined) return;
    ask = next;
  }
}

/** Acts as pulses do: a device that differs asks. Returns how many rounds it took. */
function exchangeUntilEqual(replicas: readonly Replica[], written: Written): number {
  for (let round = 0; round <= 8; round++) {
    if (new Set(replicas.map(({ catalogue }) => catalogue.digest())).size === 1) return round;
    for (const asker of replicas) {
      for (const answerer of replicas) {
        if (asker.catalogue.digest() !== answerer.catalogue.digest())
          exchange(asker, answerer, written, Infinity);
      }
    }
  }
  throw new Error('after eight rounds the catalogues still differ');
}

function entriesOf(catalogue: Catalogue, written: Written): CheckedEntry[] {
  return [...catalogue.missingFor([])].flatMap(({ entryId }) => written.get(entryId) ?? []);
}

/** What a catalogue says, for comparison. */
function sayingOf(catalogue: Catalogue): unknown {
  return {
    files: [...catalogue.files().keys()].toSorted(),
    pool: catalogue.poolName,
    names: [0, 1, 2, 3].map((index) => catalogue.deviceName(deviceAt(index).deviceId)),
  };
}

/** The same from all entries at once, without the catalogue's code. */
function readingOf(entries: readonly CheckedEntry[]): unknown {
  const inOrder = entries.toSorted(byTime);
  const removed = new Set<FileId>();
  const files = new Set<FileId>();
  const names = ['', '', '', ''];
  const nameSeqs = [0, 0, 0, 0];
  const poolNames = new Map<DeviceId, CheckedEntry>();
  for (const { entry, file } of inOrder) {
    if (entry.body.kind === 'remove') removed.add(entry.body.file);
    if (file !== undefined) files.add(file.fileId);
  }
  // For one device the last number counts, and of equals the smaller id; among the pool's names then the
  // latest.
  const bySeq = entries.toSorted(
    ({ entry: a }, { entry: b }) => a.seq - b.seq || (a.entryId < b.entryId ? 1 : -1),
  );
  for (const checked of bySeq) {
    const { deviceId, body, seq } = checked.entry;
    const index = [0, 1, 2, 3].findIndex((at) => deviceAt(at).deviceId === deviceId);
    if (body.kind === 'pool') poolNames.set(deviceId, checked);
    if (body.kind !== 'profile' || seq < (nameSeqs[index] ?? 0)) continue;
    names[index] = body.name;
    nameSeqs[index] = seq;
  }
  const last = [...poolNames.values()].toSorted(byTime).at(-1)?.entry.body;
  const pool = last?.kind === 'pool' ? last.name : '';
  return { files: [...files].filter((file) => !removed.has(file)).toSorted(), pool, names };
}

function byTime(a: CheckedEntry, b: CheckedEntry): number {
  const [x, y] = [a.entry, b.entry];
  return x.at.ms - y.at.ms || x.at.count - y.at.count || (x.entryId < y.entryId ? -1 : 1);
}
