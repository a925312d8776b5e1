// No device has k fragments of a file, key shares included, unless it still places the file.

import { contentsOf } from '../disks.ts';
import { Broken, type Scene } from '../scene.ts';

export function keepsCaps(scene: Scene): () => void {
  return () => {
    for (const { device } of scene.actors) {
      for (const [contentId, { held }] of contentsOf(device.store)) {
        const file = scene.geometries.get(contentId);
        if (file === undefined || held.size < Math.max(2, file.k)) continue;
        if (device.store.contents().outbox.some((placing) => placing === contentId)) continue;
        throw new Broken(
          `${device.name} has ${held.size} fragments of ${scene.contentName(contentId)}, whose k is ${file.k}`,
        );
      }
    }
  };
}
