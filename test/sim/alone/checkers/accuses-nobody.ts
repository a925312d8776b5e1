// No device calls another gone that it could hardly miss yet: since it last was linked with it, it has itself
// been open for at least half of the grace. The other half may be time for which its page was closed; of all
// times but the first in which it was, half of the grace counts, so several make up for a grace. The first
// counts too where most other members may have been heard of since the page opened. Where nobody set the
// graces, a device that came back after a longer silence is given twice that.

import type { PalmStatus } from '../../../../src/runtime/api.ts';
import { learnsGrace } from '../life.ts';
import { Broken, type Actor, type Scene } from '../scene.ts';

/** What is shown is looked at this much later, at most, than it should be, ms. */
const LATE_MS = 1_000;
/** Nobody is given more than this because of what was learned, ms. */
const MOST_LEARNED_MS = 14 * 24 * 60 * 60_000;
/** A page that ends sooner than this after it was linked may not have written that down, ms. */
const WRITTEN_MS = 5_000;

/** How long the viewer had run when both were linked, when that was, and how often it was closed before. */
interface Link {
  readonly ranMs: number;
  readonly atMs: number;
  readonly closedCount: number;
}

export function accusesNobody(scene: Scene): () => void {
  /** By viewer and device: when the two were linked last, as far as the viewer has written it down. */
  const linked = new Map<string, Link>();
  /** The same, of the link that they have: its beginning. */
  const seen = new Map<string, Link>();
  /** By viewer and device: the longest silence, of the viewer's own time, from which the device came back. */
  const longest = new Map<string, number>();
  const meetings = new Meetings();
  return () => {
    const { nowMs } = scene.world;
    for (const viewer of scene.running()) {
      const { id, name, pool } = viewer.device;
      // How long its pages have run, as far as they can tell.
      const ranMs = nowMs - viewer.pausedMs;
      const { graceMs } = pool.policy();
      const { devices } = scene.statusOf(viewer);
      const amongMostAtMs = meetings.look(scene, viewer, devices);
      for (const device of devices) {
        const key = `${id} ${device.id}`;
        const before = linked.get(key);
        const closedCount = viewer.closures.length;
        const first = seen.get(key);
        if (device.state === 'reachable') {
          // Sleep of its own, and clocks that are set, teach it nothing.
          const ranSinceMs = Math.max(viewer.runsSinceMs, scene.clockSetMs.get(id) ?? 0);
          if (before !== undefined && ranSinceMs < before.atMs)
            longest.set(key, Math.max(longest.get(key) ?? 0, ranMs - before.ranMs));
          const link = { ranMs, atMs: nowMs, closedCount };
          if (first?.closedCount !== closedCount) seen.set(key, link);
          else if (nowMs - first.atMs >= WRITTEN_MS) linked.set(key, link);
          continue;
        }
        seen.delete(key);
        // Its page goes on, and writes down when the link was lost.
        if (first?.closedCount === closedCount && first.atMs > (before?.atMs ?? -Infinity))
          linked.set(key, first);
        const met = linked.get(key);
        if (device.state !== 'gone' || met === undefined) continue;
        const closures = viewer.closures.filter(({ atMs }) => atMs > met.atMs);
        const closedMs = closures
          .slice(amongMostAtMs >= (closures[0]?.atMs ?? 0) ? 0 : 1)
          .reduce((sum, closure) => sum + Math.min(closure.closedMs, graceMs[device.class] / 2), 0);
        const silentMs = ranMs - met.ranMs + closedMs + scene.lookMs + LATE_MS;
        const learnedMs =
          learnsGrace(scene) && !scene.areFaultsOver
            ? Math.min(MOST_LEARNED_MS, 2 * (longest.get(key) ?? 0) - 4 * scene.lookMs)
            : 0;
        if (silentMs < Math.max(graceMs[device.class], learnedMs) / 2)
          throw new Broken(
            `${name} calls ${device.name} gone, and heard it ${silentMs / 1000} s of its own time ago`,
          );
      }
    }
  };
}

/** Whom a viewer may have heard of since its page opened: who ran meanwhile, and whom it was linked with. */
class Meetings {
  readonly #met = new Map<string, { readonly closedCount: number; readonly devices: Set<string> }>();
  readonly #amongMostAtMs = new Map<string, number>();

  /** Returns when these were last more than half of the others that it does not call gone. */
  look(scene: Scene, viewer: Actor, devices: PalmStatus['devices']): number {
    const { length: closedCount } = viewer.closures;
    const { id } = viewer.device;
    const before = this.#met.get(id);
    const met = before?.closedCount === closedCount ? before : { closedCount, devices: new Set<string>() };
    this.#met.set(id, met);
    for (const { device } of scene.running()) met.devices.add(device.id);
    for (const device of devices) if (device.state === 'reachable') met.devices.add(device.id);
    const others = devices.filter((device) => device.id !== id && device.state !== 'gone');
    if (others.filter((device) => met.devices.has(device.id)).length * 2 > others.length)
      this.#amongMostAtMs.set(id, scene.world.nowMs);
    return this.#amongMostAtMs.get(id) ?? -Infinity;
  }
}
