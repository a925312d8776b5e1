// No acknowledged file becomes unrecoverable by what the devices do: only faults destroy sound fragments, and
// the story spares k of them.

import { Broken, type Scene } from '../scene.ts';

/** `isFault`: what changed is the story's doing. */
export function keepsFiles(scene: Scene): (isFault?: boolean) => void {
  /** Contents that had k sound fragments at the last look. */
  let recoverable = new Set<string>();
  return (isFault = false) => {
    const returning = scene.returning();
    const still = new Set<string>();
    for (const [contentId, file] of scene.keptContents()) {
      const count = scene.soundOn(returning, contentId).size;
      if (count >= file.k) still.add(contentId);
      else if (!isFault && recoverable.has(contentId))
        throw new Broken(
          `${scene.contentName(contentId)} can no longer be recovered: ${count} of ${file.k} fragments are left`,
        );
    }
    recoverable = still;
  };
}
