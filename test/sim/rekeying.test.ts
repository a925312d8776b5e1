// Files of before that are stored anew under keys that a lost device does not have: judged by the disks at
// every moment, whatever crashes, leaves, is removed or re-keyed by somebody else meanwhile.

import { expect } from 'vitest';
import { settledOutboxes, wholeFragments } from './checks.ts';
import { followCharter } from './chartered.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { first, scenario, type Simulation } from './scenario.ts';
import { reasonOf } from './told-roles.ts';
import { trueMargin } from './true-margin.ts';
import type { World } from './world.ts';

const WITHIN_MS = 900_000;
const LOOK_EVERY_MS = 250;

/** Of one name on a device: ids of name and content, and its dates. */
function named({ pool }: SimDevice, name: string) {
  const files = pool.status().files.filter((file) => file.name === name);
  return files.map(({ fileId, contentId, storedAtMs, modifiedMs, path, mime }) => ({
    fileId,
    contentId,
    shown: { storedAtMs, modifiedMs, path, mime },
  }));
}

function isDone(device: SimDevice): boolean {
  const { rekey } = device.pool.status();
  return rekey === undefined || (rekey.files === 0 && rekey.run === undefined);
}

/** Of a content, on the disks. */
function marginOf(devices: readonly SimDevice[], content: string, k = 2): number {
  const sets = devices.map((device) => wholeFragments(device, content));
  return trueMargin(sets, k);
}

/** Whether each file is there once, and not as it was before. */
function isRekeyed(device: SimDevice, { before }: Story): boolean {
  return [...before].every(([name, { contentId }]) => {
    const found = named(device, name);
    return found.length === 1 && found.every((at) => at.contentId !== contentId);
  });
}

interface Story {
  readonly staying: readonly SimDevice[];
  readonly founder: SimDevice;
  readonly lost: SimDevice;
  readonly k: number;
  /** By name. */
  readonly before: ReadonlyMap<
    string,
    { readonly bytes: Uint8Array<ArrayBuffer>; readonly contentId: string }
  >;
}

/** A pool with files of all devices, one of which was shut out afterwards. */
async function shutOutAfter(
  { world, pool }: Simulation,
  count: number,
  sizes: readonly number[],
  counts: { readonly k: number; readonly n: number; readonly mirror?: boolean } = { k: 2, n: 4 },
): Promise<Story> {
  const devices = await pool(count);
  const [founder, lost] = [first(devices), first(devices, 1)];
  await followCharter(world, devices);
  const before = new Map<string, { bytes: Uint8Array<ArrayBuffer>; contentId: string }>();
  for (const [index, size] of sizes.entries()) {
    const storer = first(devices, index % devices.length);
    const bytes = world.random.bytes(size);
    const name = `of before ${index}`;
    const { fileId } = await world.settled('store', storer.put(bytes, { name, path: 'holidays', ...counts }));
    before.set(name, { bytes, contentId: fileId });
  }
  await world.until('placed', () => settledOutboxes(devices), WITHIN_MS);
  lost.kill();
  const staying = devices.filter((device) => device !== lost);
  await world.settled('shut out', founder.pool.shutOut(lost.id), WITHIN_MS);
  await world.until('all have the new keys', () =>
    staying.every((device) => device.pool.status().pool?.epoch === 1),
  );
  return { staying, founder, lost, before, k: counts.k };
}

/** Another admin, who was told of all files of before. */
async function otherAdmin({ world }: Simulation, { staying, founder, before }: Story): Promise<SimDevice> {
  const anna = first(staying, 1);
  await world.settled('another admin', founder.pool.grant(anna.id, 'admin'));
  await world.until('told', () => anna.pool.status().rekey?.files === before.size);
  return anna;
}

/** From now on, of every file the old or the new content is on the disks as safely as the file is now. */
function neverLessSafe(
  world: World,
  { staying, before, k }: Story,
  removed: ReadonlySet<string> = new Set(),
  lostCount = 0,
): void {
  const kept = [...before].filter(([name]) => !removed.has(name));
  const margins = new Map(kept.map(([name, { contentId }]) => [name, marginOf(staying, contentId, k)]));
  expect(Math.min(...margins.values())).toBeGreaterThanOrEqual(0);
  let lookedAtMs = 0;
  world.always(() => {
    // What was let go of too early stays away: it need not be looked for after each event.
    if (world.nowMs < lookedAtMs + LOOK_EVERY_MS) return;
    lookedAtMs = world.nowMs;
    for (const [name, { contentId }] of kept) {
      const found = staying.flatMap((device) => named(device, name).map((at) => at.contentId));
      const best = Math.max(
        ...Array.from(new Set([contentId, ...found]), (content) => marginOf(staying, content, k)),
      );
      expect(best, name).toBeGreaterThanOrEqual((margins.get(name) ?? 0) - lostCount);
    }
  });
}

