// Repair: what devices that are gone held is rebuilt by the others, by one of them at a time, within the
// caps; judged by the disks.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { quorumOf } from '../../src/core/model/geometry.ts';
import { fragmentCap } from '../../src/core/model/limits.ts';
import { expectOnlyNeeded, fragmentsOn } from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { alwaysSeen, heldCount, untilSeen } from './disk-looks.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const [K, N] = [4, 8];
/** Short, so that a story takes minutes. */
const GRACE_MS = 60_000;
/** Grace, the wait for losses that belong together, and the repair itself. */
const REPAIR_MS = 5 * 60_000;
const FILE_BYTES = 3_000_000;
const LOOK_MS = 100;

interface Pool {
  readonly devices: readonly SimDevice[];
  readonly fileId: string;
  readonly bytes: Uint8Array;
}

/** A placed file of 4 of 8 on eight devices, one fragment each. */
async function placed(
  simulation: Simulation,
  options: { readonly private?: boolean } = {},
): Promise<Pool & { readonly link: string | undefined }> {
  const { world } = simulation;
  const devices = await simulation.pool(N);
  const storer = first(devices);
  const graceMs = { alwaysOn: GRACE_MS, laptop: GRACE_MS, phone: GRACE_MS };
  await world.settled('policy', storer.pool.setPolicy({ graceMs }));
  const bytes = world.random.bytes(FILE_BYTES);
  const { fileId, link } = await world.settled(
    'store',
    storer.put(bytes, { name: 'film', k: K, n: N, ...options }),
  );
  await until(simulation, 'placed', () => {
    const isPlacing = storer.store.contents().outbox.length > 0;
    return !isPlacing && devices.reduce((sum, device) => sum + heldCount(device, fileId), 0) === N;
  });
  watchCaps(simulation, fileId, devices);
  return { devices, fileId, bytes, link };
}

/** From now on no disk has more fragments of the file, key shares included, than one device may hold. */
function watchCaps({ world }: Simulation, fileId: string, devices: readonly SimDevice[]): void {
  alwaysSeen(world, LOOK_MS, () => {
    for (const device of devices)
      expect(heldCount(device, fileId), `${device.name}: fragments`).toBeLessThanOrEqual(fragmentCap(K));
  });
}

/** Until a look at the disks finds `reached`. */
function until(
  { world }: Simulation,
  what: string,
  reached: () => boolean,
  withinMs = REPAIR_MS,
): Promise<void> {
  return untilSeen(world, what, reached, { withinMs, everyMs: LOOK_MS });
}

/** Until the devices of `alive` have all fragments, and nothing that they do not need. */
async function untilFull(simulation: Simulation, fileId: string, alive: readonly SimDevice[]): Promise<void> {
  const held = (): Set<number> =>
    new Set(
      alive.flatMap((device) =>
        device.store
          .contents()
          .fragments.flatMap(({ fragment }) => (fragment.fileId === fileId ? [fragment.fragment] : [])),
      ),
    );
  await until(simulation, 'all fragments are back', () => held().size === N);
  await until(simulation, 'nothing is staged', () => alive.every((device) => stagedCount(device) === 0));
  expect(fragmentsOn(alive, fileId).size).toBe(N);
}

/** Blocks that only a repair claims. */
function stagedCount(device: SimDevice): number {
  return [...device.store.contents().blocks.values()].filter(({ owners }) =>
    owners.some((owner) => owner.includes('repair:')),
  ).length;
}

/** What a repair writes: its segments, its own share if it has one, and the end of its claim. */
type RepairWrite = 'segment' | 'share' | 'release';

/** Calls `then` after each write of the device's repairs, and with 0 segments before the first of each. */
function watchRepairWrites(
  device: SimDevice,
  then: (write: RepairWrite, segmentCount: number) => void,
): void {
  const { fragments } = device.store;
  const { putBlocks, commit, release } = fragments;
  let segmentCount = 0;
  fragments.putBlocks = async (owner, ...given) => {
    const isRepair = owner.startsWith('repair:');
    if (isRepair && segmentCount === 0) then('segment', 0);
    if (!device.isRunning) return;
    await putBlocks.call(fragments, owner, ...given);
    if (isRepair) then('segment', ++segmentCount);
  };
  fragments.commit = async (given) => {
    await commit.call(fragments, given);
    if (segmentCount > 0) then('share', segmentCount);
  };
  fragments.release = async (owner) => {
    await release.call(fragments, owner);
    // A repair begins by releasing what an earlier one may have left.
    if (owner.startsWith('repair:') && segmentCount > 0) then('release', segmentCount);
  };
}

