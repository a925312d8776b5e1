// Writes into the trace how fragments move: what each disk has of a content, whenever that changes.

import { contentsOf, NOTHING, type DiskContents } from './disks.ts';
import type { Scene } from './scene.ts';

export function noteMovements(scene: Scene): () => void {
  const last = new Map<string, DiskContents>();
  const placing = new Map<string, string>();
  return () => {
    for (const actor of scene.actors) {
      const { device } = actor;
      const before = last.get(device.id) ?? new Map();
      const now = contentsOf(device.store);
      if (now !== before) {
        last.set(device.id, now);
        for (const content of new Set([...before.keys(), ...now.keys()])) {
          const shown = listed(now.get(content) ?? NOTHING);
          if (shown === listed(before.get(content) ?? NOTHING)) continue;
          scene.note(actor, `has ${shown} of ${scene.contentName(content)}`);
        }
      }
      const outbox =
        device.store.outboxCount() === 0
          ? ''
          : device.store
              .contents()
              .outbox.map((id) => scene.contentName(id))
              .join(', ');
      if (outbox === (placing.get(device.id) ?? '')) continue;
      placing.set(device.id, outbox);
      scene.note(actor, outbox === '' ? 'places nothing more' : `places ${outbox}`);
    }
  };
}

/** Damaged ones in brackets. */
function listed({ held, sound }: { held: ReadonlySet<number>; sound: ReadonlySet<number> }): string {
  const fragments = [...held].toSorted((a, b) => a - b);
  if (fragments.length === 0) return 'nothing';
  return fragments.map((each) => (sound.has(each) ? String(each) : `(${each})`)).join(' ');
}
