// No device meets a bug of its own, or shows one.

import { Broken, type Scene } from '../scene.ts';

/** Texts of the simulator are notices as data (plain-texts.ts). */
const BUG = '"kind":"bug"';

export function meetsNoBug(scene: Scene): () => void {
  return () => {
    for (const actor of scene.running()) {
      const bug = scene.statusOf(actor).notices.find(({ text }) => text.includes(BUG));
      if (bug !== undefined) throw new Broken(`${actor.device.name} met a bug: ${bug.text}`);
    }
  };
}
