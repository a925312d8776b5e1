// No device meets a bug of its own, or shows one.

import { Broken, type Scene } from '../scene.ts';

export function meetsNoBug(scene: Scene): () => void {
  return () => {
    for (const { device } of scene.running()) {
      const bug = device.notices.find(({ kind }) => kind === 'bug');
      if (bug !== undefined) throw new Broken(`${device.name} met a bug: ${JSON.stringify(bug)}`);
    }
  };
}
