// One pool over months, from a seed: real devices with measured sessions (test/durability/populations.ts),
// that are lost for good and replaced, while faults come now and then. Checkers watch the disks, and in the
// end the pool must recover as in any other story. Equal seeds tell equal stories.

import { DAY_MS, HOUR_MS, POPULATIONS } from '../../durability/populations.ts';
import { joinPool } from '../device.ts';
import { World } from '../world.ts';
import { FAULT_NAMES, strike } from './faults.ts';
import { newActor, REAL_DAY_MS } from './life.ts';
import { nameOf, read, remove, resume, store } from './people.ts';
import { countsRebuilt } from './rebuilt.ts';
import { Broken, Scene, type Actor } from './scene.ts';
import { kindsOf, Sleepers } from './sleepers.ts';
import { givenLinks } from './story-network.ts';
import type { StoryOptions, StoryResult } from './story.ts';
import { checkersOf, disksRevision, failureOf } from './watching.ts';

export interface YearsOptions extends StoryOptions {
  /** Name of a population of test/durability. */
  readonly population: string;
  readonly days: number;
}

/** Its devices are counted from when they joined until they were lost. */
export interface YearsResult extends Pick<
  StoryResult,
  'failure' | 'trace' | 'counts' | 'deviceMs' | 'openMs'
> {
  readonly fileCount: number;
  readonly lostFiles: number;
  /**
   * File time by how many sound fragments beyond k are left anywhere, ms: by 0, 1 and more of them. Who comes
   * close to a loss often has one in the end.
   */
  readonly spareMs: readonly number[];
}

/** Shapes of files: those that survive what a year brings. */
const SHAPES = [
  [4, 8],
  [4, 8],
  [4, 8],
  [3, 6],
] as const;
const SETTLE_MS = 10_000;
const FIRST_FILES = 5;
/** A file is stored now and then, and another removed. */
const MOST_FILES = 12;
/** While a device is used: how often something goes wrong, and how often somebody acts, ms on average. */
const FAULT_GAP_MS = 8 * HOUR_MS;
const ACT_GAP_MS = 16 * HOUR_MS;
/** The same while everybody sleeps, ms. */
const NIGHT_FAULT_GAP_MS = 14 * DAY_MS;
/** So many things may happen in a short time: people of a club look all at once. */
const MOST_DUE = 3;
/** What is shown is looked at this often after something changed, and while nothing does, ms. */
const BUSY_LOOK_MS = 20_000;
const IDLE_LOOK_MS = 300_000;
const BUSY_MS = 120_000;

export async function tellYears(options: YearsOptions): Promise<YearsResult> {
  const { population: name, seed, days, say } = options;
  // Devices are lost as sleepers.ts has it.
  const only = options.only ?? new Set(FAULT_NAMES.filter((fault) => fault !== 'loss'));
  const population = POPULATIONS.find((each) => each.name === name);
  if (population?.isLasting !== true)
    throw new Error(
      `no such population: ${name}; there are ${POPULATIONS.flatMap((each) => (each.isLasting ? [each.name] : [])).join(', ')}`,
    );
  const world = new World(seed);
  const scene = new Scene(
    world,
    (_random, of) => givenLinks(of),
    () => REAL_DAY_MS,
    say ?? (() => undefined),
  );
  // What faults destroy leaves half of the spare; the rest is for devices that are lost.
  scene.spareOf = ({ k, n }) => Math.floor((n - k) / 2);
  const kinds = kindsOf(population);
  const time = { deviceMs: 0, openMs: 0 };
  const spareMs = [0, 0, 0];
  // Checkers allow for looks that come late.
  scene.lookMs = IDLE_LOOK_MS;
  const failure = await failureOf(scene, async () => {
    await begin(scene, kinds);
    const sleepers = new Sleepers(scene, kinds, days);
    const { looks, fault } = watch(scene, time, spareMs);
    scene.onFault.push(fault);
    sleepers.onLoss = fault;
    const happens = whatHappens(scene, only);
    sleepers.onSession = (actor, lengthMs) => {
      scene.world.after(scene.random.below(Math.max(1, lengthMs)), () => happens(actor));
    };
    await passDays(scene, days, only);
    return looks;
  });
  return {
    failure,
    trace: scene.trace,
    counts: scene.counts,
    ...time,
    fileCount: scene.files.size,
    lostFiles: lostFiles(scene).length,
    spareMs,
  };
}

async function begin(scene: Scene, kinds: ReturnType<typeof kindsOf>): Promise<void> {
  const { world } = scene;
  const [first, ...others] = kinds.map((kind, index) => newActor(scene, `${kind} ${index + 1}`, kind));
  if (first === undefined) throw new Error('a pool without devices');
  await world.settled('created', first.device.pool.createPool({ name: 'left alone' }));
  for (const { device } of others) await joinPool(world, device, first.device);
  await world.pass(SETTLE_MS);
  for (let count = FIRST_FILES; count > 0; count--) {
    const actor = scene.pick(scene.actors);
    if (actor !== undefined) store(scene, actor, SHAPES);
  }
  await world.pass(60_000);
}

