// The record: pages of the catalogue, each entry checked again, and what was noticed of others.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { checkEntry } from '../../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../../src/core/catalogue/entry.ts';
import { parseDeviceId } from '../../../../src/core/model/ids.ts';
import { recordItem } from '../../../../src/runtime/record/record-item.ts';
import { recordPage } from '../../../../src/runtime/record/record-page.ts';
import { SecurityEvents } from '../../../../src/runtime/record/security-events.ts';
import {
  deviceAt,
  fileIdAt,
  OTHER_POOL_KEYS,
  POOL_KEYS,
  signedRecord,
  uncheckedEntry,
} from '../../../fixtures/pool-fixture.ts';
import { actItem } from '../../../../src/runtime/record/act-item.ts';
import { charterBy, following, grantOf, writeAct } from '../../../fixtures/signed-acts.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

const T0 = 1_760_000_000_000;

async function say(catalogue: Catalogue, index: number, nowMs: number, body: EntryBody): Promise<void> {
  const identity = deviceAt(index);
  const record = await signedRecord(identity, catalogue.positionOf(identity.deviceId, nowMs), body);
  catalogue.add([await checkEntry(record, new KeyRing(POOL_KEYS), webCryptography)]);
}

async function someLogs(): Promise<Catalogue> {
  const catalogue = new Catalogue();
  for (let at = 0; at < 30; at++) {
    await say(
      catalogue,
      at % 3,
      T0 + at,
      at < 3 ? { kind: 'profile', name: `d${at}` } : { kind: 'pool', name: `${at}` },
    );
  }
  return catalogue;
}

describe('a page of the record', () => {
  it('has the newest entries, newest last, and earlier pages follow without a gap', async () => {
    const catalogue = await someLogs();
    const seen: string[] = [];
    let before: string | undefined;
    for (const expected of [7, 7, 7, 7, 2]) {
      const page = recordPage(catalogue, { limit: 7, ...(before === undefined ? {} : { before }) });
      expect(page.entries).toHaveLength(expected);
      expect(page.total).toBe(30);
      seen.unshift(...page.entries.map(({ at }) => String(at.ms - T0)));
      before = page.earlier;
    }
    expect(before).toBeUndefined();
    expect(seen).toEqual(Array.from({ length: 30 }, (_, at) => String(at)));
  });

  it('may be of one device', async () => {
    const catalogue = await someLogs();
    const { deviceId } = deviceAt(1);
    const { entries, total } = recordPage(catalogue, { device: deviceId, limit: 4 });
    expect(total).toBe(10);
    expect(entries.map(({ seq }) => seq)).toEqual([7, 8, 9, 10]);
    expect(new Set(entries.map((entry) => entry.deviceId))).toEqual(new Set([deviceId]));
  });

  it.each([
    { limit: 0 },
    { limit: 1_001 },
    { limit: 1.5 },
    { limit: Number.NaN },
    { device: 'me' },
    { before: '1.2' },
    { before: 'x.y.z' },
  ])('is refused for %j', async (options) => {
    const catalogue = await someLogs();
    expect(() => recordPage(catalogue, options)).toThrow(expect.objectContaining({ code: 'bad-argument' }));
  });
});

describe('acts in the record', () => {
  it('lie between the entries by their dates, and say whether they count', async () => {
    const catalogue = await someLogs();
    const charter = await charterBy(deviceAt(0), [deviceAt(1)]);
    const acts = following(charter);
    const lifted = await writeAct(deviceAt(1), acts, grantOf(deviceAt(2), 'reader', 1));
    const grant = await writeAct(deviceAt(0), acts, grantOf(deviceAt(1), 'admin'), { atMs: T0 + 5 });
    acts.add([lifted, grant]);
    const { rows, total } = recordPage(catalogue, { limit: 100 }, acts.acts());
    expect([total, rows.length]).toEqual([33, 33]);
    const about = await actItem(grant, { catalogue, acts, cryptography: webCryptography });
    expect(about).toMatchObject({ kind: 'grant', counts: true, state: 'verified', role: 'admin' });
    expect(rows.slice(5, 7)).toContain(grant);
    const without = await actItem(lifted, { catalogue, acts, cryptography: webCryptography });
    expect(without).toMatchObject({ kind: 'grant', counts: false, state: 'verified' });
    const { record } = grant;
    const forged = { record: { ...record, signature: new Uint8Array(64) } };
    const wrong = await actItem(forged, { catalogue, acts, cryptography: webCryptography });
    expect(wrong.state).toBe('invalid');
    const { rows: own } = recordPage(catalogue, { device: deviceAt(1).deviceId }, acts.acts());
    expect(own).toContain(lifted);
    expect(own).not.toContain(grant);
  });
});

