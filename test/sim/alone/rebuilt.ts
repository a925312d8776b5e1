// Counts fragments that were rebuilt, by the disks: one that appears where nobody who runs has it cannot have
// been moved.

import { contentsOf, type DiskContents } from './disks.ts';
import type { Scene } from './scene.ts';

/** To be called after every event that changed a disk. */
export function countsRebuilt(scene: Scene): () => void {
  const last = new Map<string, DiskContents>();
  return () => {
    for (const actor of scene.actors) {
      const { id, device } = actor;
      const before = last.get(id);
      const now = contentsOf(device.store);
      if (now === before) continue;
      last.set(id, now);
      if (before === undefined) continue;
      for (const [content, { held }] of now) {
        if (device.store.contents().outbox.some((placing) => placing === content)) continue;
        for (const fragment of held) {
          if (before.get(content)?.held.has(fragment) === true) continue;
          const isElsewhere = scene
            .running()
            .some((other) => other !== actor && scene.onDisk(other, content).held.has(fragment));
          scene.count(isElsewhere ? 'fragment moved' : 'fragment rebuilt');
        }
      }
    }
  };
}
