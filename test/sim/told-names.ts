// What files a device of a simulated pool lists.

import type { SimDevice } from './device.ts';

/** Their names in order, with commas between. */
export function namesOn({ pool }: SimDevice): string {
  return pool
    .status()
    .files.map(({ name }) => name)
    .toSorted()
    .join();
}
