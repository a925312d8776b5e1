// No device calls another gone that it could hardly miss yet: since it last was linked with it, it has itself
// been open for at least half of the grace. The other half may be time for which its page was closed.

import { Broken, type Scene } from '../scene.ts';

/** What is shown is looked at this often, at most, ms. */
const LOOK_MS = 5_000;

export function accusesNobody(scene: Scene): () => void {
  /** By device, how long its pages have run, ms. */
  const ranMs = new Map<string, number>();
  /** By viewer and device: how long the viewer had run when the two were linked last. */
  const linked = new Map<string, number>();
  let lookedAtMs = scene.world.nowMs;
  return () => {
    const sinceMs = scene.world.nowMs - lookedAtMs;
    lookedAtMs = scene.world.nowMs;
    for (const viewer of scene.running()) {
      const { id, name, pool } = viewer.device;
      const ran = (ranMs.get(id) ?? 0) + Math.min(sinceMs, scene.world.nowMs - viewer.runsSinceMs);
      ranMs.set(id, ran);
      const { graceMs } = pool.policy();
      for (const device of scene.statusOf(viewer).devices) {
        const key = `${id} ${device.id}`;
        if (device.state === 'reachable') linked.set(key, ran);
        const metMs = linked.get(key);
        if (device.state !== 'gone' || metMs === undefined) continue;
        const silentMs = ran - metMs + LOOK_MS;
        if (silentMs < graceMs[device.class] / 2)
          throw new Broken(
            `${name} calls ${device.name} gone, and heard it ${silentMs / 1000} s of its own time ago`,
          );
      }
    }
  };
}