async function expectReadable({ world }: Simulation, { fileId, bytes }: Pool, by: SimDevice): Promise<void> {
  const read = await world.settled(`${by.name} reads`, by.read(fileId));
  expect(Buffer.compare(read, bytes), `seed ${world.seed}`).toBe(0);
}

/** Kills `count` of `alive`, those that hold most. Returns the others, and those that were killed. */
function lose(
  { fileId }: Pool,
  alive: readonly SimDevice[],
  count: number,
): [readonly SimDevice[], readonly SimDevice[]] {
  const mostFirst = alive.toSorted((a, b) => heldCount(b, fileId) - heldCount(a, fileId));
  const lost = mostFirst.slice(0, count);
  for (const device of lost) device.kill();
  return [alive.filter((device) => !lost.includes(device)), lost];
}

scenario(
  'twice two of eight devices are lost for good: what they held is rebuilt',
  [901],
  async (simulation) => {
    const pool = await placed(simulation);
    const { devices, fileId } = pool;
    const [six] = lose(pool, devices, 2);
    await untilFull(simulation, fileId, six);
    const [four] = lose(pool, six, 2);
    await untilFull(simulation, fileId, four);
    for (const device of four) await expectReadable(simulation, pool, device);
  },
);

scenario('a private file is repaired by devices that cannot open it', [911], async (simulation) => {
  const pool = await placed(simulation, { private: true });
  const storer = first(pool.devices);
  storer.kill();
  const [others] = lose(pool, pool.devices.slice(1), 1);
  await untilFull(simulation, pool.fileId, others);
  const [left] = lose(pool, others, 2);
  const reader = first(left);
  await expect(simulation.world.settled('read', reader.read(pool.fileId))).rejects.toThrow();
  const link = pool.link ?? '';
  const read = await simulation.world.settled('read', reader.read(pool.fileId, { link }));
  expect(Buffer.compare(read, pool.bytes)).toBe(0);
});

scenario('a repairer that is killed in the middle is taken over', [921], async (simulation) => {
  const pool = await placed(simulation);
  const { devices, fileId } = pool;
  const [six] = lose(pool, devices, 2);
  await until(simulation, 'a repair stages blocks', () => six.some((device) => stagedCount(device) > 0));
  const repairer = six.find((device) => stagedCount(device) > 0);
  repairer?.kill();
  const five = six.filter((device) => device !== repairer);
  // Without the repairer's own share: one missing fragment alone is not rebuilt.
  const isBack = (): boolean => fragmentsOn(five, fileId).size >= N - 1;
  await until(simulation, 'the lost fragments are back', isBack);
  await repairer?.reopen();
  // What it had staged has no claim any more.
  await until(simulation, 'its staging is gone', () => repairer !== undefined && stagedCount(repairer) === 0);
  for (const device of five) await expectReadable(simulation, pool, device);
});

const SEGMENTS = 4;
/** After its own share. Who repairs may have none: then the end of the claim comes next. */
const SHARE = SEGMENTS + 1;
const RELEASE = SEGMENTS + 2;

scenario(
  'a repairer that crashes after any of its writes leaves nothing behind',
  // The last digit: before the first segment, after each of them, after its own share, after all.
  [...Array.from({ length: RELEASE + 1 }, (_, digit) => 950 + digit), 1045, 1055],
  async (simulation) => {
    const pool = await placed(simulation);
    const { devices, fileId } = pool;
    const digit = simulation.world.seed % 10;
    const [six] = lose(pool, devices, 2);
    const isMoment = (write: RepairWrite, segmentCount: number): boolean =>
      (write === 'segment' && segmentCount === digit) ||
      (write !== 'segment' && digit === SHARE) ||
      (write === 'release' && digit >= RELEASE);
    let crashed: SimDevice | undefined;
    for (const device of six) {
      watchRepairWrites(device, (write, segmentCount) => {
        if (crashed !== undefined || !isMoment(write, segmentCount)) return;
        crashed = device;
        device.kill();
      });
    }
    await until(simulation, 'a repairer crashed', () => crashed !== undefined);
    await crashed?.reopen();
    // It may have kept its own share, so that no more is needed for now.
    await until(simulation, 'no repair is needed', () =>
      six.every((device) => (device.fileStatus(fileId)?.durable ?? 0) > quorumOf({ k: K, n: N })),
    );
    await until(simulation, 'nothing is staged', () => six.every((device) => stagedCount(device) === 0));
    // If it crashed within its last write, nothing is left to repair, and its links are still being built.
    const isLinked = (device: SimDevice): boolean => reachableCount(device) === six.length;
    await until(simulation, 'all are linked again', () => six.every(isLinked));
    for (const device of six) {
      expectOnlyNeeded(device);
      await expectReadable(simulation, pool, device);
    }
  },
);

