// Devices that claim fragments which they do not have: once they did not give them, their claims do not
// count, and what they only claim is repaired. Judged by the disks.

import { expect } from 'vitest';
import { parseFileId, type DeviceId } from '../../src/core/model/ids.ts';
import { packFragments } from '../../src/core/placement/fragment-set.ts';
import type { Message } from '../../src/core/wire/messages.ts';
import { fragmentsOn } from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { HostileMember } from './hostile-member.ts';
import { expectReadable, shortenGrace, until, type MovedFile } from './moved-file.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const [K, N] = [2, 4];

type Answer = (liar: HostileMember, from: DeviceId, id: number) => void;

interface LiedAbout {
  readonly file: MovedFile;
  /** Devices that are left. */
  readonly left: readonly SimDevice[];
  readonly liar: HostileMember;
}

/** A placed file of which a device is lost, and a member that claims what it had, and gives `answer`. */
async function liedAbout(simulation: Simulation, answer: Answer): Promise<LiedAbout> {
  const { world, network } = simulation;
  const devices = await simulation.pool(N + 2);
  const storer = first(devices);
  await shortenGrace(simulation, storer);
  const bytes = world.random.bytes(50_000);
  const stored = await world.settled('store', storer.put(bytes, { name: 'film', k: K, n: N }));
  const { fileId } = stored;
  await until(simulation, 'placed', () => storer.store.contents().outbox.length === 0);
  const holders = devices.filter((device) => device !== storer && fragmentsOn([device], fileId).size > 0);
  const lost = first(holders);
  const missing = fragmentsOn([lost], fileId);
  lost.kill();
  const liar = new HostileMember(world, network, storer);
  const claim: Message = {
    kind: 'holdings',
    base: 0,
    held: [{ file: parseFileId(fileId), fragments: packFragments(missing) }],
    heldBytes: 9,
    freeBytes: 0,
  };
  liar.onMessage = (from, message) => {
    if (message.kind === 'hello') liar.send(from, claim);
    if (message.kind === 'get-index' || message.kind === 'get-block') answer(liar, from, message.id);
    if (message.kind === 'get-fragments') answer(liar, from, message.id);
  };
  const entries = [await liar.entry({ kind: 'profile', name: 'Mallory' })];
  liar.greeting = [...liar.greeting, { kind: 'entries', entries, more: false }];
  liar.open();
  await world.pass(5 * 60_000);
  const left = devices.filter((device) => device !== lost);
  for (const device of left) expect(device.fileStatus(fileId)?.durable).toBe(N);
  return { file: { fileId, bytes, link: undefined }, left, liar };
}

const absent: Answer = (liar, from, id) => liar.send(from, { kind: 'failed', id, reason: 'absent' });
const busy: Answer = (liar, from, id) => liar.send(from, { kind: 'failed', id, reason: 'busy' });
const wrong: Answer = (liar, from, id) => liar.send(from, { kind: 'index', id }, new Uint8Array(100));
const silent: Answer = () => undefined;

/** Each device in turn is alone with the liar for a moment, and reads: it has nobody else to ask. */
async function askAlone({ world, network }: Simulation, { file, left, liar }: LiedAbout): Promise<void> {
  for (const device of left) {
    const pair = new Set<DeviceId>([device.id, liar.id]);
    network.partition((each) => (pair.has(each) ? 1 : 0));
    await world.until('alone', () => reachableCount(device) === 2, 60_000);
    const read = device.read(file.fileId).catch(() => undefined);
    await world.pass(20_000);
    network.heal();
    await world.until('together', () => reachableCount(device) > left.length, 60_000);
    await world.settled('it ends', read, 120_000);
  }
}

const LIES = [absent, wrong];

scenario(
  'what a liar claims and does not give is made up for, and no longer shown',
  LIES.map((_, index) => 1500 + index),
  async (simulation) => {
    const lied = await liedAbout(simulation, first(LIES, simulation.world.seed % LIES.length));
    const { file, left } = lied;
    expect(fragmentsOn(left, file.fileId).size).toBe(N - 1);
    await askAlone(simulation, lied);
    await until(simulation, 'it is made up for', () => fragmentsOn(left, file.fileId).size === N);
    for (const device of left) await expectReadable(simulation, file, device);
  },
);

const EXCUSES = [busy, silent];

scenario(
  'a holder that is busy or silent whenever it is asked starts no repair',
  EXCUSES.map((_, index) => 1520 + index),
  async (simulation) => {
    const lied = await liedAbout(simulation, first(EXCUSES, simulation.world.seed % EXCUSES.length));
    const { file, left } = lied;
    await askAlone(simulation, lied);
    await simulation.world.pass(10 * 60_000);
    expect(fragmentsOn(left, file.fileId).size).toBe(N - 1);
    for (const device of left) expect(device.fileStatus(file.fileId)?.durable).toBe(N);
  },
);
