// Policy entries: golden bytes, values out of bounds, and that any order of merges gives one policy.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { encodeSigned } from '../../../../src/core/encoding/signed-record.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { checkEntry, type CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import {
  decodeEntry,
  encodeEntryPayload,
  signedBytesOf,
  type EntryBody,
} from '../../../../src/core/catalogue/entry.ts';
import { PackedEntry, packEntry, unpackEntries } from '../../../../src/core/catalogue/packed-entry.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { cidOf, parseDeviceId, parseEntryId, parsePoolId } from '../../../../src/core/model/ids.ts';
import { derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import {
  DEFAULT_POLICY,
  policyOf,
  POLICY_PARTS,
  type PolicyPart,
  type PolicyParts,
} from '../../../../src/core/model/policy.ts';
import { bytesOfHex } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  itemAt,
  POOL_KEYS,
  signedRecord,
  uncheckedEntry,
  write,
} from '../../../fixtures/pool-fixture.ts';
import { identityFrom } from '../../../fixtures/seeded-identity.ts';
import log from '../../../vectors/entry.json' with { type: 'json' };
import names from '../../../vectors/file-name.json' with { type: 'json' };
import vectors from '../../../vectors/policy.json' with { type: 'json' };
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

const KEYS = derivePoolKeys(bytesOfHex(vectors.poolSecret), vectors.epoch);
const DAY_MS = 24 * 3_600_000;
const FIRST_PLACE = { seq: 1, prev: undefined, at: { ms: 1, count: 0 } };

/** Ids in the vectors are plain texts. */
function partsIn({ anchors, ...numbers }: { readonly anchors?: readonly string[] } & object): PolicyParts {
  return anchors === undefined ? numbers : { ...numbers, anchors: anchors.map((id) => parseDeviceId(id)) };
}

describe('golden vectors', () => {
  it.each(vectors.entries)('of entry $seq', async (vector) => {
    const identity = identityFrom(bytesOfHex(vectors.deviceSeed));
    const parts = partsIn(vector.parts);
    const body: EntryBody = { kind: 'policy', parts };
    const payload = encodeEntryPayload({
      pool: parsePoolId(vectors.poolId),
      publicKey: identity.publicKey,
      seq: vector.seq,
      prev: parseEntryId(vector.prev),
      at: vector.at,
      body,
    });
    expect(hexOf(payload)).toBe(vector.payload);
    const record = encodeSigned(payload, await identity.sign(signedBytesOf(payload)));
    expect(hexOf(record)).toBe(vector.record);
    const checked = await checkEntry(record, new KeyRing(KEYS), webCryptography);
    expect(checked.entry.body).toEqual(body);
    expect(hexOf(packEntry(checked))).toBe(vector.packed);
    const [packed] = unpackEntries(bytesOfHex(vector.packed));
    expect([packed?.kind, packed?.entryId, packed?.policyParts]).toEqual(['policy', vector.entryId, parts]);
  });

  it('give the policy of the log', async () => {
    const records = [...log.entries, ...vectors.entries].map(({ record }) => bytesOfHex(record));
    const catalogue = new Catalogue();
    catalogue.tell(vectors.entries.at(-1)?.at.ms ?? 0);
    catalogue.add(
      await Promise.all(records.map((record) => checkEntry(record, new KeyRing(KEYS), webCryptography))),
    );
    expect(catalogue.policy).toEqual({ ...vectors.policy, isGraceSet: expect.anything() });
  });

  it('packed, other kinds have no policy, and policies no file', () => {
    const packed = [...names.entries, ...vectors.entries].flatMap((vector) =>
      unpackEntries(bytesOfHex(vector.packed)),
    );
    const isName = [...names.entries.map(() => true), ...vectors.entries.map(() => false)];
    expect(packed.map(({ policyParts }) => Object.keys(policyParts).length === 0)).toEqual(isName);
    expect(packed.map(({ fileId }) => fileId !== undefined)).toEqual(isName);
  });
});

const links = (...devices: readonly number[]) => devices.map((at) => cidOf(deviceAt(at).deviceId));

