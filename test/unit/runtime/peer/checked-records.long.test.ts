// The catalogue on the disk: checked entries are not checked again, entries that were let go of do not stay,
// damage costs only what is damaged, and a large catalogue opens fast and in little memory.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../../src/core/catalogue/entry.ts';
import { sealManifest } from '../../../../src/core/catalogue/manifest.ts';
import type { Identity, RecordStore } from '../../../../src/core/ports.ts';
import { checkEntries } from '../../../../src/runtime/peer/checked-records.ts';
import { packEntry } from '../../../../src/core/catalogue/packed-entry.ts';
import { concatBytes, hexOf } from '../../../../src/core/model/bytes.ts';
import { deriveBundleKey, derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import entryVectors from '../../../vectors/entry.json' with { type: 'json' };
import vectors from '../../../vectors/bundle.json' with { type: 'json' };
import { scaled, scaleNote } from '../../../scale.ts';
import { createMemoryStore } from '../../../sim/memory-store.ts';
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  bound,
  bundleNumbers,
  countingCryptography,
  deviceOn,
  entryAfter,
  metaBytes,
  profiles,
  rowsOf,
  UNSLICED,
} from '../../../fixtures/checked-records-fixture.ts';
import { deviceAt, itemAt, manifestOf, POOL_KEYS, signedRecord } from '../../../fixtures/pool-fixture.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

const FACTOR = 20;
/** Full bundles: fewer entries than they hold are in rows. */
const ENTRY_COUNT = scaled(102_400, FACTOR);
/** Memory of one entry of the usual geometry, by the promise for 100,000. */
const ENTRY_BYTES = (200 * 1024 * 1024) / 100_000;
/** The promise for 100,000 entries is 3 s; two cores take some 2.3. Machines differ, so thrice that fails. */
const OPEN_MS = Math.max(2_000, (9_000 * ENTRY_COUNT) / 100_000);

describe('100,000 honest entries', () => {
  it(`open without being checked again, in 200 MiB, ${scaleNote(FACTOR)}`, async () => {
    const { records } = createMemoryStore();
    const writing = deviceOn(records);
    for (const entries of fileEntries(ENTRY_COUNT)) {
      writing.catalogue.add(entries);
      await writing.kept.keep(entries);
      await writing.kept.idle();
    }
    const digest = writing.catalogue.digest();
    const fileCount = writing.catalogue.files().size;
    const before = await usedBytes();
    const [startMs, startCpu] = [performance.now(), process.cpuUsage()];
    const opened = deviceOn(records);
    expect(await opened.kept.restore()).toBe(0);
    const tookMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(startCpu);
    const workMs = (user + system) / 1_000;
    const grewBytes = (await usedBytes()) - before;
    process.stdout.write(
      `${ENTRY_COUNT} entries: ${workMs.toFixed(0)} ms of work in ${tookMs.toFixed(0)} ms, ${(grewBytes / 1024 / 1024).toFixed(1)} MiB, ${(grewBytes / ENTRY_COUNT).toFixed(0)} bytes each\n`,
    );
    expect(opened.catalogue.digest()).toBe(digest);
    expect([fileCount, opened.catalogue.files().size]).toEqual([ENTRY_COUNT, ENTRY_COUNT]);
    // What else the machine does makes it take longer, what the engine does beside it is more work.
    expect(Math.min(workMs, tookMs)).toBeLessThan(OPEN_MS);
    expect(grewBytes / ENTRY_COUNT).toBeLessThan(ENTRY_BYTES);
    await writing.kept.idle();
  }, 600_000);
});

