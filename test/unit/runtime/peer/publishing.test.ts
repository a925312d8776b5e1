// The log's writer: entries that come together are written together, in one chain, and a failure affects only
// its own entry.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import { sealManifest } from '../../../../src/core/catalogue/manifest.ts';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { LOG_RESERVE_BYTES } from '../../../../src/core/model/limits.ts';
import { Publisher, type PublisherPorts } from '../../../../src/runtime/peer/publishing.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, manifestOf, POOL_KEYS } from '../../../fixtures/pool-fixture.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

it('entries that come together are written in a few turns, chained in the order of the calls', async () => {
  const { publisher, catalogue, kept } = setUp();
  const names = Array.from({ length: 70 }, (_, at) => `name ${at}`);
  const entries = await Promise.all(names.map((name) => publisher.publish({ kind: 'profile', name })));
  expect(entries.map(({ entry }) => entry.seq)).toEqual(names.map((_, at) => at + 1));
  expect(entries.map(({ entry }) => entry.body)).toEqual(names.map((name) => ({ kind: 'profile', name })));
  for (const [at, { entry }] of entries.entries()) expect(entry.prev).toBe(entries[at - 1]?.entry.entryId);
  expect(kept.map((turn) => turn.length)).toEqual([32, 32, 6]);
  expect(catalogue.deviceName(deviceAt(0).deviceId)).toBe('name 69');
  expect(catalogue.heads()).toMatchObject([{ seq: 70 }]);
});

it('an entry that comes just as the last one was written is written too', async () => {
  const { publisher } = setUp();
  await publisher.publish({ kind: 'profile', name: 'one' });
  const { entry } = await publisher.publish({ kind: 'profile', name: 'two' });
  expect(entry.seq).toBe(2);
});

it('nothing is spread before it is durable, and a failed entry leaves no gap in the log', async () => {
  const { publisher, catalogue, kept, failKeeping } = setUp();
  failKeeping(new PalmError({ code: 'storage-full', reason: 'device' }));
  const failing = [1, 2].map((at) => publisher.publish({ kind: 'profile', name: `name ${at}` }));
  for (const one of failing) await expect(one).rejects.toMatchObject({ code: 'storage-full' });
  expect(catalogue.heads()).toEqual([]);
  failKeeping(undefined);
  const { entry } = await publisher.publish({ kind: 'profile', name: 'at last' });
  expect(entry.seq).toBe(1);
  expect(kept).toHaveLength(1);
});

it('one entry that cannot be written does not affect the others', async () => {
  const { publisher } = setUp();
  const outcomes = await Promise.allSettled([
    publisher.publish({ kind: 'profile', name: 'one' }),
    publisher.publish({ kind: 'profile', name: 'x'.repeat(1_000) }),
    publisher.publish({ kind: 'profile', name: 'three' }),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  const written = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(written.map(({ entry }) => entry.seq)).toEqual([1, 2]);
});

it('a full log refuses entries before anything is written, files somewhat earlier than names', async () => {
  const { publisher, kept } = setUp(new Catalogue(undefined, LOG_RESERVE_BYTES));
  const manifest = await sealManifest(
    manifestOf(deviceAt(0).deviceId),
    POOL_KEYS.catalogueKey,
    POOL_KEYS.poolId,
    seededBytes(12, 9),
    webCryptography,
  );
  await expect(publisher.publish({ kind: 'file', manifest })).rejects.toMatchObject({ code: 'log-full' });
  expect((await publisher.publish({ kind: 'profile', name: 'still' })).entry.seq).toBe(1);
  const full = setUp(new Catalogue(undefined, 500));
  const outcomes = await Promise.allSettled(
    ['one', 'two', 'three'].map((name) => full.publisher.publish({ kind: 'profile', name })),
  );
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect([kept.flat().length, full.kept.flat().length]).toEqual([1, 2]);
});

it('nothing is written once the device has left', async () => {
  const { publisher, kept, leave } = setUp();
  leave();
  await expect(publisher.publish({ kind: 'profile', name: 'late' })).rejects.toMatchObject({
    code: 'not-in-pool',
  });
  expect(kept).toEqual([]);
});

interface Scene {
  readonly publisher: Publisher;
  readonly catalogue: Catalogue;
  /** The entries made durable at each turn. */
  readonly kept: (readonly CheckedEntry[])[];
  failKeeping(error: PalmError | undefined): void;
  leave(): void;
}

function setUp(catalogue = new Catalogue()): Scene {
  const kept: (readonly CheckedEntry[])[] = [];
  let failure: PalmError | undefined;
  let hasLeft = false;
  const ports: PublisherPorts = {
    clock: { monotonicMs: () => 0, wallMs: () => 1_000, after: () => () => undefined },
    cryptography: webCryptography,
    identity: deviceAt(0),
    keys: new KeyRing(POOL_KEYS),
    catalogue,
    async keep(entries) {
      if (failure !== undefined) throw failure;
      kept.push(entries);
    },
    published: (entries) => void catalogue.add(entries),
    checkAlive() {
      if (hasLeft) throw new PalmError({ code: 'not-in-pool', reason: 'left' });
    },
  };
  return {
    publisher: new Publisher(ports),
    catalogue,
    kept,
    failKeeping: (error) => (failure = error),
    leave: () => (hasLeft = true),
  };
}
