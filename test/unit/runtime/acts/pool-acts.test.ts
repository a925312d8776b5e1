// Acts of an open pool on the disk: what was written, or heard and checked, is there again after a restart.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { ActSet } from '../../../../src/core/catalogue/grants/act-set.ts';
import { decodeAct } from '../../../../src/core/catalogue/grants/act.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { policyOf } from '../../../../src/core/model/policy.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';
import { derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import type { PeerInput } from '../../../../src/core/peer/peer-events.ts';
import type { Identity } from '../../../../src/core/ports.ts';
import { foundPool } from '../../../../src/runtime/acts/founding.ts';
import { PoolActs } from '../../../../src/runtime/acts/pool-acts.ts';
import { createMemoryStore, type MemoryStore } from '../../../sim/memory-store.ts';
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt, itemAt, POOL_KEYS } from '../../../fixtures/pool-fixture.ts';
import {
  addLarge,
  charterBy,
  grantOf,
  shutOutOf,
  writeAct,
  following,
} from '../../../fixtures/signed-acts.ts';
import vectors from '../../../vectors/act.json' with { type: 'json' };

const NO_TERMS = { members: [], recovery: undefined, exchange: undefined };
let seed = 1;

function portsOn(store: MemoryStore) {
  return {
    clock: new ManualClock(),
    pauses: { pause: async () => undefined },
    cryptography: webCryptography,
    random: { bytes: (length: number) => new Uint8Array(seededBytes(length, seed++)) },
    records: store.records,
    secrets: store.secrets,
    checkAlive: () => undefined,
    transport: { move: () => undefined },
    send: async () => undefined,
    background: (work: Promise<unknown>) =>
      void work.catch((error: unknown) => {
        if (!isPalmError(error, 'log-full')) throw error;
      }),
  };
}

function opened(
  store: MemoryStore,
  identity: Identity = deviceAt(0),
  keys = POOL_KEYS,
): { acts: ActSet; pool: PoolActs; inputs: PeerInput[] } {
  const acts = new ActSet();
  const inputs: PeerInput[] = [];
  const input = (told: PeerInput): void => {
    inputs.push(told);
    if (told.kind === 'acts-written') acts.add(told.acts);
  };
  const pool = new PoolActs({
    ...portsOn(store),
    identity,
    keys: new KeyRing(keys),
    peer: { acts, reachableDevices: () => [], catalogue: { policy: policyOf({}) } },
    input,
  });
  return { acts, pool, inputs };
}

it('a pool that was founded has its charter again, and all that was written, each after the last', async () => {
  const store = createMemoryStore();
  const charter = await foundPool(portsOn(store), deviceAt(0), new KeyRing(POOL_KEYS), NO_TERMS);
  const first = opened(store);
  expect(await first.pool.restore()).toBe(true);
  expect(first.acts.charter).toBe(charter.record.id);
  const written = await Promise.all(
    [1, 2, 3].map((at) => first.pool.write(() => grantOf(deviceAt(at), 'member'))),
  );
  expect(written.map(({ record }) => record.seq)).toEqual([2, 3, 4]);
  const again = opened(store);
  expect(await again.pool.restore()).toBe(true);
  expect(again.acts.digest()).toBe(first.acts.digest());
  expect(again.acts.roleOf(deviceAt(3).deviceId)).toBe('member');
});

it('an act is durable before it counts or is spread, and one that cannot be written is not', async () => {
  const store = createMemoryStore();
  await foundPool(portsOn(store), deviceAt(0), new KeyRing(POOL_KEYS), NO_TERMS);
  const { pool, acts, inputs } = opened(store);
  await pool.restore();
  const put = store.records.putMeta.bind(store.records);
  store.records.putMeta = async () => Promise.reject(new Error('the disk is full'));
  await expect(pool.write(() => grantOf(deviceAt(1), 'admin'))).rejects.toThrow('full');
  expect(inputs).toEqual([]);
  expect(acts.roleOf(deviceAt(1).deviceId)).toBe(undefined);
  store.records.putMeta = put;
  await pool.write(() => grantOf(deviceAt(2), 'admin'));
  expect(acts.roleOf(deviceAt(2).deviceId)).toBe('admin');
});

it('of acts that another device sends, forged ones and those of other pools are left out and counted', async () => {
  const store = createMemoryStore();
  const { pool, inputs } = opened(store);
  const charter = await charterBy(deviceAt(0));
  const grant = await writeAct(deviceAt(0), following(charter), grantOf(deviceAt(1), 'admin'));
  const forged = Uint8Array.from(grant.record.bytes);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const foreign = bytesOfHex(itemAt(vectors.acts, 1).record);
  const from = deviceAt(1).deviceId;
  await pool.check({ kind: 'check-acts', from, acts: [charter.record.bytes, forged, foreign] });
  expect(inputs).toEqual([
    { kind: 'acts-checked', from, acts: [{ record: decodeAct(charter.record.bytes) }], refusedCount: 2 },
  ]);
});

it('an act for which there is no room is refused, and not kept or spread: nobody hears that it is done', async () => {
  const store = createMemoryStore();
  await foundPool(portsOn(store), deviceAt(0), new KeyRing(POOL_KEYS), NO_TERMS);
  const { pool, acts, inputs } = opened(store);
  await pool.restore();
  await pool.write(() => grantOf(deviceAt(1), 'member'));
  // Two acts are there; large ones fill the rest.
  for (const units of [...Array.from({ length: 9 }, () => 100), 98]) await addLarge(acts, units);
  expect(acts.unitsOf(deviceAt(0).deviceId)).toBe(1_000);
  const told = inputs.length;
  const kept = acts.digest();
  const shutOut = pool.write(() => shutOutOf(deviceAt(1), 0));
  await expect(shutOut).rejects.toMatchObject({ code: 'log-full' });
  expect([inputs.length, acts.digest(), acts.isOut(deviceAt(1).deviceId)]).toEqual([told, kept, false]);
  const again = opened(store);
  await again.pool.restore();
  expect(again.acts.acts()).toHaveLength(2);
});

it('a damaged row is reported, and the charter stays followed', async () => {
  const store = createMemoryStore();
  const charter = await foundPool(portsOn(store), deviceAt(0), new KeyRing(POOL_KEYS), NO_TERMS);
  await store.records.putMeta('acts', seededBytes(100, 7));
  const { pool, acts } = opened(store);
  expect(await pool.restore()).toBe(false);
  expect(acts.charter).toBe(charter.record.id);
  expect(acts.isIn(deviceAt(0).deviceId)).toBe(false);
});

it('the golden row opens', async () => {
  const store = createMemoryStore();
  await store.records.putMeta('acts', bytesOfHex(vectors.row.bytes));
  const keys = derivePoolKeys(bytesOfHex(vectors.row.secret), 0);
  expect(keys.poolId).toBe(vectors.row.poolId);
  const { pool, acts } = opened(store, deviceAt(0), keys);
  acts.follow(decodeAct(bytesOfHex(itemAt(vectors.acts, 0).record)).id);
  expect(await pool.restore()).toBe(true);
  expect(acts.acts()).toHaveLength(vectors.row.actCount);
});
