// A sound fragment of a kept file is dropped only where another disk has it: whoever drops a copy because
// another exists has had that proved, so nobody's word is enough. One that was damaged counts for nobody,
// also where the blocks that its device stages for a repair make it whole by the way.

import { contentsOf, type DiskContents } from '../disks.ts';
import type { PastDisks } from '../past-disks.ts';
import { Broken, type Actor, type Scene } from '../scene.ts';

/** The other device may have dropped its copy between its proof and this drop, ms. */
const SINCE_PROOF_MS = 120_000;

/** To be called after every event. */
export function dropsCopiesOnly(scene: Scene, past: PastDisks): () => void {
  const last = new Map<string, DiskContents>();
  /** By device: contents and fragments that were damaged since they lie there. */
  const damaged = new Map<string, Set<string>>();
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
      const counting = countingOf(damaged.get(id) ?? new Set(), before, now);
      damaged.set(id, counting.damaged);
      if (actor.state !== 'lost') judge(scene, past, actor, counting.before, now);
    }
  };
}

/** What was there and never damaged, and which of those that are there now were. */
function countingOf(
  damaged: ReadonlySet<string>,
  before: DiskContents | undefined,
  now: DiskContents,
): { readonly before: ReadonlyMap<string, readonly number[]>; readonly damaged: Set<string> } {
  const sound = new Map<string, readonly number[]>();
  for (const [content, onDisk] of before ?? [])
    sound.set(
      content,
      [...onDisk.sound].filter((fragment) => !damaged.has(`${content} ${fragment}`)),
    );
  const next = new Set<string>();
  for (const [content, onDisk] of now)
    for (const fragment of onDisk.held)
      if (!onDisk.sound.has(fragment) || damaged.has(`${content} ${fragment}`))
        next.add(`${content} ${fragment}`);
  return { before: sound, damaged: next };
}

function judge(
  scene: Scene,
  past: PastDisks,
  actor: Actor,
  before: ReadonlyMap<string, readonly number[]>,
  now: DiskContents,
): void {
  const kept = scene.keptContents();
  for (const [contentId, sound] of before) {
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
