// After the last fault the pool recovers by itself, within a bound: one catalogue, everything placed, full
// redundancy as repair defines it, nothing staged, and every kept file reads bit-exactly.

import { quorumOf } from '../../../src/core/model/geometry.ts';
import { fragmentCap } from '../../../src/core/model/limits.ts';
import { costsLittle } from './checkers/costs-little.ts';
import { graceOf, open, REAL_DAY_MS } from './life.ts';
import { nameOf, readWhole } from './people.ts';
import { trueMargin } from '../true-margin.ts';
import { Broken, type Actor, type Scene, type StoredFile } from './scene.ts';

/** A grace that ends soon, so that the lost ones are gone. */
const SHORT_GRACE_MS = 30_000;
/** On top of the grace: waits after clocks were set, declined offers that rest, takeovers, repairs. */
const RECOVERY_MS = 20 * 60_000;
const RELINKED_MS = 15_000;
const LOOK_MS = 1_000;
const READS_PER_FILE = 2;
const READ_MS = 60_000;

export async function recover(scene: Scene): Promise<void> {
  const { world, network, random } = scene;
  endFaults(scene);
  const devices = scene.returning();
  await until(scene, 'all devices are open', 120_000, () => unopened(devices));
  network.rough(false);
  const isShort = random.unit() < 0.8 || scene.dayMs === REAL_DAY_MS;
  const graceMs = isShort ? SHORT_GRACE_MS : Math.max(...Object.values(graceOf(scene)));
  if (isShort) {
    scene.note(undefined, `the grace is ${SHORT_GRACE_MS / 1000} s now`);
    const all = { alwaysOn: SHORT_GRACE_MS, laptop: SHORT_GRACE_MS, phone: SHORT_GRACE_MS };
    // A policy of a device whose clock is ahead waits for that date (FORMATS.md, Policy).
    const setter = devices.find(({ id }) => !scene.clockSetMs.has(id)) ?? firstOf(devices);
    await world.settled('the grace is set', setter.device.pool.setPolicy({ graceMs: all }));
  }
  const judgeCost = costsLittle(scene, devices);
  // Links of pages that slept end now, and are made anew (network.ts).
  await world.pass(RELINKED_MS);
  await until(scene, 'the pool has recovered', graceMs + RECOVERY_MS, () => lacking(scene, devices));
  scene.note(undefined, 'has recovered');
  judgeCost();
  for (const file of scene.kept()) {
    for (let count = 0; count < READS_PER_FILE; count++) {
      const reader = scene.pick(devices);
      if (reader === undefined) continue;
      const reading = readWhole(scene, reader, file);
      await world.settled(`${reader.device.name} reads ${nameOf(scene, file)}`, reading, READ_MS);
    }
  }
}

function endFaults(scene: Scene): void {
  scene.note(undefined, 'is left in peace');
  scene.areFaultsOver = true;
  scene.withholding.clear();
  scene.distorting.clear();
  for (const end of scene.endings) end();
  scene.network.heal();
  scene.network.rough(false);
  for (const actor of scene.returning()) {
    actor.device.diskFaults.crash = undefined;
    actor.device.diskFaults.dyingCount = 0;
    actor.device.codec.dyingCount = 0;
    actor.device.codec.dyingReadCount = 0;
    actor.device.setQuota(2 ** 30);
    open(scene, actor);
  }
}

function unopened(devices: readonly Actor[]): string | undefined {
  const late = devices.find(({ state, isReady }) => state !== 'open' || !isReady);
  return late === undefined ? undefined : `${late.device.name} is not open`;
}