describe('an entry of the record', () => {
  const ports = { cryptography: webCryptography, keys: POOL_KEYS, splitAt: undefined };

  it('says who, what and when, in which place, and that it is genuine', async () => {
    const catalogue = new Catalogue();
    await say(catalogue, 0, T0, { kind: 'profile', name: 'Laptop' });
    await say(catalogue, 0, T0 + 5, { kind: 'remove', file: fileIdAt(1) });
    await say(catalogue, 0, T0 + 6, { kind: 'policy', parts: { k: 3, n: 6 } });
    await say(catalogue, 0, T0 + 7, { kind: 'unknown', fields: { kind: 'granted', to: 'x' } });
    const { entries } = recordPage(catalogue, {});
    const items = await Promise.all(entries.map((entry) => recordItem(entry, { ...ports, catalogue })));
    const { deviceId } = deviceAt(0);
    expect(items).toMatchObject([
      { kind: 'profile', name: 'Laptop', seq: 1, atMs: T0, deviceId, by: { name: 'Laptop' } },
      { kind: 'remove', fileId: fileIdAt(1), seq: 2, atMs: T0 + 5 },
      { kind: 'policy', policy: { k: 3, n: 6 } },
      { kind: 'granted', seq: 4 },
    ]);
    expect(items.map(({ state }) => state)).toEqual(['verified', 'verified', 'verified', 'verified']);
  });

  it('that is not genuine, or of another pool, or lacks the one before it, is shown as such', async () => {
    const catalogue = new Catalogue();
    await say(catalogue, 0, T0, { kind: 'profile', name: 'Laptop' });
    const { deviceId } = deviceAt(1);
    // Entries that never passed the check, as if the disk had changed under them.
    catalogue.add([
      uncheckedEntry(deviceAt(1), catalogue.positionOf(deviceId, T0), { kind: 'pool', name: 'x' }),
    ]);
    const [forged] = recordPage(catalogue, { device: deviceId }).entries;
    if (forged === undefined) throw new Error('There is an entry.');
    expect(await recordItem(forged, { ...ports, catalogue })).toMatchObject({ state: 'invalid' });
    const [sound] = recordPage(catalogue, { device: deviceAt(0).deviceId }).entries;
    if (sound === undefined) throw new Error('There is an entry.');
    const elsewhere = { ...ports, catalogue, keys: OTHER_POOL_KEYS };
    expect(await recordItem(sound, elsewhere)).toMatchObject({ state: 'invalid' });
    await say(catalogue, 0, T0 + 1, { kind: 'pool', name: 'y' });
    const second = recordPage(catalogue, { device: deviceAt(0).deviceId }).entries[1];
    if (second === undefined) throw new Error('There are two.');
    const alone = { ...ports, catalogue: new Catalogue() };
    expect(await recordItem(second, alone)).toMatchObject({ state: 'invalid' });
  });

  it('of a log that split says so from the number on that was written twice', async () => {
    const catalogue = new Catalogue();
    const identity = deviceAt(0);
    await say(catalogue, 0, T0, { kind: 'profile', name: 'Laptop' });
    const position = catalogue.positionOf(identity.deviceId, T0 + 1);
    for (const name of ['one', 'two']) {
      const record = await signedRecord(identity, position, { kind: 'pool', name });
      catalogue.add([await checkEntry(record, new KeyRing(POOL_KEYS), webCryptography)]);
    }
    const { entries, splitAt } = recordPage(catalogue, {});
    const states = entries.map(
      async (entry) =>
        (await recordItem(entry, { ...ports, catalogue, splitAt: splitAt.get(entry.deviceId) })).state,
    );
    expect(await Promise.all(states)).toEqual(['verified', 'forked', 'forked']);
  });
});

describe('security events', () => {
  it('are one line for each kind and device, with a count, and come back as they were', () => {
    const events = new SecurityEvents();
    const { deviceId } = deviceAt(0);
    events.add(5, 'forged-records', deviceId, 2);
    events.add(9, 'forged-records', deviceId, 3);
    events.add(7, 'flood', undefined, 1);
    expect(events.list).toEqual([
      { kind: 'forged-records', device: deviceId, count: 5, firstAtMs: 5, lastAtMs: 9 },
      { kind: 'flood', device: undefined, count: 1, firstAtMs: 7, lastAtMs: 7 },
    ]);
    const later = new SecurityEvents();
    expect(later.restore(structuredClone(events.saved()))).toBe(0);
    expect(later.list).toEqual(events.list);
  });

  it('of made-up devices share one line, and push out nothing', () => {
    const events = new SecurityEvents();
    events.add(0, 'withheld', deviceAt(0).deviceId, 1);
    for (let at = 0; at < 2_000; at++) events.add(at, 'forged-records', parseDeviceId(fileIdAt(at)), 1);
    expect(events.list).toHaveLength(51);
    expect(events.list[0]).toMatchObject({ kind: 'withheld', count: 1 });
    const shared = events.list.find(({ kind, device }) => kind === 'forged-records' && device === undefined);
    expect(shared?.count).toBe(2_000 - 49);
  });

  it('leave out rows that are damaged', () => {
    const events = new SecurityEvents();
    events.add(5, 'twin', undefined, 2);
    const saved = events.saved();
    if (!Array.isArray(saved)) throw new Error('A list is saved.');
    const later = new SecurityEvents();
    expect(later.restore([...saved, { kind: 'twin' }, null, { ...saved[0], kind: 'later kind' }])).toBe(3);
    expect(later.list).toEqual(events.list);
  });
});
