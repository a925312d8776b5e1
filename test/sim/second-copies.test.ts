// A storer that restarts may have forgotten which device took what, and give the same fragments to another.
// The pool repairs this: second copies are given up, so that all fragments find a home under the caps.

import { expect, test } from 'vitest';
import { formPool, reachableCount } from './device.ts';
import { Network } from './network.ts';
import { World } from './world.ts';

test.each([311, 312, 313])(
  'fragments that lie on two devices do not keep the others homeless (seed %i)',
  async (seed) => {
    const world = new World(seed);
    const network = new Network(world);
    const [storer, first, second] = await formPool(world, network, 3);
    if (storer === undefined || first === undefined || second === undefined)
      throw new Error('expected three devices');

    second.kill();
    await world.until('the second device is missed', () => reachableCount(storer) === 2);
    const bytes = world.random.bytes(3_000_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'film' }));
    expect(storer.fileStatus(fileId)?.inOutbox).toBe(true);
    first.kill();
    await world.until('the first device is missed', () => reachableCount(storer) === 1);

    // The storer's memory of the first device is lost with its tab, as if it was killed before writing it
    // down.
    storer.kill();
    await storer.store.records.dropMeta('holdings');
    await storer.reopen();
    await second.reopen();
    const heldBySecond = (): number =>
      storer.fileStatus(fileId)?.holders.find(({ deviceId }) => deviceId === second.id)?.fragments.length ??
      0;
    await world.until('the second device has its share', () => heldBySecond() === 3);
    await first.reopen();

    await world.until('everything has a home', () => storer.fileStatus(fileId)?.inOutbox === false);
    const isWithinCaps = (): boolean =>
      first.fileStatus(fileId)?.holders.every(({ fragments }) => fragments.length <= 3) ?? false;
    await world.until('all see every device within its cap', isWithinCaps);
    await world.until('all fragments are seen', () => first.fileStatus(fileId)?.reach === 8);
    expect(first.fileStatus(fileId)?.margin, `seed ${seed}`).toBeGreaterThanOrEqual(1);
    storer.kill();
    const read = await world.settled('read', first.read(fileId));
    expect(Buffer.compare(read, bytes), `seed ${seed}`).toBe(0);
  },
);
