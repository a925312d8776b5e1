// When devices have the app open: a day of each kind, in short. The shapes are those of
// test/durability/populations.ts; a day takes less time than a day.

import { SimDevice } from '../device.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { Actor, Kind, Scene } from './scene.ts';
import type { DeviceClass } from '../../../src/core/model/device-class.ts';

/**
 * Lengths of a story's day, ms: most are short, because events, not time, find bugs. Days of 24 hours have
 * the real graces, and quiet hours, of which one takes as long as a minute of a short day.
 */
const SHORT_DAY_MS = 5 * 60_000;
const LONG_DAY_MS = 20 * 60_000;
export const REAL_DAY_MS = 24 * 60 * 60_000;
/** Shares of stories with long and with real days. */
const LONG = 0.1;
const REAL = 0.03;
/** The last part of each day is night. */
const NIGHT = 0.25;
/** A page without links that was frozen for less cannot tell that from timers that its browser holds back. */
const UNNOTICED_MS = 100_000;
/** Time between the goodbye of a page and its end, ms. */
const GOODBYE_MS = 60;

const CLASSES: Readonly<Record<Kind, DeviceClass>> = {
  anchor: 'alwaysOn',
  desk: 'laptop',
  lid: 'laptop',
  phone: 'phone',
  pupil: 'laptop',
  member: 'phone',
};

export function dayFrom(random: SeededRandom): number {
  const drawn = random.unit();
  if (drawn < LONG) return LONG_DAY_MS;
  return drawn > 1 - REAL ? REAL_DAY_MS : SHORT_DAY_MS;
}

/** In stories of real days nobody sets the graces, so devices learn longer ones. */
export function learnsGrace({ dayMs }: Scene): boolean {
  return dayMs === REAL_DAY_MS;
}

/** Of real days as many as a minute or two of one core tells. */
export function daysFrom({ random, dayMs }: Scene): number {
  return dayMs === REAL_DAY_MS ? 3 : 1 + random.below(3);
}

/** The default graces, 4, 24 and 72 hours, in the story's time. */
export function graceOf({ dayMs }: Scene): Readonly<Record<DeviceClass, number>> {
  return { alwaysOn: dayMs / 6, laptop: dayMs, phone: 3 * dayMs };
}

export function newActor(scene: Scene, name: string, kind: Kind): Actor {
  const device = new SimDevice(name, scene.world, scene.network.devices, CLASSES[kind]);
  const actor: Actor = {
    device,
    id: device.id,
    kind,
    state: 'open',
    isReady: true,
    runsSinceMs: scene.world.nowMs,
    frozenAtMs: 0,
    pausedAtMs: undefined,
    pausedMs: 0,
    closures: [],
  };
  scene.actors.push(actor);
  return actor;
}

/** Opens and closes the device from now on, as people do. */
export function live(scene: Scene, actor: Actor): void {
  const { random, world } = scene;
  const lightMs = scene.dayMs * (1 - NIGHT);
  const wake = (): void => {
    if (actor.state === 'lost' || scene.areFaultsOver) return;
    open(scene, actor);
    const [mostMs, gapMs] = {
      anchor: [3 * scene.dayMs, 5_000],
      desk: [lightMs * 0.7, lightMs * 0.4],
      lid: [lightMs * 0.15, lightMs * 0.3],
      phone: [lightMs * (random.unit() < 0.2 ? 0.15 : 0.04), lightMs * 0.25],
      // Away for longer than the grace of a laptop, a day, most of the time.
      pupil: [lightMs * 0.05, scene.dayMs * 1.3],
      member: [lightMs * 0.02, scene.dayMs * 5],
    }[actor.kind] as [number, number];
    world.after(5_000 + random.below(2 * mostMs), () => {
      if (actor.state === 'lost' || scene.areFaultsOver) return;
      rest(scene, actor);
      let pauseMs = 3_000 + random.below(2 * gapMs);
      const atMs = (world.nowMs + pauseMs) % scene.dayMs;
      if (actor.kind !== 'anchor' && atMs > lightMs)
        pauseMs += scene.dayMs - atMs + random.below(scene.dayMs / 20);
      world.after(pauseMs, wake);
    });
  };
  world.after(random.below(60_000), wake);
}