describe('the golden bundle', () => {
  it('has the golden entries, byte for byte, and is read as this device’s own', async () => {
    const keys = derivePoolKeys(bytesOfHex(vectors.poolSecret), vectors.epoch);
    expect(hexOf(deriveBundleKey(keys))).toBe(vectors.bundleKey);
    const records = entryVectors.entries.map(({ record }) => bytesOfHex(record));
    const checked = await checkEntries(records, {
      keys: new KeyRing(keys),
      cryptography: webCryptography,
      slices: UNSLICED,
    });
    expect(hexOf(concatBytes(...checked.map(packEntry)))).toBe(vectors.run);
    const store = createMemoryStore();
    await store.records.putMeta('catalogue/7', bytesOfHex(vectors.bundle));
    await store.records.putMeta('catalogue', [7]);
    const { catalogue, kept } = deviceOn(store.records, webCryptography, undefined, keys);
    expect(await kept.restore()).toBe(0);
    expect(catalogue.digest()).toBe(entryVectors.catalogueDigest);
    expect([...catalogue.missingFor([])].map(({ bytes }) => hexOf(bytes))).toEqual(records.map(hexOf));
  });
});

describe('the catalogue on the disk', () => {
  it('is restored with files, names, removals and unknown entries, without checking signatures or opening manifests', async () => {
    const store = createMemoryStore();
    const first = deviceOn(store.records);
    const written = await realEntries();
    await store.records.putRecords(rowsOf(written));
    expect(await first.kept.restore()).toBe(0);
    const file = itemAt([...first.catalogue.files().values()], 0);
    // Enough for a bundle: all of them go into it.
    const many = profiles(600);
    first.catalogue.add(many);
    await first.kept.keep(many);
    await first.kept.idle();
    expect(store.contents().entryIds).toEqual([]);

    const counted = countingCryptography();
    const again = deviceOn(store.records, counted.cryptography);
    expect(await again.kept.restore()).toBe(0);
    expect(counted.calls).toEqual({ verify: 0, open: 1 });
    expect(again.catalogue.digest()).toBe(first.catalogue.digest());
    expect(again.catalogue.poolName).toBe('Home');
    expect(again.catalogue.deviceName(deviceAt(0).deviceId)).toBe('Ada');
    const reopened = itemAt([...again.catalogue.files().values()], 0);
    for (const manifest of [file, reopened])
      expect(plainOf(manifest)).toEqual(plainOf(manifestOf(deviceAt(0).deviceId)));
    const bytes = [...again.catalogue.missingFor([])].map((entry) => entry.bytes);
    const checked = await checkEntries(bytes, {
      keys: new KeyRing(POOL_KEYS),
      cryptography: webCryptography,
      slices: UNSLICED,
    });
    expect(checked.filter(({ entry }) => entry.deviceId === deviceAt(0).deviceId)).toHaveLength(
      written.length,
    );
  });

  it('reports what is damaged, opens the rest, and takes missing entries again', async () => {
    const store = createMemoryStore();
    const first = deviceOn(store.records);
    const rowCount = 20;
    const entries = profiles(700 + rowCount);
    for (const part of [entries.slice(0, 500), entries.slice(500, 700), entries.slice(700)]) {
      first.catalogue.add(part);
      await first.kept.keep(part);
      await first.kept.idle();
    }
    await store.records.putMeta('catalogue/1', seededBytes(500, 1));
    const second = deviceOn(store.records);
    // A row of garbage, and records without a valid signature in the rows: the fixture's signatures are
    // false.
    expect(await second.kept.restore()).toBe(1 + rowCount);
    expect([...second.catalogue.missingFor([])]).toEqual([]);
    second.catalogue.add(entries);
    await second.kept.keep(entries);
    await second.kept.idle();
    const third = deviceOn(store.records);
    expect(await third.kept.restore()).toBe(0);
    expect(third.catalogue.digest()).toBe(first.catalogue.digest());
  });

  it('is checked once: a start bundles what it checked, and the next checks none of it', async () => {
    const store = createMemoryStore();
    const rows = await realEntries();
    await store.records.putRecords(rowsOf(rows));
    const first = countingCryptography();
    const device = deviceOn(store.records, first.cryptography);
    expect(await device.kept.restore()).toBe(0);
    await device.kept.idle();
    expect(first.calls.verify).toBe(rows.length);
    const second = countingCryptography();
    const again = deviceOn(store.records, second.cryptography);
    expect(await again.kept.restore()).toBe(0);
    expect(second.calls.verify).toBe(0);
    expect(again.catalogue.digest()).toBe(device.catalogue.digest());
  });

  it('leaves few rows and few bundles while files are stored, and writes each entry a few times', async () => {
    const store = createMemoryStore();
    let writtenBytes = 0;
    const counting: RecordStore = {
      ...bound(store.records),
      putMeta: (name, value) => {
        if (value instanceof Uint8Array) writtenBytes += value.length;
        return store.records.putMeta(name, value);
      },
    };
    const first = deviceOn(counting);
    const entries = profiles(2_000);
    for (const entry of entries) {
      first.catalogue.add([entry]);
      await first.kept.keep([entry]);
      await first.kept.idle();
    }
    expect(store.contents().entryIds.length).toBeLessThan(32);
    // They are about 32, 64, 128… entries long.
    expect((await bundleNumbers(store.records)).length).toBeLessThan(10);
    expect(writtenBytes).toBeLessThan(5 * (await metaBytes(store.records)));
  });

  it('keeps count of entries whose bundle was joined with others', async () => {
    const store = createMemoryStore();
    const entries = profiles(100);
    const first = deviceOn(store.records);
    first.catalogue.add(entries.slice(0, 40));
    await first.kept.keep(entries.slice(0, 40));
    await first.kept.idle();
    const second = deviceOn(store.records);
    await second.kept.restore();
    second.catalogue.add(entries.slice(40));
    await second.kept.keep(entries.slice(40));
    await second.kept.idle();
    expect(await bundleNumbers(store.records)).toEqual([2]);
    // Those of the first bundle were read from it; those of the second this page bundled.
    await second.kept.forget([...second.catalogue.missingFor([])]);
    expect(await bundleNumbers(store.records)).toEqual([]);
    expect(store.contents().entryIds).toEqual([]);
  });

  it('loses nothing when a crash comes between a joined bundle and those that it replaces', async () => {
    const store = createMemoryStore();
    const entries = profiles(100);
    const crashing: RecordStore = {
      ...bound(store.records),
      dropMeta: () => Promise.reject(new Error('the page is gone')),
    };
    const first = deviceOn(crashing);
    for (const part of [entries.slice(0, 40), entries.slice(40)]) {
      first.catalogue.add(part);
      await first.kept.keep(part);
      await first.kept.idle();
    }
    // As before the list of bundles was written again.
    await store.records.putMeta('catalogue', [1, 2]);
    const again = deviceOn(store.records);
    expect(await again.kept.restore()).toBe(0);
    await again.kept.idle();
    expect(again.catalogue.digest()).toBe(first.catalogue.digest());
    const third = deviceOn(store.records);
    expect(await third.kept.restore()).toBe(0);
    expect(third.catalogue.digest()).toBe(first.catalogue.digest());
  });

  it('does not keep dropped entries: rows immediately, bundles once half of one is dropped', async () => {
    const store = createMemoryStore();
    const maxLogBytes = 150_000;
    const first = deviceOn(store.records, webCryptography, maxLogBytes);
    const trunk = profiles(600);
    first.catalogue.add(trunk);
    await first.kept.keep(trunk);
    await first.kept.idle();
    const bundleBytes = await metaBytes(store.records);
    // A branch from the second entry on. It precedes the rest of the trunk, which then has no room.
    const branch = branchBefore(itemAt(trunk, 0), itemAt(trunk, 1), 650);
    const { added, evicted } = first.catalogue.add(branch);
    expect(evicted.length).toBeGreaterThan(550);
    await first.kept.forget(evicted);
    await first.kept.keep(added);
    await first.kept.idle();
    const again = deviceOn(store.records, webCryptography, maxLogBytes);
    await again.kept.restore();
    expect(again.catalogue.digest()).toBe(first.catalogue.digest());
    await again.kept.idle();
    expect(await metaBytes(store.records)).toBeLessThan(1.2 * bundleBytes);
  });

  it('survives a crash between a bundle and the rows that it replaces', async () => {
    const store = createMemoryStore();
    const rows = await realEntries();
    const { records } = store;
    const crashing: RecordStore = {
      ...bound(records),
      dropRecords: () => Promise.reject(new Error('the page is gone')),
    };
    const first = deviceOn(crashing);
    await records.putRecords(rowsOf(rows));
    await first.kept.restore();
    await first.kept.idle();
    const many = profiles(600);
    first.catalogue.add(many);
    await first.kept.keep(many);
    await first.kept.idle();
    expect(store.contents().entryIds.length).toBe(600 + rows.length);
    // The rows have the fixture's false signatures: the bundle's entries count.
    const again = deviceOn(records);
    await again.kept.restore();
    await again.kept.idle();
    expect(again.catalogue.digest()).toBe(first.catalogue.digest());
  });
});

