// A repairer stages the blocks of what it rebuilds. Where that is a damaged fragment of its own, and another
// device is to have it now, these blocks make its own copy whole by the way. Nobody knows of that copy, so it
// would lie there as a second one for good: it goes once the other is held.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { wholeFragments } from './checks.ts';
import { joinPool, type SimDevice } from './device.ts';
import { heldCount, untilSeen } from './disk-looks.ts';
import { first, scenario } from './scenario.ts';

const [K, N] = [3, 6];
const LOOK = { withinMs: 2 * 60_000, everyMs: 250 };
/** Whoever drops second copies has done so by then, ms. */
const LATER_MS = 60_000;

function held(device: SimDevice, fileId: string): number[] {
  return [...wholeFragments(device, fileId)];
}

scenario('what a repair makes whole by the way does not stay', [1, 2], async (simulation) => {
  const { world, pool, device } = simulation;
  const members = await pool(3);
  const repairer = first(members);
  const bytes = world.random.bytes(60_000);
  const storing = first(members, 1).put(bytes, { name: 'film', k: K, n: N });
  const { fileId } = await world.settled('store', storing);
  const spread = (): boolean => members.every((each) => heldCount(each, fileId) === N / members.length);
  await untilSeen(world, 'placed', spread, LOOK);
  const newcomer = device('newcomer');
  await joinPool(world, newcomer, repairer);

  const [rotten = -1, sound = -1] = held(repairer, fileId);
  const { fragments } = repairer.store.contents();
  const row = fragments.find(({ fragment }) => fragment.fileId === fileId && fragment.fragment === rotten);
  if (row === undefined) throw new Error(`no fragment ${rotten}`);
  repairer.store.corruptBlock(first(decodeFragmentIndex(row.index).blocks));
  await world.settled('it reads, and finds the damage', repairer.read(fileId));
  expect(heldCount(repairer, fileId), 'its row stays until it is made up for').toBe(2);
  expect(held(repairer, fileId)).toEqual([sound]);

  expect(await world.settled('repair', repairer.pool.repair())).toHaveLength(1);
  await untilSeen(world, 'another has it', () => held(newcomer, fileId).includes(rotten), LOOK);
  await world.pass(LATER_MS);
  expect(held(newcomer, fileId)).toEqual([rotten]);
  expect(held(repairer, fileId)).toEqual([sound]);
  expect(heldCount(repairer, fileId)).toBe(1);
  await repairer.reopen();
  expect(heldCount(repairer, fileId)).toBe(1);
  const read = await world.settled('another read', newcomer.read(fileId));
  expect(Buffer.compare(read, bytes)).toBe(0);
});
