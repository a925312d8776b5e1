// One pool that is left alone, from a seed: its devices come and go, people store and remove, everything goes
// wrong that can, checkers watch, and in the end it must recover. Equal seeds tell equal stories.

import { joinPool } from '../device.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { World } from '../world.ts';
import { strike } from './faults.ts';
import { dayFrom, daysFrom, graceOf, learnsGrace, live, newActor, REAL_DAY_MS } from './life.ts';
import { read, remove, resume, store } from './people.ts';
import { Scene, type Kind } from './scene.ts';
import { givenLinks, madeLinks, type StoryNetwork } from './story-network.ts';
import { checkersOf, disksRevision, failureOf } from './watching.ts';

export interface StoryOptions {
  readonly seed: number;
  /** Is told each line of the trace as it happens. */
  readonly say?: (line: string) => void;
  /** Only these faults. */
  readonly only?: ReadonlySet<string>;
  /** Its days have 24 hours, whatever the seed says. */
  readonly hasRealDays?: boolean;
}

export interface StoryResult {
  /** Undefined if every promise was kept. */
  readonly failure: Error | undefined;
  readonly trace: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
  readonly linksAre: 'given' | 'made';
  readonly deviceCount: number;
  readonly days: number;
  /** Devices times the virtual time of the story, and the part in which they were open, ms. */
  readonly deviceMs: number;
  readonly openMs: number;
}

/** Small ones mostly: links, and so the time that a story takes, grow with the square of the devices. */
const POPULATIONS: readonly { readonly weight: number; readonly kinds: readonly Kind[] }[] = [
  { weight: 5, kinds: ['desk', 'lid', 'phone', 'phone'] },
  { weight: 3, kinds: ['anchor', 'desk', 'lid', 'phone', 'phone'] },
  { weight: 2, kinds: ['desk', 'lid', 'lid', 'phone', 'phone', 'phone'] },
  { weight: 1, kinds: ['anchor', 'anchor', 'desk', 'lid', 'lid', 'phone', 'phone'] },
  { weight: 0.3, kinds: ['desk', 'desk', 'lid', 'lid', 'lid', 'lid', 'phone', 'phone', 'phone', 'phone'] },
];
const SETTLE_MS = 10_000;
/** In stories of real days, which are about absences that are longer than a grace. */
const PUPILS: readonly Kind[] = ['anchor', 'desk', 'pupil', 'pupil', 'phone'];
/** Share of stories whose devices make their links themselves: that takes twice as long. */
const MADE_LINKS = 0.2;

export async function tellStory(options: StoryOptions): Promise<StoryResult> {
  const world = new World(options.seed);
  const dayOf = options.hasRealDays === true ? () => REAL_DAY_MS : dayFrom;
  const scene = new Scene(world, networkFrom, dayOf, options.say ?? (() => undefined));
  const startMs = world.nowMs;
  const days = daysFrom(scene);
  let openMs = 0;
  const failure = await failureOf(scene, async () => {
    await begin(scene);
    const looks = watch(scene, (ms) => (openMs += ms));
    await passDays(scene, days, options.only);
    return looks;
  });
  return {
    failure,
    trace: scene.trace,
    counts: scene.counts,
    linksAre: scene.network.given === undefined ? 'made' : 'given',
    deviceCount: scene.actors.length,
    days,
    deviceMs: scene.actors.length * (world.nowMs - startMs),
    openMs,
  };
}

function networkFrom(random: SeededRandom, world: World): StoryNetwork {
  return random.unit() < MADE_LINKS ? madeLinks(world) : givenLinks(world);
}

async function begin(scene: Scene): Promise<void> {
  const { world } = scene;
  const total = POPULATIONS.reduce((sum, { weight }) => sum + weight, 0);
  let at = scene.random.unit() * total;
  const population = POPULATIONS.find(({ weight }) => (at -= weight) < 0);
  const kinds = learnsGrace(scene) ? PUPILS : (population?.kinds ?? ['desk']);
  const [first, ...others] = kinds.map((kind, index) => newActor(scene, `${kind} ${index + 1}`, kind));
  if (first === undefined) throw new Error('a pool without devices');
  await world.settled('created', first.device.pool.createPool({ name: 'left alone' }));
  for (const { device } of others) await joinPool(world, device, first.device);
  if (!learnsGrace(scene))
    await world.settled('policy', first.device.pool.setPolicy({ graceMs: graceOf(scene) }));
  await world.pass(SETTLE_MS);
  scene.note(undefined, kinds.join(', '));
  for (let count = 2 + scene.random.below(3); count > 0; count--) {
    const actor = scene.pick(scene.actors);
    if (actor !== undefined) store(scene, actor);
  }
  await world.pass(SETTLE_MS);
  for (const actor of scene.actors) live(scene, actor);
}

/** Disks are judged after every event that changed one, what is shown every few seconds. */
function watch(scene: Scene, opened: (ms: number) => void): readonly (() => void)[] {
  const { world } = scene;
  const { disks, shown, files } = checkersOf(scene);
  scene.onFault.push(() => files(true));
  let lookedAtMs = world.nowMs;
  let revision = 0;
  world.always(() => {
    scene.throwFailure();
    const now = disksRevision(scene);
    if (now !== revision) for (const look of disks) look();
    revision = now;
    const sinceMs = world.nowMs - lookedAtMs;
    if (sinceMs < scene.lookMs) return;
    lookedAtMs = world.nowMs;
    opened(scene.running().length * sinceMs);
    for (const look of shown) look();
  });
  return shown;
}

async function passDays(scene: Scene, days: number, only: ReadonlySet<string> | undefined): Promise<void> {
  const { world, random } = scene;
  const endMs = world.nowMs + days * scene.dayMs;
  while (world.nowMs < endMs) {
    await world.pass(500 + random.below(scene.dayMs / 20));
    scene.throwFailure();
    const actor = scene.pick(scene.running());
    const what = random.unit();
    if (what < 0.5) strike(scene, only);
    else if (actor === undefined) continue;
    else if (what < 0.55) resume(scene, actor);
    else if (what < 0.7) store(scene, actor);
    else if (what < 0.9) read(scene, actor);
    else remove(scene, actor);
  }
}