/** Disks are judged after every event that changed one, what is shown now and then. */
function watch(
  scene: Scene,
  time: { deviceMs: number; openMs: number },
  spareMs: number[],
): { readonly looks: readonly (() => void)[]; readonly fault: () => void } {
  const { world } = scene;
  const { disks: judged, shown, files, accuses } = checkersOf(scene);
  const disks = [countsRebuilt(scene), ...judged];
  let lookedAtMs = world.nowMs;
  let countedAtMs = world.nowMs;
  let busyUntilMs = 0;
  let revision = 0;
  let lives = 0;
  let spares = new Map<number, number>();
  const count = (): void => {
    const sinceMs = world.nowMs - countedAtMs;
    countedAtMs = world.nowMs;
    time.deviceMs += scene.returning().length * sinceMs;
    time.openMs += scene.running().length * sinceMs;
    for (const [spare, fileCount] of spares) spareMs[spare] = (spareMs[spare] ?? 0) + fileCount * sinceMs;
    spares = sparesOf(scene);
  };
  world.always(() => {
    scene.throwFailure();
    const now = disksRevision(scene);
    if (now !== revision) for (const look of disks) look();
    const nowLives = livesRevision(scene);
    if (nowLives !== lives) {
      count();
      // Before its links end: who met whom.
      accuses();
    }
    if (now !== revision || nowLives !== lives) busyUntilMs = world.nowMs + BUSY_MS;
    revision = now;
    lives = nowLives;
    const everyMs = world.nowMs < busyUntilMs ? BUSY_LOOK_MS : IDLE_LOOK_MS;
    if (world.nowMs - lookedAtMs < everyMs) return;
    lookedAtMs = world.nowMs;
    count();
    for (const look of shown) look();
  });
  const fault = (): void => {
    files(true);
    const [lost] = lostFiles(scene);
    if (lost !== undefined) throw new Broken(`${lost} was lost with the devices that had it`);
  };
  return { looks: shown, fault };
}

/** Changes when a device begins or ends to run. */
function livesRevision({ actors }: Scene): number {
  let revision = actors.length;
  for (const { state, isReady } of actors)
    revision = Math.imul(revision, 0x01000193) ^ (state.length * 2 + (isReady ? 1 : 0));
  return revision;
}

/** By how many sound fragments beyond k are left anywhere, 2 standing for more: so many files. */
function sparesOf(scene: Scene): Map<number, number> {
  const returning = scene.returning();
  const spares = new Map<number, number>();
  for (const { contentId, k } of scene.keptContents().values()) {
    const spare = Math.min(2, Math.max(0, scene.soundOn(returning, contentId).size - k));
    spares.set(spare, (spares.get(spare) ?? 0) + 1);
  }
  return spares;
}

/** Files that people were told are stored, and that can no longer be recovered. */
function lostFiles(scene: Scene): string[] {
  const returning = scene.returning();
  return [...scene.keptContents().values()]
    .filter(({ contentId, k }) => scene.soundOn(returning, contentId).size < k)
    .map((file) => nameOf(scene, file));
}

/** As often as it is due. */
function whatHappens(scene: Scene, only: ReadonlySet<string>): (actor: Actor) => void {
  const due = { faultMs: scene.world.nowMs, actMs: scene.world.nowMs };
  const isDue = (what: 'faultMs' | 'actMs', gapMs: number): boolean => {
    const { nowMs } = scene.world;
    if (due[what] > nowMs) return false;
    due[what] = Math.max(due[what], nowMs - MOST_DUE * gapMs) + scene.random.below(2 * gapMs);
    return true;
  };
  return (actor) => {
    if (scene.areFaultsOver) return;
    if (isDue('faultMs', FAULT_GAP_MS)) strike(scene, only);
    if (!scene.running().includes(actor) || !isDue('actMs', ACT_GAP_MS)) return;
    const what = scene.random.unit();
    if (what < 0.2) resume(scene, actor);
    else if (what < 0.7) read(scene, actor);
    else if (scene.kept().length < MOST_FILES) store(scene, actor, SHAPES);
    else remove(scene, actor);
  };
}

async function passDays(scene: Scene, days: number, only: ReadonlySet<string>): Promise<void> {
  const { world, random } = scene;
  const endMs = world.nowMs + days * DAY_MS;
  while (world.nowMs < endMs) {
    await world.pass(Math.min(endMs - world.nowMs, random.below(2 * NIGHT_FAULT_GAP_MS)));
    scene.throwFailure();
    strike(scene, only);
  }
}
