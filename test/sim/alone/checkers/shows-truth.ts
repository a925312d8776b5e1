// What is shown is never better than the truth when it was confirmed: each fragment that a device shows on
// another lies on that disk, or did a moment ago if the two have been linked for a while, or once if not; and
// margin and reach follow from these. Liars are believed by all but the storer that still has its copy.

import type { FileStatus } from '../../../../src/runtime/api.ts';
import { trueMargin } from '../../true-margin.ts';
import type { PastDisks } from '../past-disks.ts';
import { Broken, type Actor, type Scene } from '../scene.ts';

/** How late a device may hear of what a linked one dropped, ms: a broken link is noticed by then. */
const NEWS_MS = 30_000;

export function showsTruth(scene: Scene, past: PastDisks): () => void {
  const checked = new WeakMap<FileStatus, string>();
  /** By viewer and device: since when the two are linked without a break, ms. */
  const linkedMs = new Map<string, Map<string, number>>();
  return () => {
    for (const viewer of scene.running()) {
      if (scene.world.nowMs - viewer.runsSinceMs < NEWS_MS) {
        linkedMs.delete(viewer.device.id);
        continue;
      }
      const { files, devices } = scene.statusOf(viewer);
      const states = new Map<string, string>(devices.map(({ id, state }) => [id, state]));
      const statesKey = [...states.values()].join(' ');
      const before = linkedMs.get(viewer.device.id);
      const linked = new Map<string, number>();
      for (const [id, state] of states)
        if (state === 'reachable') linked.set(id, before?.get(id) ?? scene.world.nowMs);
      linkedMs.set(viewer.device.id, linked);
      const isLinked = (id: string): boolean =>
        scene.world.nowMs - (linked.get(id) ?? scene.world.nowMs) >= NEWS_MS;
      for (const file of files) {
        expectClaims(scene, viewer, file, isLinked, past);
        if (checked.get(file) === statesKey) continue;
        checked.set(file, statesKey);
        expectFigures(scene, viewer, file, states);
      }
    }
  };
}

function expectClaims(
  scene: Scene,
  viewer: Actor,
  file: FileStatus,
  isLinkedWith: (id: string) => boolean,
  past: PastDisks,
): void {
  for (const { deviceId, fragments } of file.holders) {
    if (scene.liars.has(deviceId) && !file.inOutbox) continue;
    const isLinked = isLinkedWith(deviceId);
    const sinceMs = isLinked ? scene.world.nowMs - NEWS_MS : -Infinity;
    for (const fragment of fragments) {
      if (past.lastHeldMs(deviceId, file.contentId, fragment) >= sinceMs) continue;
      throw new Broken(
        `${viewer.device.name} shows fragment ${fragment} of ${scene.contentName(file.contentId)} on ${deviceId}, which ` +
          (isLinked ? 'no longer has it' : 'never had it'),
      );
    }
  }
}

function expectFigures(
  scene: Scene,
  { device }: Actor,
  file: FileStatus,
  states: ReadonlyMap<string, string>,
): void {
  const inState = (isIt: (state: string | undefined) => boolean): ReadonlySet<number>[] =>
    file.holders
      .filter(({ deviceId }) => isIt(states.get(deviceId)))
      .map(({ fragments }) => new Set(fragments));
  for (const [what, holdings, reach, margin] of [
    ['reachable', inState((state) => state === 'reachable'), file.reach, file.margin],
    ['durable', inState((state) => state !== 'gone'), file.durable, file.durableMargin],
  ] as const) {
    const truth = new Set(holdings.flatMap((set) => [...set])).size;
    if (reach > truth)
      throw new Broken(
        `${device.name} shows ${reach} ${what} fragments of ${scene.contentName(file.contentId)}, not ${truth}`,
      );
    const best = trueMargin(holdings, file.k);
    if (margin > best)
      throw new Broken(
        `${device.name} shows a ${what} margin of ${margin} for ${scene.contentName(file.contentId)}, not ${best}`,
      );
  }
  if (file.safe && file.margin < 1)
    throw new Broken(
      `${device.name} calls ${scene.contentName(file.contentId)} safe with a margin of ${file.margin}`,
    );
}
