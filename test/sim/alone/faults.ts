// What goes wrong. Each fault is drawn from the story's seed. Faults that destroy something are spared where
// they would leave fewer than k sound fragments of a kept file on the disks that return, or nobody who knows
// of it: what they may destroy is what repair must make up for.

import { decodeFragmentIndex } from '../../../src/core/coding/fragment-index.ts';
import { close, newActor, open, pauses } from './life.ts';
import { Liar } from './liar.ts';
import type { Actor, Scene } from './scene.ts';
import { contentsOf } from './disks.ts';
import { openInviteOf } from '../open-invite.ts';

/** A device knows a file for good after this: its entry is on the disk, ms. */
const KNOWN_MS = 10_000;
const WRITES = 40;
const CLOCK_JUMPS_MS = [-3_600_000, -60_000, -2_000, 2_000, 60_000, 3_600_000, 20 * 3_600_000];

type Fault = (scene: Scene, actor: Actor) => void;

/** By name, with its weight. */
const FAULTS: Readonly<Record<string, { readonly weight: number; readonly strike: Fault }>> = {
  crash: { weight: 8, strike: crashAtWrite },
  wipe: { weight: 2, strike: wipe },
  loss: { weight: 2, strike: lose },
  full: { weight: 3, strike: fillDisk },
  workers: { weight: 3, strike: endWorkers },
  distortion: { weight: 2, strike: distort },
  departure: { weight: 1, strike: depart },
  rot: { weight: 3, strike: rot },
  clock: { weight: 3, strike: setClock },
  rough: { weight: 2, strike: roughen },
  partition: { weight: 3, strike: divide },
  cut: { weight: 2, strike: cut },
  asymmetric: { weight: 2, strike: cutOneWay },
  restart: { weight: 1, strike: restartAll },
  relay: { weight: 1, strike: stopRelay },
  liar: { weight: 1, strike: lie },
  withholding: { weight: 2, strike: withhold },
  hang: { weight: 2, strike: hang },
};

export const FAULT_NAMES: readonly string[] = Object.keys(FAULTS);

export function strike(scene: Scene, only?: ReadonlySet<string>): void {
  const choices = Object.entries(FAULTS).filter(([name]) => only === undefined || only.has(name));
  const total = choices.reduce((sum, [, { weight }]) => sum + weight, 0);
  let at = scene.random.unit() * total;
  const actor = scene.pick(scene.returning());
  if (actor === undefined) return;
  for (const [, fault] of choices) {
    at -= fault.weight;
    if (at >= 0) continue;
    fault.strike(scene, actor);
    for (const tell of scene.onFault) tell();
    return;
  }
}

/** Whether every kept file could still be read, and every removal is known, without this device's disk. */
function canLose(scene: Scene, actor: Actor): boolean {
  const others = scene.returning().filter((other) => other !== actor);
  const isKnown = (knownBy: ReadonlyMap<string, number>): boolean =>
    others.some(({ device }) => (knownBy.get(device.id) ?? Infinity) <= scene.world.nowMs - KNOWN_MS);
  for (const file of scene.files.values()) {
    const { removal, unlistedBy } = file;
    const wouldForget = unlistedBy.has(actor.device.id) || unlistedBy.size === 0;
    if (removal === 'done' && wouldForget && !others.some(({ device }) => unlistedBy.has(device.id)))
      return false;
    if (removal !== 'none') continue;
    if (!isKnown(file.knownBy)) return false;
    if (scene.soundOn(others, file.contentId).size < file.k + scene.spareOf(file)) return false;
  }
  return true;
}

/** The next writes of the page are its last, and the last may be torn. */
function crashAtWrite(scene: Scene, actor: Actor): void {
  if (actor.state !== 'open') return;
  const inWrites = 1 + scene.random.below(WRITES);
  const durable = scene.pick(['nothing', 'all', 'some'] as const) ?? 'nothing';
  scene.note(actor, `will crash at write ${inWrites} (${durable} of it durable)`);
  scene.count('crash at a write');
  const { pool } = actor.device;
  actor.device.diskFaults.crash = {
    inWrites,
    durable,
    happens: () => {
      if (actor.device.pool !== pool) return;
      close(scene, actor, false);
      scene.world.after(2_000 + scene.random.below(60_000), () => open(scene, actor));
    },
  };
}

