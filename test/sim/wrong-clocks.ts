// Wall clocks as they are: each shows another time, and somebody sets one every few seconds. Nothing that a
// pool promises may depend on them. They stay within half a day of each other, because devices report names
// that are dated a day ahead.

import type { SimDevice } from './device.ts';
import { randomFrom } from './seeded-random.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;
const MAX_WRONG_MS = 5 * HOUR_MS;
/** Jumps that are hard to tell from a slow timer, from sleep, and from neither. */
const JUMPS_MS = [900, 1_500, 6_000, 60_000, HOUR_MS, 4 * HOUR_MS];
const MAX_GAP_MS = 10_000;

/** Sets the clocks of `devices`, to which more may be added, from now on. */
export function setClocks(world: World, devices: readonly SimDevice[]): void {
  // Drawn apart from the story's own chances, which stay as they are.
  const random = randomFrom(world.seed ^ 0x5eed);
  const wrongMs = new Map<SimDevice, number>();
  const setOne = (): void => {
    const device = devices[random.below(Math.max(1, devices.length))];
    if (device !== undefined) {
      const before = wrongMs.get(device) ?? 0;
      const byMs = (JUMPS_MS[random.below(JUMPS_MS.length)] ?? 0) * (random.below(2) === 0 ? 1 : -1);
      const after = Math.max(-MAX_WRONG_MS, Math.min(MAX_WRONG_MS, before + byMs));
      device.setClock(after - before);
      wrongMs.set(device, after);
    }
    world.after(random.below(MAX_GAP_MS), setOne);
  };
  setOne();
}