/** What is not as it should be, the first thing found. */
function lacking(scene: Scene, devices: readonly Actor[]): string | undefined {
  const unlinked = devices.flatMap((actor) =>
    scene
      .statusOf(actor)
      .devices.filter(
        ({ id, state }) => state !== 'reachable' && devices.some(({ device }) => device.id === id),
      )
      .map(({ name }) => `${actor.device.name} does not reach ${name}`),
  );
  if (unlinked[0] !== undefined) return unlinked[0];
  const lists = devices.map((actor) => scene.filesOf(actor).map(({ fileId }) => fileId));
  const [first = []] = lists;
  const unlike = lists.findIndex((list) => list.join() !== first.join());
  if (unlike >= 0) return `${devices[unlike]?.device.name} lists other files than ${devices[0]?.device.name}`;
  const listed = new Set(first);
  for (const file of scene.files.values()) {
    const { fileId, removal } = file;
    if (removal === 'none' && !listed.has(fileId)) return `${nameOf(scene, file)} is not listed`;
    if (removal === 'done' && listed.has(fileId)) return `${nameOf(scene, file)} was removed and is listed`;
  }
  for (const file of scene.keptContents().values()) {
    const { contentId, k, n } = file;
    const room = devices.length * fragmentCap(k);
    const storing = devices.find((actor) =>
      actor.device.store.contents().outbox.some((id) => id === contentId),
    );
    const there = new Set(devices.flatMap((actor) => [...scene.onDisk(actor, contentId).held]));
    const enough = Math.min(n, room, quorumOf({ k, n }) + 1);
    if (there.size < enough) return `${nameOf(scene, file)} has ${there.size} of ${n} fragments`;
    if (n <= room - fragmentCap(k) && devices.length > 2 && storing !== undefined)
      return `${storing.device.name} still places ${nameOf(scene, file)}`;
  }
  for (const file of scene.keptContents().values()) {
    // A storer that cannot place everything keeps it all.
    const isPlaced = devices.every(
      ({ device }) => !device.store.contents().outbox.some((id) => id === file.contentId),
    );
    if (!isPlaced) continue;
    const surplus = surplusOf(scene, devices, file);
    if (surplus !== undefined) return `${surplus} of ${nameOf(scene, file)}`;
  }
  for (const { device } of devices) {
    const staged = [...device.store.contents().blocks.values()].some(({ owners }) =>
      owners.some((owner) => owner.includes('repair:')),
    );
    if (staged) return `${device.name} has staged blocks`;
  }
  return undefined;
}

/**
 * A sound copy without which the file survives as many losses, and as many as if it were spread evenly: in
 * truth, and as it looks while nobody knows which copies are damaged.
 */
function surplusOf(
  scene: Scene,
  devices: readonly Actor[],
  { contentId, k, n }: StoredFile,
): string | undefined {
  const disks = devices.map((actor) => scene.onDisk(actor, contentId));
  const views = [disks.map(({ sound }) => sound), disks.map(({ held }) => held)];
  const even = devices.map(
    (_, at) =>
      new Set(Array.from({ length: n }, (__, each) => each).filter((each) => each % devices.length === at)),
  );
  const isSurplus = (view: readonly ReadonlySet<number>[], at: number, fragment: number): boolean => {
    const without = view.with(at, new Set([...(view[at] ?? [])].filter((each) => each !== fragment)));
    return trueMargin(without, k) >= Math.min(trueMargin(view, k), trueMargin(even, k));
  };
  for (const [at, { sound }] of disks.entries()) {
    for (const fragment of sound) {
      if (!disks.some((other, index) => index !== at && other.sound.has(fragment))) continue;
      if (!views.every((view) => isSurplus(view, at, fragment))) continue;
      return `${devices[at]?.device.name} still has a second copy of fragment ${fragment}`;
    }
  }
  return undefined;
}

async function until(
  scene: Scene,
  what: string,
  withinMs: number,
  lacks: () => string | undefined,
): Promise<void> {
  const endMs = scene.world.nowMs + withinMs;
  for (;;) {
    const lack = lacks();
    if (lack === undefined) return;
    if (scene.world.nowMs >= endMs)
      throw new Broken(`after ${withinMs / 1000} s still not: ${what}; ${lack}`);
    await scene.world.pass(LOOK_MS);
    scene.throwFailure();
  }
}

function firstOf(devices: readonly Actor[]): Actor {
  const [first] = devices;
  if (first === undefined) throw new Error('a pool without devices');
  return first;
}