/** File entries of eight devices as they are when many photos are stored: 872 bytes a record. */
function* fileEntries(count: number): Generator<CheckedEntry[]> {
  const last: (CheckedEntry | undefined)[] = [];
  const manifests = Array.from({ length: 8 }, (_, by) => manifestOf(deviceAt(by).deviceId));
  for (let at = 0; at < count; at += 32) {
    yield Array.from({ length: Math.min(32, count - at) }, (_, index) => {
      const number = at + index;
      const by = number % 8;
      const bytes = new Uint8Array(644);
      new DataView(bytes.buffer).setUint32(0, number);
      const details = { name: `IMG_${number}.jpg`, path: 'Photos/2026', mime: 'image/jpeg' };
      const [linkKey, contentTag] = [bytes.slice(0, 32), bytes.slice(0, 32)];
      const manifest = {
        ...itemAt(manifests, by),
        access: { kind: 'pool', details, linkKey, contentTag } as const,
      };
      const entry = entryAfter(last[by], { kind: 'file', manifest: bytes }, by, manifest);
      last[by] = entry;
      return entry;
    });
  }
}

function branchBefore(trunk: CheckedEntry, next: CheckedEntry, count: number): CheckedEntry[] {
  for (let index = 0; index < 1_000; index++) {
    const branch = profiles(1, trunk, `branch ${index}`);
    if (itemAt(branch, 0).entry.entryId < next.entry.entryId) {
      return [...branch, ...profiles(count - 1, itemAt(branch, 0), `branch ${index}`)];
    }
  }
  throw new Error('no branch has the smaller id');
}