describe('a policy entry', () => {
  const bodyOf = async (fields: object): Promise<EntryBody> => {
    const record = await signedRecord(deviceAt(0), FIRST_PLACE, {
      kind: 'unknown',
      fields: { kind: 'policy', ...fields },
    });
    const checked = await checkEntry(record, new KeyRing(POOL_KEYS), webCryptography);
    expect(hexOf(checked.entry.bytes)).toBe(hexOf(record));
    expect(new Catalogue().add([checked]).added).toHaveLength(1);
    return checked.entry.body;
  };

  it.each<[string, object, PolicyParts]>([
    ['a part out of its bounds', { k: 1, n: 9 }, { n: 9 }],
    ['a grace out of its bounds', { graceMs: { phone: 9_999, laptop: 10_000 } }, { laptop: 10_000 }],
    ['a share above all', { repairMillionths: 1_000_001, k: 4 }, { k: 4 }],
    ['a k above its n', { k: 5, n: 4, graceMs: { phone: 10_000 } }, { phone: 10_000 }],
    ['parts that a later version adds', { n: 9, sleep: true, graceMs: { tablet: 1 } }, { n: 9 }],
    ['anchors that are no links', { n: 9, anchors: ['bafy', 7] }, { n: 9 }],
    ['anchors that are no list', { n: 9, anchors: { length: 1 } }, { n: 9 }],
    ['more anchors than it may have', { n: 9, anchors: links(0, 1, 2, 3, 4) }, { n: 9 }],
    ['an anchor that is named twice', { n: 9, anchors: links(1, 1) }, { n: 9 }],
    ['graces that are no map', { n: 9, graceMs: [10_000] }, { n: 9 }],
  ])('counts without %s', async (_, fields, parts) => {
    expect(await bodyOf(fields)).toEqual({ kind: 'policy', parts });
  });

  it('names anchors, or that there are none', async () => {
    const anchors = [deviceAt(1).deviceId, deviceAt(0).deviceId];
    expect(await bodyOf({ anchors: links(1, 0) })).toEqual({ kind: 'policy', parts: { anchors } });
    expect(await bodyOf({ anchors: [] })).toEqual({ kind: 'policy', parts: { anchors: [] } });
  });

  it('without a part that counts is kept like a kind that nobody knows', async () => {
    for (const fields of [
      {},
      { k: 'four' },
      { graceMs: null },
      { graceMs: new Uint8Array(9) },
      { k: 5, n: 4 },
    ]) {
      expect(await bodyOf(fields)).toEqual({ kind: 'unknown', fields: { kind: 'policy', ...fields } });
    }
  });

  it('is of a kind that older devices keep and pass on, and read once they are updated', () => {
    const vector = itemAt(vectors.entries, 0);
    const entry = decodeEntry(bytesOfHex(vector.record));
    // Such a device packs the entry as an unknown one.
    const packed = new PackedEntry(
      packEntry({ entry: { ...entry, body: { kind: 'unknown', fields: {} } } }),
      0,
    );
    expect([packed.kind, packed.isUnread]).toEqual(['unknown', true]);
    expect(hexOf(packed.bytes)).toBe(vector.record);
  });
});

