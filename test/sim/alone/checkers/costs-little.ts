// Repair moves little more than it must. In one go, a repairer that holds h fragments of a file, rebuilds r
// and keeps s of them moves k - h + r - s. This is judged while nothing but repair and audits moves bytes.

import type { FileStatus } from '../../../../src/runtime/api.ts';
import { decodeMessage, hasPayload } from '../../../../src/core/wire/messages.ts';
import { Broken, type Actor, type Scene } from '../scene.ts';

/** Reads ask another holder when one is slow, repairs are taken over, and losses come one after another. */
const MOST_TIMES = 3;
/** Indexes, and blocks that were on their way when a repair was given up, bytes for each file. */
const SPARE_BYTES = 10_000;

/** Counts from now on. The result judges; it does nothing if others moved bytes meanwhile. */
export function costsLittle(scene: Scene, devices: readonly Actor[]): () => void {
  const network = scene.network.given;
  if (network === undefined) return () => undefined;
  const others = network.onDelivery;
  const isQuiet = (): boolean =>
    scene.liars.size === 0 &&
    scene.readsUnderWay === 0 &&
    devices.every(({ device }) => device.store.outboxCount() === 0);
  const before = sound(scene, devices);
  const wasQuiet = isQuiet();
  const audited = (): number => scene.actors.reduce((sum, { device }) => sum + device.auditedBytes, 0);
  const auditedBefore = audited();
  let movedBytes = 0;
  network.onDelivery = (from, to, bytes) => {
    others(from, to, bytes);
    if (hasPayload(decodeMessage(bytes).message.kind)) movedBytes += bytes.length;
  };
  return () => {
    network.onDelivery = others;
    if (!wasQuiet || !isQuiet()) return;
    movedBytes -= audited() - auditedBefore;
    let leastBytes = 0;
    let spareBytes = 0;
    for (const [contentId, { k, size: fileBytes }] of named(scene, devices)) {
      const had = devices.map(({ device }) => before.get(`${device.id} ${contentId}`) ?? new Set<number>());
      // What a device dropped meanwhile was a copy: what it has got is other fragments, or a damaged one of
      // its own that was made whole.
      const gained = devices.map(
        (actor, at) =>
          [...scene.onDisk(actor, contentId).sound].filter((fragment) => had[at]?.has(fragment) !== true)
            .length,
      );
      const rebuilt = gained.reduce((sum, count) => sum + count, 0);
      if (rebuilt === 0) continue;
      const most = Math.max(...had.map(({ size }) => size));
      const moved = Math.max(0, k - most) + Math.max(0, rebuilt - Math.max(...gained));
      leastBytes += moved * Math.ceil((fileBytes + 16) / k);
      spareBytes += SPARE_BYTES * k;
    }
    scene.note(undefined, `repair moved ${movedBytes} bytes; at least ${leastBytes} had to be`);
    scene.measure('repair bytes', movedBytes);
    scene.measure('least repair bytes', leastBytes);
    if (leastBytes > 0 && movedBytes > MOST_TIMES * leastBytes + spareBytes)
      throw new Broken(`repair moved ${movedBytes} bytes where ${leastBytes} would have done`);
  };
}

function sound(scene: Scene, devices: readonly Actor[]): Map<string, ReadonlySet<number>> {
  const fragments = new Map<string, ReadonlySet<number>>();
  for (const contentId of named(scene, devices).keys())
    for (const actor of devices)
      fragments.set(`${actor.device.id} ${contentId}`, scene.onDisk(actor, contentId).sound);
  return fragments;
}

/** All contents that have a name, also where their store was never acknowledged. */
function named(scene: Scene, devices: readonly Actor[]): Map<string, Pick<FileStatus, 'k' | 'size'>> {
  const files = devices.flatMap((actor) => scene.filesOf(actor));
  return new Map(files.map((file) => [file.contentId, file]));
}