/** Its site data is deleted: somebody opens the app on it again and joins anew. */
function wipe(scene: Scene, actor: Actor): void {
  if (actor.state === 'frozen' || !canLose(scene, actor)) return;
  const wasOpen = actor.state === 'open' && actor.isReady;
  scene.note(actor, wasOpen ? 'is wiped while it is open' : 'is wiped');
  scene.count('wipe');
  forgetActor(scene, actor);
  if (wasOpen) actor.device.loseStorage();
  else actor.device.kill();
  scene.world.after(5_000 + scene.random.below(scene.dayMs / 4), () => {
    actor.device.kill();
    if (!scene.areFaultsOver) joinAnew(scene, actor);
  });
}

/** A new profile of it joins, if somebody is there to let it in. */
export function joinAnew(scene: Scene, actor: Actor): void {
  const member = scene.pick(scene.running());
  if (member === undefined) return;
  const successor = newActor(scene, `${actor.device.name}'`, actor.kind);
  successor.isReady = false;
  scene.note(successor, 'joins');
  const { device } = successor;
  device.pool.join(openInviteOf(member.device)).then(
    () => {
      successor.isReady = true;
    },
    (error: unknown) => scene.fail(error),
  );
}

/** It is dropped into a lake. */
function lose(scene: Scene, actor: Actor): void {
  if (scene.returning().length <= 3 || !canLose(scene, actor)) return;
  scene.note(actor, 'is lost for good');
  scene.count('loss');
  forgetActor(scene, actor);
  actor.device.kill();
}

export function forgetActor(_scene: Scene, actor: Actor): void {
  actor.state = 'lost';
  actor.isReady = false;
}

/** Other things fill its disk for a while. */
function fillDisk(scene: Scene, actor: Actor): void {
  const { device } = actor;
  const roomBytes = scene.random.below(40_000);
  scene.note(actor, `has room for ${roomBytes} bytes only`);
  scene.count('full disk');
  device.setQuota(device.store.usedBytes() + roomBytes);
  scene.world.after(scene.random.below(scene.dayMs), () => device.setQuota(2 ** 30));
}

/** The next calls of its workers fail, because these die. */
function endWorkers(scene: Scene, { device }: Actor): void {
  scene.note(undefined, `workers of ${device.name} will die`);
  scene.count('dying worker');
  device.diskFaults.dyingCount += 1 + scene.random.below(3);
  device.codec.dyingCount += scene.random.below(2);
  device.codec.dyingReadCount += scene.random.below(2);
}

/** Its memory flips a bit in some of the answers that it sends. */
function distort(scene: Scene, actor: Actor): void {
  if (scene.network.given === undefined) return;
  scene.note(actor, 'sends damaged answers');
  scene.count('damaged answers');
  const { id } = actor.device;
  scene.distorting.add(id);
  scene.world.after(scene.random.below(scene.dayMs / 2), () => scene.distorting.delete(id));
}

/** Somebody leaves the pool on it, and joins again later. */
function depart(scene: Scene, actor: Actor): void {
  if (actor.state !== 'open' || !actor.isReady || !canLose(scene, actor)) return;
  if (scene.returning().length <= 3) return;
  scene.note(actor, 'leaves the pool');
  scene.count('departure');
  forgetActor(scene, actor);
  actor.device.pool.leave().then(
    () => {
      scene.note(actor, 'has left');
      scene.world.after(scene.random.below(scene.dayMs / 4), () => {
        actor.device.kill();
        if (!scene.areFaultsOver) joinAnew(scene, actor);
      });
    },
    (error: unknown) => scene.fail(error),
  );
}

/** One block or index rots, or a block vanishes. */
function rot(scene: Scene, actor: Actor): void {
  const { store } = actor.device;
  const chosen = scene.pick(store.contents().fragments);
  if (chosen === undefined) return;
  const { fragment, index } = chosen;
  const file = scene.keptContents().get(fragment.fileId);
  const isSound = contentsOf(store).get(fragment.fileId)?.sound.has(fragment.fragment) === true;
  if (file === undefined || !isSound) return;
  const others = scene.returning().filter((other) => other !== actor);
  const left = scene.soundOn(others, fragment.fileId);
  for (const each of scene.onDisk(actor, fragment.fileId).sound)
    if (each !== fragment.fragment) left.add(each);
  // Rot stays unseen until somebody reads: spare fragments are not rebuilt for it.
  if (left.size <= file.k + scene.spareOf(file)) return;
  const hash = scene.pick(decodeFragmentIndex(index).blocks);
  const what = scene.pick(['block', 'index', 'vanished'] as const);
  scene.note(
    actor,
    `has a damaged ${what} in fragment ${fragment.fragment} of ${scene.contentName(fragment.fileId)}`,
  );
  scene.count('bit rot');
  if (what === 'index' || hash === undefined) store.corruptIndex(fragment.fragmentId);
  else if (what === 'block') store.corruptBlock(hash);
  else store.deleteBlock(hash);
}

