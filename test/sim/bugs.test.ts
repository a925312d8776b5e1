// Bugs in the middle of a pool's life: a function that an engine lacks, at a random place and time. People
// must be told of a bug, not of a missing device, a full disk or a changed file, and nothing may be lost.

import { expect, test } from 'vitest';
import { formPool, type BreakablePort, type SimDevice } from './device.ts';
import { CALM, Network } from './network.ts';
import { chosenSeeds, first } from './scenario.ts';
import { World } from './world.ts';

const [K, N] = [2, 4];
const SIZE = 300_000;

/** Functions that storing, serving and reading call. */
const FUNCTIONS: readonly (readonly [BreakablePort, string])[] = [
  ['codec', 'hash'],
  ['codec', 'seal'],
  ['codec', 'open'],
  ['cryptography', 'sha256'],
  ['fragments', 'getBlock'],
  ['fragments', 'getIndex'],
  ['journal', 'put'],
  ['memory', 'take'],
  ['memory', 'give'],
];

const SEEDS = Array.from({ length: 18 }, (_, index) => 2_000 + index);

test.each(chosenSeeds() ?? SEEDS)('a function that throws is said as a bug (seed %i)', async (seed) => {
  const world = new World(seed);
  const devices = await formPool(world, new Network(world, CALM), 4);
  const bytes = world.random.bytes(SIZE);
  const before = await world.settled(
    'a file is stored',
    first(devices).put(bytes, { name: 'before', k: K, n: N }),
  );
  await everybodyKnows(world, devices, before.fileId);

  const broken = first(devices, world.random.below(devices.length));
  const others = devices.filter((device) => device !== broken);
  // With no more than k fragments left, a bug is easily taken for a missing one.
  const away = Math.floor(seed / FUNCTIONS.length) % 2 === 0 ? others.slice(K - 1) : [];
  for (const device of away) device.kill();
  await world.until(
    'they are seen to be away',
    () => broken.fileStatus(before.fileId)?.reach === N - away.length,
  );
  const [port, name] = FUNCTIONS[seed % FUNCTIONS.length] ?? first(FUNCTIONS);
  broken.missing = { port, name };
  const bug = `${port}.${name} is not a function`;
  const attempts: [Promise<End>, Promise<End>, Promise<End>] = [
    attempt(broken.read(before.fileId)),
    attempt(broken.put(world.random.bytes(SIZE), { name: 'meanwhile', k: K, n: N, durability: 'fast' })),
    attempt(first(others).read(before.fileId)),
  ];
  const ends = await world.settled('each attempt ends', Promise.all(attempts));
  for (const end of ends.slice(0, 2)) {
    if (end.kind === 'failed') expect(String(end.error), `seed ${seed}`).toContain(bug);
  }
  // To another device, one with a bug is one that does not answer.
  const [, , elsewhere] = ends;
  if (elsewhere.kind === 'failed') expect(elsewhere.error).toMatchObject({ code: 'not-enough-fragments' });
  for (const { notices } of [broken, first(others)]) {
    for (const notice of notices) expect(notice.kind === 'bug' ? notice.detail : bug).toContain(bug);
  }

  broken.missing = undefined;
  for (const device of away) await device.reopen();
  for (const device of devices) {
    const read = await world.settled(`${device.name} reads again`, device.read(before.fileId));
    expect(Buffer.compare(read, bytes), device.name).toBe(0);
  }
});

async function everybodyKnows(world: World, devices: readonly SimDevice[], fileId: string): Promise<void> {
  await world.until('each device knows the file and its holders', () =>
    devices.every((device) => device.fileStatus(fileId)?.reach === N && !device.fileStatus(fileId)?.inOutbox),
  );
}

type End = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: unknown };

async function attempt(work: Promise<unknown>): Promise<End> {
  return work.then(
    () => ({ kind: 'done' }),
    (error: unknown) => ({ kind: 'failed', error }),
  );
}