/** On all devices, each file once, under keys that the lost device does not have, and with its bytes. */
async function expectRekeyed(
  { world }: Simulation,
  { staying, before }: Story,
  except: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const device of staying) {
    for (const [name, { bytes, contentId }] of before) {
      const found = named(device, name);
      if (except.has(name)) {
        expect(found, name).toEqual([]);
        continue;
      }
      expect(found, name).toHaveLength(1);
      expect(first(found).contentId).not.toBe(contentId);
      const read = await world.settled('read', device.read(first(found).fileId), WITHIN_MS);
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
  }
}

scenario(
  'after a shut-out an admin re-keys every file: names and dates stay, the lost device can open none, and no file is less safe meanwhile',
  [4_301],
  async (simulation) => {
    const { world } = simulation;
    const story = await shutOutAfter(simulation, 5, [1_200_000, 900, 0, 40_000]);
    const { staying, founder, lost, before } = story;
    await world.until('offered', () => founder.pool.status().rekey?.files === before.size);
    const other = first(staying, 1);
    await world.until('offered', () => other.pool.status().rekey?.files === 1);
    expect(other.pool.status().rekey).toMatchObject({ files: 1, ofOthers: before.size - 1 });
    const shown = new Map([...before.keys()].map((name) => [name, first(named(founder, name)).shown]));
    neverLessSafe(world, story);
    const counts = new Set<number>();
    founder.pool.subscribe(() => counts.add(founder.pool.status().files.length));
    other.pool.subscribe(() => counts.add(other.pool.status().files.length));
    await world.settled('re-key', founder.pool.rekey());
    expect(founder.pool.status().rekey?.run).toMatchObject({ leftFiles: before.size });
    await world.until('done', () => staying.every(isDone), WITHIN_MS);
    // Nobody saw a file twice, or missed one.
    expect([...counts].every((count) => Math.abs(count - before.size) <= 1)).toBe(true);
    await expectRekeyed(simulation, story);
    for (const [name, dates] of shown) expect(first(named(founder, name)).shown).toEqual(dates);
    const gone = [...before.values()].map(({ contentId }) => contentId);
    await world.until(
      'the old bytes are gone',
      () => gone.every((content) => marginOf(staying, content) < 0),
      WITHIN_MS,
    );
    for (const device of staying) {
      expect(device.pool.status().activity.filter(({ kind }) => kind === 'file-removed')).toEqual([]);
    }
    await lost.reopen();
    await world.until('it is told', () => lost.notices.some(({ kind }) => kind === 'shut-out'));
    for (const name of before.keys()) {
      const [old] = named(lost, name);
      if (before.get(name)?.bytes.length === 0 || old === undefined) continue;
      await expect(world.settled('read', lost.read(old.fileId), WITHIN_MS)).rejects.toThrow();
    }
  },
);

scenario(
  're-keying that crashes again and again goes on where it was, and a holder leaves meanwhile',
  [4_311],
  async (simulation) => {
    const { world } = simulation;
    const story = await shutOutAfter(simulation, 6, [1_200_000, 30_000, 60_000]);
    const { staying, founder } = story;
    const leaver = first(staying, staying.length - 1);
    neverLessSafe(world, story, new Set(), 1); // what leaves takes its fragments along
    await world.settled('re-key', founder.pool.rekey());
    for (let round = 0; round < 6; round++) {
      await world.pass(100 + world.random.below(3_000));
      founder.kill();
      await world.pass(world.random.below(2_000));
      await founder.reopen();
      if (round === 2) await world.settled('leave', leaver.pool.leave());
    }
    await world.until('done', () => isRekeyed(founder, story), WITHIN_MS);
    await expectRekeyed(simulation, { ...story, staying: staying.filter((device) => device !== leaver) });
  },
);

scenario('two devices re-key the same files at once: each is there once', [4_321], async (simulation) => {
  const { world } = simulation;
  const story = await shutOutAfter(simulation, 5, [400, 20_000, 300_000, 900]);
  const { staying, founder } = story;
  const anna = await otherAdmin(simulation, story);
  neverLessSafe(world, story);
  await world.settled('re-key', Promise.all([founder.pool.rekey(), anna.pool.rekey()]));
  await world.until('done', () => staying.every(isDone), WITHIN_MS);
  await world.pass(10_000);
  await expectRekeyed(simulation, story);
});

