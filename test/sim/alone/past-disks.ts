// When each fragment last lay on each disk.

import { contentsOf, type DiskContents } from './disks.ts';
import type { Scene } from './scene.ts';

export class PastDisks {
  readonly #scene: Scene;
  readonly #last = new Map<string, DiskContents>();
  /** By device, content and fragment: until when it was there, ms. */
  readonly #droppedMs = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** To be called after every event. */
  look(): void {
    for (const { device, id, state } of this.#scene.actors) {
      const now = state === 'lost' ? undefined : contentsOf(device.store);
      const before = this.#last.get(id);
      if (now === before) continue;
      for (const [content, { held }] of before ?? [])
        for (const fragment of held)
          if (now?.get(content)?.held.has(fragment) !== true)
            this.#droppedMs.set(`${id} ${content} ${fragment}`, this.#scene.world.nowMs);
      if (now === undefined) this.#last.delete(id);
      else this.#last.set(id, now);
    }
  }

  lastHeldMs(id: string, content: string, fragment: number): number {
    if (this.#last.get(id)?.get(content)?.held.has(fragment) === true) return Infinity;
    return this.#droppedMs.get(`${id} ${content} ${fragment}`) ?? -Infinity;
  }
}
