// No device takes fragments of others into space that it does not offer: four fifths of what its browser
// allows, less all that is there. It measures that now and then, so only a disk that was left as it is for a
// while is judged.

import { contentsOf, type DiskContents } from '../disks.ts';
import { Broken, type Actor, type Scene } from '../scene.ts';

/** Space is measured every 30 s, and what is on its way was promised before, ms. */
const SETTLED_MS = 60_000;
/** The part of its space that a device offers; the rest is for its own files. */
const OFFERED_PART = 0.8;

/** To be called after every event. */
export function keepsSpace(scene: Scene): () => void {
  const last = new Map<string, DiskContents>();
  /** By device: when it placed a file of its own last, ms. */
  const placedMs = new Map<string, number>();
  return () => {
    for (const actor of scene.actors) {
      const { device, id, state } = actor;
      if (device.store.outboxCount() > 0) placedMs.set(id, scene.world.nowMs);
      const now = contentsOf(device.store);
      const before = last.get(id);
      if (now === before) continue;
      last.set(id, now);
      if (before === undefined || state !== 'open' || !isSettled(scene, actor, placedMs.get(id))) continue;
      scene.count('space judged');
      const usedBytes = device.store.usedBytes();
      if (!hasMore(scene, before, now) || usedBytes <= OFFERED_PART * device.quotaBytes) continue;
      throw new Broken(
        `${device.name} took a fragment, and has ${usedBytes} bytes: more than it offers of ${device.quotaBytes}`,
      );
    }
  };
}

function isSettled(scene: Scene, { device, runsSinceMs }: Actor, placedMs = -Infinity): boolean {
  return scene.world.nowMs - Math.max(runsSinceMs, device.quotaSetAtMs, placedMs) >= SETTLED_MS;
}

/** A file of its own begins with all of its fragments, before anybody knows of it. */
function hasMore(scene: Scene, before: DiskContents, now: DiskContents): boolean {
  return [...now].some(([content, { held }]) => {
    if (held.size >= (scene.geometries.get(content)?.n ?? 0)) return false;
    return [...held].some((fragment) => before.get(content)?.held.has(fragment) !== true);
  });
}
