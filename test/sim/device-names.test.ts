// Names that devices were given by suggestion: told apart once their devices know of each other.

import { expect } from 'vitest';
import { reachableCount, type SimDevice } from './device.ts';
import { first, scenario } from './scenario.ts';
import { openInviteOf } from './open-invite.ts';

const SUGGESTED = 'Linux laptop (Chrome)';

scenario(
  'three laptops with the same suggested name get three names, and a name that was chosen stays',
  [1_440, 1_441, 1_442, 1_443],
  async ({ world, network, device }) => {
    const laptops = [0, 1, 2].map(() => device(SUGGESTED));
    const chosen = device('Phone');
    const all = [...laptops, chosen];
    const founder = first(laptops);
    await world.settled('create', founder.pool.createPool({ name: 'Home' }));
    const invite = openInviteOf(founder);
    await world.pass(2_000);
    // On odd seeds the others join where they meet nobody, and all meet at once.
    if (world.seed % 2 === 1) network.partition((id) => all.findIndex((one) => one.id === id));
    for (const laptop of laptops.slice(1)) {
      await world.settled('join', laptop.pool.join(invite), 60_000);
      await world.pass(2_000);
    }
    // A person may choose the very name that others were given.
    await world.settled('join', chosen.pool.join(invite, { deviceName: SUGGESTED }), 60_000);
    network.heal();
    await world.until('linked', () => all.every((one) => reachableCount(one) === 4), 60_000);
    await world.pass(5_000);
    const given = laptops.map((laptop) => laptop.pool.status().device.name);
    expect(chosen.pool.status().device.name).toBe(SUGGESTED);
    for (const viewer of all)
      expect(namesSeenBy(viewer), viewer.id).toEqual([...given, SUGGESTED].toSorted());
    expect(new Set(given).size).toBe(3);
    if (world.seed % 2 === 0) expect(given).toEqual([SUGGESTED, `${SUGGESTED} 2`, `${SUGGESTED} 3`]);
  },
);

function namesSeenBy(device: SimDevice): string[] {
  return device.pool
    .status()
    .devices.map(({ name }) => name)
    .toSorted();
}