scenario(
  'a repairer whose battery is low waits, and goes on with what it staged',
  [961],
  async (simulation) => {
    const pool = await placed(simulation);
    const { devices, fileId } = pool;
    const [six] = lose(pool, devices, 2);
    let repairer: SimDevice | undefined;
    const staged: string[] = [];
    for (const device of six) {
      const { fragments } = device.store;
      const { putBlocks } = fragments;
      fragments.putBlocks = async (owner, blocks, hashes, keep) => {
        await putBlocks.call(fragments, owner, blocks, hashes, keep);
        if (!owner.startsWith('repair:')) return;
        staged.push(`${device.name} ${keep?.as}`);
        if (repairer !== undefined) return;
        repairer = device;
        device.spare('battery-low');
      };
    }
    const isPaused = (): boolean => repairer?.pool.status().repairPause === 'battery-low';
    await until(simulation, 'the repairer waits, and says why', isPaused);
    await simulation.world.pass(20_000);
    expect(staged).toHaveLength(1);
    repairer?.spare(undefined);
    await untilFull(simulation, fileId, six);
    expect(repairer?.pool.status().repairPause).toBeUndefined();
    // Four segments, each of them once.
    expect(staged).toEqual([0, 1, 2, 3].map((segment) => `${repairer?.name} ${segment}`));
    for (const device of six) expectOnlyNeeded(device);
  },
);

scenario(
  'a repairer that hangs is taken over, and when it goes on, two at once do no harm',
  [971],
  async (simulation) => {
    const pool = await placed(simulation);
    const { devices, fileId } = pool;
    const [six] = lose(pool, devices, 2);
    await until(simulation, 'a repair stages blocks', () => six.some((device) => stagedCount(device) > 0));
    const repairer = six.find((device) => stagedCount(device) > 0);
    repairer?.hang();
    const five = six.filter((device) => device !== repairer);
    await until(simulation, 'another takes over', () => five.some((device) => stagedCount(device) > 0));
    // From now on two repair at once.
    repairer?.thaw();
    await untilFull(simulation, fileId, six);
    for (const device of six) {
      expectOnlyNeeded(device);
      await expectReadable(simulation, pool, device);
    }
  },
);

scenario('lost devices that return during and after a repair do no harm', [931], async (simulation) => {
  const pool = await placed(simulation);
  const { devices, fileId } = pool;
  const [six, lost] = lose(pool, devices, 2);
  await until(simulation, 'a repair stages blocks', () => six.some((device) => stagedCount(device) > 0));
  const [early, late] = lost;
  await early?.reopen();
  const seven = early === undefined ? six : [...six, early];
  // Enough again with what came back: the repair ends, done or not, and leaves nothing.
  const isEnough = (): boolean => fragmentsOn(seven, fileId).size >= N - 1;
  await until(simulation, 'enough fragments are back', isEnough);
  await until(simulation, 'nothing is staged', () => devices.every((device) => stagedCount(device) === 0));
  await late?.reopen();
  await simulation.world.pass(60_000);
  expect(fragmentsOn(devices, fileId).size).toBe(N);
  for (const device of devices) await expectReadable(simulation, pool, device);
});

scenario('a file is repaired although each holder has another block damaged', [941], async (simulation) => {
  const pool = await placed(simulation);
  const [six] = lose(pool, pool.devices, 2);
  const held = six.flatMap((device) => {
    const [fragmentHeld] = device.store
      .contents()
      .fragments.filter(({ fragment }) => fragment.fileId === pool.fileId);
    return fragmentHeld === undefined
      ? []
      : [{ device, blocks: decodeFragmentIndex(fragmentHeld.index).blocks }];
  });
  // As many as leave k sound blocks of each segment: placing may have given a lost device two fragments.
  const spareCount = fragmentsOn(six, pool.fileId).size - K;
  for (const [at, { device, blocks }] of held.entries()) {
    const hash = blocks[at % blocks.length];
    if (hash !== undefined && at < spareCount * blocks.length) device.store.corruptBlock(hash);
  }
  // Holders that met their damage withdrew their fragments: what is missing is rebuilt from the rest, until
  // so many count that no repair is needed. One that was withdrawn or lost late may stay missing.
  const quorum = quorumOf({ k: K, n: N });
  await until(simulation, 'enough is sound', () => fragmentsOn(six, pool.fileId).size > quorum);
  const isRepaired = (device: SimDevice): boolean => (device.fileStatus(pool.fileId)?.reach ?? 0) > quorum;
  await until(simulation, 'no repair is needed', () => six.every(isRepaired));
  await until(simulation, 'nothing is staged', () => six.every((device) => stagedCount(device) === 0));
  for (const device of six) await expectReadable(simulation, pool, device);
});
