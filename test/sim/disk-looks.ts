// Looks at the disks of a simulated pool while its time passes. Disks are read every `everyMs` only: reading
// them at each event would take most of the time.

import type { SimDevice } from './device.ts';
import type { World } from './world.ts';

/** Fragments on the disk, with their key shares. */
export function heldCount(device: SimDevice, fileId: string): number {
  return device.store.contents().fragments.filter(({ fragment }) => fragment.fileId === fileId).length;
}

/** Until a look at the disks finds `reached`. */
export async function untilSeen(
  world: World,
  what: string,
  reached: () => boolean,
  { withinMs, everyMs }: { readonly withinMs: number; readonly everyMs: number },
): Promise<void> {
  let isReached = false;
  const look = lookEvery(world, everyMs, () => (isReached = reached()));
  await world.until(
    what,
    () => {
      look();
      return isReached;
    },
    withinMs,
  );
}

/** From now on each look at the disks makes `check`. */
export function alwaysSeen(world: World, everyMs: number, check: () => void): void {
  world.always(lookEvery(world, everyMs, check));
}

function lookEvery(world: World, everyMs: number, look: () => void): () => void {
  let lookedAtMs = -1;
  return () => {
    if (world.nowMs - lookedAtMs < everyMs) return;
    lookedAtMs = world.nowMs;
    look();
  };
}