scenario(
  'a file that is removed in one part while another part re-keys it stays removed',
  [4_331, 4_332],
  async (simulation) => {
    const { world, network } = simulation;
    const story = await shutOutAfter(simulation, 7, [400, 20_000, 70_000], { k: 1, n: 3, mirror: true });
    const { staying, founder, before } = story;
    const anna = await otherAdmin(simulation, story);
    const removed = new Set(['of before 1']);
    neverLessSafe(world, story, removed);
    network.partition((id) => (id === anna.id ? 0 : 1));
    await world.settled('re-key', founder.pool.rekey());
    await world.settled('remove', anna.pool.remove(first(named(anna, 'of before 1')).fileId));
    await world.until('the others moved it', () => isRekeyed(founder, story), WITHIN_MS);
    network.heal();
    await world.until('it is gone', () => staying.every((each) => named(each, 'of before 1').length === 0));
    await world.until('done', () => staying.every(isDone), WITHIN_MS);
    await expectRekeyed(simulation, story, removed);
    expect(before.size).toBe(3);
  },
);

scenario(
  'two admins re-key the same files apart: once they meet, each file is there once',
  [4_336],
  async (simulation) => {
    const { world, network } = simulation;
    const story = await shutOutAfter(simulation, 7, [400, 20_000, 90_000, 900], { k: 1, n: 3, mirror: true });
    const { staying, founder, before } = story;
    const anna = await otherAdmin(simulation, story);
    neverLessSafe(world, story);
    const side = new Map(staying.map(({ id }, index) => [id as string, index % 2]));
    network.partition((id) => side.get(id) ?? 0);
    for (const admin of [founder, anna]) await world.settled('re-key', admin.pool.rekey());
    const moved = (device: SimDevice): string[] =>
      [...before].flatMap(([name, { contentId }]) =>
        named(device, name).some((at) => at.contentId !== contentId) ? [name] : [],
      );
    // Where no copy is, nothing can be read: those wait.
    await world.until('some moved in both parts', () =>
      moved(founder).some((name) => moved(anna).includes(name)),
    );
    await world.pass(20_000);
    network.heal();
    await world.until('each is there once', () => staying.every((each) => isRekeyed(each, story)), WITHIN_MS);
    await world.pass(60_000);
    await expectRekeyed(simulation, story);
  },
);

scenario(
  'while a holder is away the old fragments stay, and the names with them',
  [4_338],
  async (simulation) => {
    const { world } = simulation;
    const story = await shutOutAfter(simulation, 5, [400, 20_000]);
    const { staying, founder, before } = story;
    await world.until('restored', () =>
      [...before.values()].every(({ contentId }) => marginOf(staying, contentId) === 2),
    );
    const away = first(staying, 3);
    away.kill();
    await world.settled('re-key', founder.pool.rekey());
    await world.until('stored anew', () => founder.pool.status().rekey?.run?.state === 'placing');
    await world.pass(60_000);
    for (const [name, { contentId }] of before)
      expect(named(founder, name).map((at) => at.contentId)).toEqual([contentId]);
    await away.reopen();
    await world.until('done', () => staying.every((each) => isRekeyed(each, story)), WITHIN_MS);
    await expectRekeyed(simulation, story);
  },
);

scenario(
  'who may not re-key is told why, cancelling leaves all files as they are, and a removed file does not return',
  [4_341],
  async (simulation) => {
    const { world } = simulation;
    const story = await shutOutAfter(simulation, 4, [2_000_000, 500, 600]);
    const { staying, founder, before } = story;
    const anna = first(staying, 1);
    const ofFounder = first(named(anna, 'of before 0'));
    expect(await reasonOf(world.settled('re-key', anna.pool.rekey([ofFounder.fileId])))).toBe(
      'file-of-another',
    );
    neverLessSafe(world, story, new Set(['of before 0']));
    await world.settled('re-key', founder.pool.rekey([ofFounder.fileId]));
    await world.until('begun', () => (founder.pool.status().rekey?.run?.doneBytes ?? 0) > 0);
    await world.settled('cancel', founder.pool.cancelRekey());
    await world.pass(60_000);
    expect(founder.pool.status().rekey?.run).toBeUndefined();
    expect(first(named(founder, 'of before 0')).contentId).toBe(before.get('of before 0')?.contentId);
    // Once more, and the file is removed under it.
    await world.settled('re-key', founder.pool.rekey([ofFounder.fileId]));
    await world.until('begun', () => (founder.pool.status().rekey?.run?.doneBytes ?? 0) > 0);
    await world.settled('remove', founder.pool.remove(ofFounder.fileId));
    await world.until('over', () => founder.pool.status().rekey?.run === undefined, WITHIN_MS);
    await world.until('the bytes are gone', () => founder.pool.status().removed === undefined, WITHIN_MS);
    for (const device of staying) expect(named(device, 'of before 0')).toEqual([]);
    expect(reachableCount(founder)).toBe(staying.length);
  },
);
