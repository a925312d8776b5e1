// What must be true of a simulated pool, judged by what is on the disks and never by what a device believes.

import { expect } from 'vitest';
import { unpackEntries } from '../../src/core/catalogue/packed-entry.ts';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { utf8 } from '../../src/core/model/bytes.ts';
import { blockKey } from '../../src/core/model/ids.ts';
import { fragmentCap } from '../../src/core/model/limits.ts';
import { deriveBundleKey, derivePoolKeys, type PoolKeys } from '../../src/core/model/pool-keys.ts';
import type { FileStatus } from '../../src/runtime/api.ts';
import type { SimDevice } from './device.ts';
import { openNow } from './synchronous-cryptography.ts';
import { trueMargin } from './true-margin.ts';
import type { World } from './world.ts';
import { poolSecretOf } from './open-invite.ts';

/** Fragments of `fileId` that exist on the device's disk with every block sound. */
export function wholeFragments(device: SimDevice, fileId: string): Set<number> {
  const { fragments, blocks } = device.store.contents();
  const whole = fragments.filter(
    ({ fragment, index }) =>
      fragment.fileId === fileId &&
      decodeFragmentIndex(index).blocks.every((hash) => blocks.get(blockKey(hash))?.isSound() === true),
  );
  return new Set(whole.map(({ fragment }) => fragment.fragment));
}

/** Distinct fragments on the disks of `devices`. */
export function fragmentsOn(devices: readonly SimDevice[], fileId: string): Set<number> {
  return new Set(devices.flatMap((device) => [...wholeFragments(device, fileId)]));
}

/** No device holds more of a file than its cap, except its storer while the file is in its outbox. */
export function expectCaps(
  devices: readonly SimDevice[],
  files: ReadonlyMap<string, { readonly k: number }>,
): void {
  for (const device of devices) {
    const { fragments, outbox } = device.store.contents();
    const counts = new Map<string, number>();
    for (const { fragment } of fragments) counts.set(fragment.fileId, (counts.get(fragment.fileId) ?? 0) + 1);
    for (const [fileId, count] of counts) {
      const file = files.get(fileId);
      if (file === undefined || outbox.some((placing) => placing === fileId)) continue;
      expect(count, `${device.name} holds too much of ${fileId}`).toBeLessThanOrEqual(fragmentCap(file.k));
    }
  }
}

/** All devices have the same entries on disk and show the same files and names. */
export function expectSameCatalogues(devices: readonly SimDevice[]): void {
  const [one, ...others] = devices.map((device) => catalogueOf(device));
  for (const other of others) expect(other).toEqual(one);
}

export function sameCatalogues(devices: readonly SimDevice[]): boolean {
  return new Set(devices.map((device) => JSON.stringify(catalogueOf(device)))).size === 1;
}

/**
 * The disk has nothing that no file of the catalogue needs: no stray fragment, block, claim or outbox row.
 */
export function expectOnlyNeeded(device: SimDevice): void {
  const files = new Map(device.pool.status().files.map((file) => [file.contentId, file]));
  const { fragments, blocks, outbox, unfinished } = device.store.contents();
  expect(unfinished, `${device.name}: unfinished stores`).toEqual([]);
  const needed = new Set<string>();
  for (const { fragment, index } of fragments) {
    expect(files.has(fragment.fileId), `${device.name}: a fragment of no file`).toBe(true);
    for (const hash of decodeFragmentIndex(index).blocks) needed.add(blockKey(hash));
  }
  for (const [key, { owners }] of blocks) {
    expect(needed.has(key), `${device.name}: a block of no fragment`).toBe(true);
    expect(
      owners.filter((owner) => !owner.startsWith('fragment:')),
      `${device.name}: claims of jobs that ended`,
    ).toEqual([]);
  }
  for (const fileId of outbox) {
    expect(files.get(fileId)?.inOutbox, `${device.name}: an outbox row of no file`).toBe(true);
  }
}

/** No device is placing: everything that can be placed is. */
export function settledOutboxes(devices: readonly SimDevice[]): boolean {
  return devices.every((device) => device.pool.status().files.every((file) => !file.inOutbox));
}

/** How late a viewer may hear of a change, ms: the slowest message of a calm network, twice, and a disk. */
const NEWS_MS = 100;

/**
 * From now on, at every event, no running device shows a margin or a reach that the disks of the devices it
 * reaches do not justify, now or within the time that news takes.
 */
