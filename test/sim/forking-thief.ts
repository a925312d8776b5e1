// The thief of a member's device, who writes a branch of its log from the first entry on that is longer than
// what the device itself wrote there.

import type { EntryId } from '../../src/core/model/ids.ts';
import { CHARTERED_PROTOCOL_VERSION } from '../../src/core/wire/messages.ts';
import type { SimDevice } from './device.ts';
import { HostileMember } from './hostile-member.ts';
import type { Simulation } from './scenario.ts';

const BRANCH_ENTRIES = 21;

/** Ends `stolen`, which has written something, and lets all of `staying` believe the thief's branch. */
export async function forkLogOf(
  { world, network }: Pick<Simulation, 'world' | 'network'>,
  stolen: SimDevice,
  staying: readonly [SimDevice, ...SimDevice[]],
): Promise<void> {
  const [reader] = staying;
  const { items } = await world.settled('record', reader.pool.record({ device: stolen.id, limit: 1_000 }));
  const trunk = items.find(({ seq, kind }) => seq === 1 && kind === 'profile');
  if (trunk === undefined) throw new Error('expected the first entry of the stolen device');
  stolen.kill();
  const thief = new HostileMember(world, network, reader, stolen.identity);
  thief.greeting = [
    { kind: 'hello', protocol: CHARTERED_PROTOCOL_VERSION, epoch: 0 },
    { kind: 'acts-summary', marks: new Uint8Array(0) },
  ];
  thief.open();
  await world.until('linked', () => thief.linked.size === staying.length);
  const entries: Uint8Array[] = [];
  for (let at = 0; at < BRANCH_ENTRIES; at++) {
    const plan = at === 0 ? { seq: 2, prev: trunk.entryId as EntryId } : {};
    entries.push(await thief.entry({ kind: 'profile', name: `thief ${at}` }, plan));
  }
  for (const { id } of staying) thief.send(id, { kind: 'entries', entries, more: false });
  const last = `thief ${BRANCH_ENTRIES - 1}`;
  await world.until('believed', () =>
    staying.every((device) => device.pool.status().devices.some(({ name }) => name === last)),
  );
}