/** One entry of each kind, with true signatures and seals. */
async function realEntries(): Promise<CheckedEntry[]> {
  const writer: Identity = deviceAt(0);
  const sealed = await sealManifest(
    manifestOf(writer.deviceId),
    POOL_KEYS.catalogueKey,
    POOL_KEYS.poolId,
    seededBytes(12, 9),
    webCryptography,
  );
  const bodies: readonly EntryBody[] = [
    { kind: 'profile', name: 'Ada' },
    { kind: 'pool', name: 'Home' },
    { kind: 'file', manifest: sealed },
    { kind: 'unknown', fields: { kind: 'policy', level: 3 } },
  ];
  const entries: CheckedEntry[] = [];
  for (const body of bodies) {
    const before = entries.at(-1)?.entry;
    const place = { seq: (before?.seq ?? 0) + 1, prev: before?.entryId, at: { ms: 1, count: 0 } };
    const bytes = await signedRecord(writer, place, body);
    entries.push(
      ...(await checkEntries([bytes], {
        keys: new KeyRing(POOL_KEYS),
        cryptography: webCryptography,
        slices: UNSLICED,
      })),
    );
  }
  return entries;
}

function plainOf(manifest: ReturnType<typeof manifestOf>): unknown {
  const { size, k, n, blockBytes, modifiedMs, salt, fragments, by, atMs, access } = manifest;
  return { size, k, n, blockBytes, modifiedMs, salt, fragments, by, atMs, access };
}

/** Runs once garbage was collected. Buffers are freed a little after their owners, in the background. */
async function usedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('memory cannot be measured here');
  for (let round = 0; round < 5; round++) {
    Reflect.apply(collect, undefined, []);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