export function watchHonesty(world: World, devices: readonly SimDevice[]): void {
  const recent = new Map<string, Truth[]>();
  let lookedAtMs = -1;
  world.always(() => {
    // Once in a ms is often enough: news takes longer.
    if (world.nowMs === lookedAtMs) return;
    lookedAtMs = world.nowMs;
    const held = new Map<string, ReadonlySet<number>>();
    for (const viewer of devices) {
      if (!viewer.isRunning) continue;
      const { files, devices: seen } = viewer.pool.status();
      const reachable = new Set(seen.filter(({ state }) => state === 'reachable').map(({ id }) => id));
      const there = devices.filter(({ id }) => reachable.has(id));
      for (const file of files) {
        const holdings = there.map((device) => {
          const key = `${device.name} ${file.fileId}`;
          const fragments = held.get(key) ?? wholeFragments(device, file.fileId);
          held.set(key, fragments);
          return fragments;
        });
        const key = `${viewer.name} ${file.fileId}`;
        const known = withTruth(recent.get(key) ?? [], holdings, file.k, world.nowMs);
        const truths = known.filter(({ untilMs }) => untilMs >= world.nowMs - NEWS_MS);
        recent.set(key, truths);
        expectHonest(viewer, file, truths);
      }
    }
  });
}

/** What was true of a file, and until when. */
interface Truth {
  readonly holdings: string;
  readonly margin: number;
  readonly reach: number;
  readonly untilMs: number;
}

function withTruth(
  known: readonly Truth[],
  holdings: readonly ReadonlySet<number>[],
  k: number,
  nowMs: number,
): Truth[] {
  const key = holdings.map((set) => [...set].toSorted((a, b) => a - b).join(' ')).join(' / ');
  // Disks change at events and between two steps of a story: what was true last was true until now.
  const before = known.map((truth, at) => (at === known.length - 1 ? { ...truth, untilMs: nowMs } : truth));
  if (known.at(-1)?.holdings === key) return before;
  const now = { holdings: key, margin: trueMargin(holdings, k), reach: unionSize(holdings), untilMs: nowMs };
  return [...before, now];
}

function expectHonest(
  viewer: SimDevice,
  file: FileStatus,
  recent: readonly { readonly margin: number; readonly reach: number }[],
): void {
  const trueAtBest = Math.max(...recent.map(({ margin }) => margin));
  const reachAtBest = Math.max(...recent.map(({ reach }) => reach));
  expect(file.margin, `${viewer.name} shows a margin that is not there`).toBeLessThanOrEqual(trueAtBest);
  expect(file.reach, `${viewer.name} shows a reach that is not there`).toBeLessThanOrEqual(reachAtBest);
}

function catalogueOf(device: SimDevice): unknown {
  const { files, devices, pool } = device.pool.status();
  return {
    entryIds: entriesOn(device),
    pool: pool?.name,
    files: files.map(({ fileId, name, by }) => ({ fileId, name, by })),
    names: devices.map(({ id, name }) => `${id} ${name}`).toSorted(),
  };
}

/** Ids of the entries on the device's disk, in rows of their own and in bundles. */
export function entriesOn(device: SimDevice): string[] {
  const { entryIds, metas } = device.store.contents();
  const { secret, epoch } = poolSecretOf(device);
  const keys = derivePoolKeys(secret, epoch);
  const bundles = [...metas].filter(([name]) => name.startsWith('catalogue/'));
  const bundled = bundles.flatMap(([, sealed]) => (sealed instanceof Uint8Array ? idsIn(sealed, keys) : []));
  return [...new Set([...entryIds, ...bundled])].toSorted();
}

/** A bundle is never changed, and looked at again and again. */
const idsOfBundle = new WeakMap<Uint8Array, readonly string[]>();

function idsIn(sealed: Uint8Array, keys: PoolKeys): readonly string[] {
  const known = idsOfBundle.get(sealed);
  if (known !== undefined) return known;
  const aad = utf8(`palm/v1/checked-entries/${keys.poolId}`);
  const run = openNow(deriveBundleKey(keys), sealed.subarray(0, 12), aad, sealed.subarray(12));
  const ids = run === undefined ? [] : Array.from(unpackEntries(run), ({ entryId }) => entryId);
  idsOfBundle.set(sealed, ids);
  return ids;
}

function unionSize(sets: readonly ReadonlySet<number>[]): number {
  return new Set(sets.flatMap((set) => [...set])).size;
}