describe('the policy', () => {
  it('is the usual one until somebody sets a part, and the rest stays', () => {
    const catalogue = new Catalogue();
    expect(catalogue.policy).toEqual(policyOf({}));
    write(catalogue, deviceAt(0), 1, { kind: 'policy', parts: { phone: 20_000 } });
    write(catalogue, deviceAt(1), 2, { kind: 'policy', parts: { k: 3, n: 6 } });
    const { graceMs } = DEFAULT_POLICY;
    const isGraceSet = { alwaysOn: false, laptop: false, phone: true };
    const expected = { graceMs: { ...graceMs, phone: 20_000 }, isGraceSet, repairShare: 0.2, k: 3, n: 6 };
    expect(catalogue.policy).toEqual(expected);
    expect(catalogue.policy).toBe(catalogue.policy);
  });

  it('has the latest anchors, apart from other parts; none is a choice as well', () => {
    const catalogue = new Catalogue();
    const anchors = [deviceAt(2).deviceId];
    expect([catalogue.policy.placement, catalogue.policy.anchors]).toEqual([undefined, undefined]);
    write(catalogue, deviceAt(0), 1, { kind: 'policy', parts: { anchors, k: 3 } });
    write(catalogue, deviceAt(1), 2, { kind: 'policy', parts: { n: 6 } });
    expect(catalogue.policy).toMatchObject({ placement: 'anchored', anchors, k: 3, n: 6 });
    write(catalogue, deviceAt(1), 3, { kind: 'policy', parts: { anchors: [] } });
    expect(catalogue.policy).toMatchObject({ placement: 'spread', k: 3, n: 6 });
    expect(catalogue.policy.anchors).toBeUndefined();
  });

  it('dated more than 12 hours ahead waits, and a later one can still be set when it is due', () => {
    const catalogue = new Catalogue();
    const dueMs = 40 * DAY_MS;
    catalogue.tell(dueMs - 1);
    catalogue.add([entryOf(1, FIRST_PLACE, { k: 9, n: 9 }, dueMs + DAY_MS / 2)]);
    expect([catalogue.policy, catalogue.nextDeadlineMs()]).toEqual([policyOf({}), dueMs]);
    catalogue.tell(dueMs);
    expect([catalogue.policy.k, catalogue.nextDeadlineMs()]).toEqual([9, Infinity]);
    write(catalogue, deviceAt(0), dueMs, { kind: 'policy', parts: { k: 5 } });
    expect(catalogue.policy).toMatchObject({ k: 5, n: 9 });
    // The clock had run ahead, and is put right.
    catalogue.tell(dueMs - 2 * DAY_MS);
    expect(catalogue.policy).toEqual(policyOf({}));
  });

  it('has the later of a k and an n that were set apart and do not fit', () => {
    const k = entryOf(0, FIRST_PLACE, { k: 9 }, 5);
    const n = entryOf(1, FIRST_PLACE, { n: 6 }, 6);
    const fitting = entryOf(2, FIRST_PLACE, { n: 12 }, 7);
    const catalogue = new Catalogue();
    catalogue.add([n, k]);
    expect(catalogue.policy).toEqual(policyOf({ n: 6 }));
    catalogue.add([fitting]);
    expect(catalogue.policy).toEqual(policyOf({ k: 9, n: 12 }));
  });

  it('is one, whatever the order in which entries come, fork and are evicted', () => {
    const value: Record<PolicyPart, fc.Arbitrary<number>> = {
      alwaysOn: fc.integer({ min: 10_000, max: 10_009 }),
      laptop: fc.integer({ min: 10_000, max: 10_009 }),
      phone: fc.integer({ min: 10_000, max: 10_009 }),
      repairShare: fc.integer({ min: 10_000, max: 10_009 }),
      k: fc.integer({ min: 2, max: 9 }),
      n: fc.integer({ min: 2, max: 9 }),
      storeBytes: fc.constantFrom(0, 1_000_000, 1_000_001),
      giveBytes: fc.constantFrom(0, 1_000_000, 1_000_001),
      rotateEveryMs: fc.constantFrom(0, 3_600_000, 3_600_001),
    };
    const parts = fc
      .record(value, { requiredKeys: [] })
      .filter((set) => Object.keys(set).length > 0 && (set.k ?? 0) <= (set.n ?? Infinity));
    const said = fc.record({ by: fc.nat(2), back: fc.nat(2), day: fc.nat(5), count: fc.nat(1), parts });
    // Half of the logs overflow: an entry has some 300 bytes.
    const sizes = fc.constantFrom(900, 1e9);
    fc.assert(
      fc.property(
        fc.array(said, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        fc.array(fc.nat(8), { maxLength: 4 }),
        sizes,
        (plan, order, days, maxBytes) => {
          const entries = grown(plan);
          const catalogues = [entries, shuffled(entries, order), shuffled(entries, order.toReversed())].map(
            (arrival, index) => {
              const catalogue = new Catalogue(undefined, maxBytes);
              if (index > 0) for (const day of days) catalogue.tell(day * DAY_MS);
              for (const entry of arrival) catalogue.add([entry]);
              // Entries whose predecessor came late are offered again, as devices do.
              for (let round = 0; round < entries.length; round++) catalogue.add(entries);
              catalogue.tell(9 * DAY_MS);
              return catalogue;
            },
          );
          const kept = new Set([...itemAt(catalogues, 0).missingFor([])].map(({ entryId }) => entryId));
          const expected = readingOf(entries.filter(({ entry }) => kept.has(entry.entryId)));
          for (const { policy } of catalogues) expect(policy).toEqual(expected);
          const restored = new Catalogue(undefined, maxBytes);
          restored.restore([...itemAt(catalogues, 1).missingFor([])]);
          restored.tell(9 * DAY_MS);
          expect(restored.policy).toEqual(expected);
        },
      ),
      { numRuns: 120 },
    );
  });
});

type Place = Parameters<typeof uncheckedEntry>[1];

function entryOf(by: number, place: Place, parts: PolicyParts, ms: number): CheckedEntry {
  return uncheckedEntry(deviceAt(by), { ...place, at: { ms, count: 0 } }, { kind: 'policy', parts });
}

interface Said {
  readonly by: number;
  /** How many entries of the log it steps back for its predecessor: a fork, unless 0. */
  readonly back: number;
  readonly day: number;
  readonly count: number;
  readonly parts: PolicyParts;
}

/** Logs that grow and fork; each entry after the one before it. */
function grown(plan: readonly Said[]): CheckedEntry[] {
  const logs = new Map<number, CheckedEntry[]>();
  return plan.map(({ by, back, day, count, parts }) => {
    const before = logs.get(by) ?? [];
    const parent = before.at(-1 - back)?.entry;
    const place = { seq: (parent?.seq ?? 0) + 1, prev: parent?.entryId, at: { ms: day * DAY_MS, count } };
    const entry = uncheckedEntry(deviceAt(by), place, { kind: 'policy', parts });
    logs.set(by, [...before, entry]);
    return entry;
  });
}

function shuffled<Item>(items: readonly Item[], order: readonly number[]): Item[] {
  const rest = [...items];
  return items.flatMap((_, index) => rest.splice((order[index] ?? 0) % rest.length, 1));
}

/** The policy that these entries give, without the catalogue's code. */
function readingOf(entries: readonly CheckedEntry[]): unknown {
  const found: Partial<Record<PolicyPart, { readonly value: number; readonly at: readonly unknown[] }>> = {};
  for (const part of POLICY_PARTS) {
    const lasts = new Map<string, CheckedEntry>();
    for (const checked of entries) {
      const { body, deviceId, seq, entryId } = checked.entry;
      if (body.kind !== 'policy' || body.parts[part] === undefined) continue;
      const last = lasts.get(deviceId)?.entry;
      const isLater = last === undefined || seq > last.seq || (seq === last.seq && entryId < last.entryId);
      if (isLater) lasts.set(deviceId, checked);
    }
    for (const { entry } of lasts.values()) {
      const value = entry.body.kind === 'policy' ? entry.body.parts[part] : undefined;
      const at = [entry.at.ms, entry.at.count, entry.entryId];
      if (value !== undefined && isAfter(at, found[part]?.at)) found[part] = { value, at };
    }
  }
  const { k, n } = found;
  if (k !== undefined && n !== undefined && k.value > n.value) delete found[isAfter(k.at, n.at) ? 'n' : 'k'];
  const parts = Object.entries(found).map(([part, { value }]) => [part, value]);
  return policyOf(Object.fromEntries(parts));
}

function isAfter(at: readonly unknown[], than: readonly unknown[] | undefined): boolean {
  if (than === undefined) return true;
  for (const [index, value] of at.entries()) {
    const other = than[index];
    if (value !== other) return (value as number | string) > (other as number | string); // of one type
  }
  return false;
}
