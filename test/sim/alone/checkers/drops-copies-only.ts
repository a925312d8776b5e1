// A sound fragment of a kept file is dropped only where another disk has it: whoever drops a copy because
// another exists has had that proved, so nobody's word is enough.

import { contentsOf, type DiskContents } from '../disks.ts';
import type { PastDisks } from '../past-disks.ts';
import { Broken, type Actor, type Scene } from '../scene.ts';

/** The other device may have dropped its copy between its proof and this drop, ms. */
const SINCE_PROOF_MS = 120_000;

/** To be called after every event. */
export function dropsCopiesOnly(scene: Scene, past: PastDisks): () => void {
  const last = new Map<string, DiskContents>();
  return () => {
    for (const actor of scene.actors) {
      const {
        id,
        device: { store },
      } = actor;
      const now = contentsOf(store);
      const before = last.get(id);
      if (now === before) continue;
      last.set(id, now);
      if (before !== undefined && actor.state !== 'lost') judge(scene, past, actor, before, now);
    }
  };
}

function judge(scene: Scene, past: PastDisks, actor: Actor, before: DiskContents, now: DiskContents): void {
  const kept = scene.keptContents();
  for (const [contentId, { sound }] of before) {
    if (!kept.has(contentId)) continue;
    for (const fragment of sound) {
      if (now.get(contentId)?.held.has(fragment) === true) continue;
      const isElsewhere = scene.actors.some(({ id, state }) => {
        // A device that proved its copy and was lost since then is missed once it is gone.
        const sinceMs = state === 'lost' ? 0 : scene.world.nowMs - SINCE_PROOF_MS;
        return id !== actor.id && past.lastHeldMs(id, contentId, fragment) >= sinceMs;
      });
      if (isElsewhere) continue;
      throw new Broken(
        `${actor.device.name} dropped fragment ${fragment} of ${scene.contentName(contentId)}, which nobody else has`,
      );
    }
  }
}