function setClock(scene: Scene, actor: Actor): void {
  const byMs = scene.pick(CLOCK_JUMPS_MS) ?? 0;
  scene.note(actor, `its clock is set by ${byMs / 1000} s`);
  scene.count('clock jump');
  actor.device.setClock(byMs);
  scene.clockSetMs.set(actor.device.id, scene.world.nowMs);
}

function roughen(scene: Scene): void {
  scene.note(undefined, 'the network is rough');
  scene.count('rough network');
  scene.network.rough(true);
  scene.world.after(30_000 + scene.random.below(scene.dayMs / 2), () => {
    scene.network.rough(false);
  });
}

function divide(scene: Scene): void {
  const side = scene.random.below(2 ** 16);
  scene.note(undefined, 'is partitioned');
  scene.count('partition');
  const names = new Map<string, number>();
  scene.network.partition((id) => {
    const known = names.get(id) ?? (side >> (names.size % 16)) & 1;
    names.set(id, known);
    return known;
  });
  scene.world.after(scene.random.below(scene.dayMs), () => scene.network.partition(() => 0));
}

function cut(scene: Scene, actor: Actor): void {
  const other = scene.pick(scene.returning());
  if (other === undefined || other === actor) return;
  scene.note(actor, `is cut from ${other.device.name}`);
  scene.count('cut');
  const [a, b] = [actor.device.id, other.device.id];
  scene.network.cut(a, b);
  scene.world.after(scene.random.below(scene.dayMs), () => scene.network.mend(a, b));
}

/** What one sends to the other is lost; pings end such a link after a while, and it comes again. */
function cutOneWay(scene: Scene, actor: Actor): void {
  const other = scene.pick(scene.returning());
  if (other === undefined || other === actor) return;
  scene.note(actor, `is not heard by ${other.device.name}`);
  scene.count('asymmetric cut');
  const [a, b] = [actor.device.id, other.device.id];
  const unmute = scene.network.mute(a, b);
  // Devices that make their links notice by themselves.
  let state: 'muted' | 'cut' | 'over' = 'muted';
  const notice = (): void => {
    if (state !== 'muted') return;
    state = 'cut';
    scene.network.cut(a, b);
  };
  if (scene.network.given !== undefined) scene.world.after(10_000, notice);
  const end = (): void => {
    if (state === 'over') return;
    unmute();
    if (state === 'cut') scene.network.mend(a, b);
    state = 'over';
  };
  scene.endings.push(end);
  scene.world.after(10_000 + scene.random.below(scene.dayMs / 2), end);
}

/** The power fails. */
function restartAll(scene: Scene): void {
  scene.note(undefined, 'all devices restart');
  scene.count('mass restart');
  for (const actor of scene.running()) {
    close(scene, actor, false);
    scene.world.after(scene.random.below(30_000), () => open(scene, actor));
  }
}

/** Linked devices pass letters on for each other meanwhile. */
function stopRelay(scene: Scene): void {
  if (scene.network.given !== undefined) return;
  scene.note(undefined, 'has no relay');
  scene.count('dead relay');
  scene.network.relay(false);
  scene.world.after(scene.random.below(scene.dayMs), () => scene.network.relay(true));
}

/** A member that claims and has nothing. */
function lie(scene: Scene): void {
  const member = scene.pick(scene.running());
  if (member === undefined || scene.liars.size >= 2) return;
  const liar = new Liar(scene, scene.network.devices, member.device);
  scene.note(undefined, `${liar.id.slice(0, 8)} lies`);
  scene.count('liar');
  scene.liars.add(liar.id);
  void liar.join().catch((error: unknown) => scene.fail(error));
  scene.endings.push(() => liar.vanish());
  scene.world.after(scene.dayMs / 4 + scene.random.below(2 * scene.dayMs), () => liar.vanish());
}

/** It takes and claims, and gives nothing for a while. */
function withhold(scene: Scene, actor: Actor): void {
  if (scene.network.given === undefined) return;
  scene.note(actor, 'gives nothing');
  scene.count('withholding');
  const { id } = actor.device;
  scene.withholding.add(id);
  scene.world.after(scene.random.below(scene.dayMs / 2), () => scene.withholding.delete(id));
}

/** Its tab hangs with its links open. */
function hang(scene: Scene, actor: Actor): void {
  if (actor.state !== 'open') return;
  scene.note(actor, 'hangs');
  scene.count('hang');
  pauses(scene, actor);
  actor.state = 'frozen';
  actor.frozenAtMs = scene.world.nowMs;
  actor.device.freeze();
  scene.world.after(1_000 + scene.random.below(60_000), () => open(scene, actor));
}
