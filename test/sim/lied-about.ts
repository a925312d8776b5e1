// A placed file of which a device is lost, and a member that claims what it had and does not have it.

import { expect } from 'vitest';
import { parseFileId, type DeviceId } from '../../src/core/model/ids.ts';
import { packFragments } from '../../src/core/placement/fragment-set.ts';
import type { Message } from '../../src/core/wire/messages.ts';
import type { Place } from '../../src/core/wire/places.ts';
import { fragmentsOn } from './checks.ts';
import type { SimDevice } from './device.ts';
import { HostileMember } from './hostile-member.ts';
import { shortenGrace, until, type MovedFile } from './moved-file.ts';
import { first, type Simulation } from './scenario.ts';

const K = 2;
export const N = 4;
/** What a device must be able to do in order to be offered rebuilt and moved fragments. */
const TAKING = ['repair', 'moves', 'challenge'];

/** What the liar does when it is asked for something. */
export type Answer = (liar: HostileMember, from: DeviceId, id: number) => void;

export interface LiedAbout {
  readonly file: MovedFile;
  /** Devices that are left. */
  readonly left: readonly SimDevice[];
  readonly liar: HostileMember;
  /** What it was asked to hold so far. */
  readonly offered: readonly Place[];
  /** Claims to everybody what is missing, or nothing. */
  readonly claim: (isMade: boolean) => void;
}

/**
 * A placed file of which a device is lost, and a member that claims what it had, and gives `answer`.
 * `freeBytes`: what it offers. `isSparing`: the others' batteries are low, so that they neither audit nor
 * repair.
 */
export async function liedAbout(
  simulation: Simulation,
  answer: Answer,
  { freeBytes = 0, isSparing = false } = {},
): Promise<LiedAbout> {
  const { world, network } = simulation;
  const devices = await simulation.pool(N + 2);
  const storer = first(devices);
  await shortenGrace(simulation, storer);
  const bytes = world.random.bytes(50_000);
  const stored = await world.settled('store', storer.put(bytes, { name: 'film', k: K, n: N }));
  const { fileId } = stored;
  await until(simulation, 'placed', () => storer.store.contents().outbox.length === 0);
  const holders = devices.filter((device) => device !== storer && fragmentsOn([device], fileId).size > 0);
  if (isSparing) for (const device of devices) device.spare('battery-low');
  const lost = first(holders);
  const missing = fragmentsOn([lost], fileId);
  lost.kill();
  const liar = new HostileMember(world, network, storer);
  const claim: Message = {
    kind: 'holdings',
    base: 0,
    held: [{ file: parseFileId(fileId), fragments: packFragments(missing) }],
    heldBytes: 9,
    freeBytes,
  };
  const offered: Place[] = [];
  const claimNow = (isMade: boolean): void => {
    for (const device of liar.linked) liar.send(device, isMade ? claim : { ...claim, held: [] });
  };
  liar.onMessage = (from, message) => {
    if (message.kind === 'hello') liar.send(from, claim);
    if (message.kind === 'get-index' || message.kind === 'get-block') answer(liar, from, message.id);
    if (message.kind === 'place') offered.push(...message.places);
    if (message.kind === 'get-fragments') answer(liar, from, message.id);
  };
  const entries = [await liar.entry({ kind: 'profile', name: 'Mallory' })];
  const features: Message = { kind: 'features', features: freeBytes > 0 ? TAKING : [] };
  liar.greeting = [...liar.greeting, features, { kind: 'entries', entries, more: false }];
  liar.open();
  await world.pass(5 * 60_000);
  const left = devices.filter((device) => device !== lost);
  for (const device of left) expect(device.fileStatus(fileId)?.durable).toBe(N);
  return { file: { fileId, bytes, link: undefined }, left, liar, offered, claim: claimNow };
}

export const absent: Answer = (liar, from, id) => liar.send(from, { kind: 'failed', id, reason: 'absent' });
export const busy: Answer = (liar, from, id) => liar.send(from, { kind: 'failed', id, reason: 'busy' });
export const wrong: Answer = (liar, from, id) => liar.send(from, { kind: 'index', id }, new Uint8Array(100));
export const silent: Answer = () => undefined;