/** The page ends or pauses: closed with or without a goodbye, killed, frozen, or its lid shut. */
export function rest(scene: Scene, actor: Actor): void {
  if (actor.state !== 'open') return;
  const how = scene.random.unit();
  if (how < 0.3) close(scene, actor, true);
  else if (how < 0.5) close(scene, actor, false);
  else freeze(scene, actor, how < 0.75);
}

function freeze(scene: Scene, actor: Actor, saysGoodbye: boolean): void {
  if (actor.state !== 'open') return;
  scene.note(actor, saysGoodbye ? 'is hidden, and its tab frozen' : 'freezes');
  scene.count('freeze');
  pauses(scene, actor);
  if (saysGoodbye) actor.device.sayGoodbye();
  actor.state = 'frozen';
  actor.frozenAtMs = scene.world.nowMs;
  if (!saysGoodbye) {
    actor.device.freeze();
    return;
  }
  scene.world.after(GOODBYE_MS, () => {
    if (actor.state === 'frozen') actor.device.freeze();
  });
}

/** Its page ends. */
export function close(scene: Scene, actor: Actor, saysGoodbye: boolean): void {
  if (actor.state === 'lost' || actor.state === 'closed') return;
  scene.note(actor, saysGoodbye ? 'closes' : 'is killed');
  scene.count(saysGoodbye ? 'close' : 'kill');
  pauses(scene, actor);
  actor.state = 'closed';
  actor.isReady = false;
  actor.device.diskFaults.crash = undefined;
  if (!saysGoodbye) {
    actor.device.kill();
    return;
  }
  actor.device.sayGoodbye();
  const { pool } = actor.device;
  scene.world.after(GOODBYE_MS, () => {
    // Unless it was opened again meanwhile.
    if (actor.device.pool === pool && actor.state === 'closed') actor.device.kill();
  });
}

/** Its page begins, or goes on. */
export function open(scene: Scene, actor: Actor): void {
  const { device } = actor;
  if (actor.state === 'frozen') {
    const frozenMs = scene.world.nowMs - actor.frozenAtMs;
    const isLid = actor.kind !== 'phone' && scene.random.below(2) === 0;
    scene.note(actor, isLid ? 'opens its lid' : 'goes on');
    actor.state = 'open';
    goesOn(scene, actor);
    device.thaw(isLid ? frozenMs : 0);
    return;
  }
  if (actor.state !== 'closed') return;
  scene.note(actor, 'opens');
  device.kill();
  actor.state = 'open';
  actor.isReady = false;
  const opened = device.opened();
  const { pool } = device;
  opened.then(
    () => {
      if (device.pool !== pool || actor.state === 'lost') return;
      actor.isReady = true;
      const closedMs = scene.world.nowMs - (actor.pausedAtMs ?? scene.world.nowMs);
      actor.closures.push({ closedMs, atMs: scene.world.nowMs });
      goesOn(scene, actor);
    },
    (error: unknown) => {
      scene.note(actor, `could not open: ${String(error)}`);
      scene.fail(error);
    },
  );
}

export function pauses(scene: Scene, actor: Actor): void {
  actor.pausedAtMs ??= scene.world.nowMs;
}

function goesOn(scene: Scene, actor: Actor): void {
  const { nowMs } = scene.world;
  const pauseMs = nowMs - (actor.pausedAtMs ?? nowMs);
  if (pauseMs >= UNNOTICED_MS) actor.pausedMs += pauseMs;
  actor.pausedAtMs = undefined;
  actor.runsSinceMs = nowMs;
}
