// What happened in the pool, newest last, kept between visits. Each kind has a bound of its own, so that a
// member who removes ten thousand files, or joins and leaves all day, pushes out nothing else; and what one
// device does many times in a row is one item with a count.

import { fieldsOf, uintOf } from '../../core/encoding/decode.ts';
import { MAX_HYBRID_MS } from '../../core/catalogue/clock.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import { MAX_ACTIVITY_OF_KIND } from '../../core/model/limits.ts';
import type { WallMs } from '../../core/model/time.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { softRows } from '../soft-rows.ts';
import { decodeGone, decodeHappening, type Happening } from './happening.ts';

export interface ActivityItem {
  readonly id: number;
  /** When it happened or, of several together, the last of them, by this device's wall clock. */
  readonly atMs: WallMs;
  readonly happening: Happening;
}

/** Like things that follow one another within this time are one item, ms. */
const TOGETHER_MS = 60 * 60_000;
const KIND_COUNT = 6;

export class ActivityList {
  #items: readonly ActivityItem[] = [];
  #lastId = 0;
  /** Devices that the list says are gone, with when they went away. */
  readonly #gone = new Map<DeviceId, WallMs>();
  #beganAtMs: WallMs | undefined;
  #revision = 0;

  /** Changes whenever the list does. */
  get revision(): number {
    return this.#revision;
  }

  /** Newest last. The same list until it changes. */
  get items(): readonly ActivityItem[] {
    return this.#items;
  }

  /** Since when it is kept: what happened before is no news. Begins with the first call. */
  beganAtMs(nowMs: WallMs): WallMs {
    if (this.#beganAtMs === undefined) {
      this.#beganAtMs = nowMs;
      this.#revision += 1;
    }
    return this.#beganAtMs;
  }

  /** Since when a device that the list says is gone was away. */
  goneSinceMs(device: DeviceId): WallMs | undefined {
    return this.#gone.get(device);
  }

  gone(): DeviceId[] {
    return [...this.#gone.keys()];
  }

  add(atMs: WallMs, happening: Happening): void {
    if (happening.kind === 'device-gone') this.#gone.set(happening.device, happening.awaySinceMs);
    if (happening.kind === 'device-back' || happening.kind === 'device-left') {
      this.#gone.delete(happening.device);
    }
    const { kind } = happening;
    const last = this.#items.findLast((item) => item.happening.kind === kind);
    const isRecent = last !== undefined && Math.abs(atMs - last.atMs) <= TOGETHER_MS;
    const together = isRecent ? joined(last.happening, happening) : undefined;
    const id = last !== undefined && together !== undefined ? last.id : ++this.#lastId;
    const others = this.#items.filter((item) => item.id !== id);
    const alike = others.filter((item) => item.happening.kind === kind);
    const kept = alike.length < MAX_ACTIVITY_OF_KIND ? others : others.filter((item) => item !== alike[0]);
    this.#items = [...kept, { id, atMs, happening: together ?? happening }];
    this.#revision += 1;
  }

  /** As it lies on the disk (FORMATS.md, on disk). */
  saved(): unknown {
    return {
      beganAtMs: this.#beganAtMs ?? 0,
      lastId: this.#lastId,
      gone: [...this.#gone].map(([device, awaySinceMs]) => ({ device, awaySinceMs })),
      items: this.#items,
    };
  }

  /** What `saved` gave. Returns how many rows do not decode and were left out. */
  restore(kept: unknown): number {
    if (kept === undefined) return 0;
    try {
      const { beganAtMs, lastId, gone, items } = fieldsOf(kept, ['beganAtMs', 'lastId', 'gone', 'items']);
      const sinceMs = uintOf(beganAtMs, Number.MAX_SAFE_INTEGER);
      const { rows, droppedCount } = softRows(items, KIND_COUNT * MAX_ACTIVITY_OF_KIND, itemOf);
      for (const [device, awaySinceMs] of decodeGone(gone)) this.#gone.set(device, awaySinceMs);
      this.#beganAtMs = sinceMs;
      this.#lastId = Math.max(uintOf(lastId, Number.MAX_SAFE_INTEGER - 1), ...rows.map(({ id }) => id));
      this.#items = rows;
      return droppedCount;
    } catch (error) {
      if (isPalmError(error, 'bad-message')) return 1;
      throw error;
    }
  }
}

/** Both as one; undefined when each says something of its own. */
function joined(before: Happening, now: Happening): Happening | undefined {
  if (before.kind === 'file-removed' && now.kind === 'file-removed' && before.by === now.by) {
    return { ...now, fileCount: before.fileCount + now.fileCount };
  }
  if (before.kind === 'policy-changed' && now.kind === 'policy-changed' && before.by === now.by) {
    return { ...now, parts: { ...before.parts, ...now.parts } };
  }
  if (before.kind !== 'fragments-restored' || now.kind !== 'fragments-restored') return undefined;
  const isOfSameDevices = before.lostWith.join() === now.lostWith.join();
  if (!isOfSameDevices) return undefined;
  const isOfSameFile = before.file === now.file && before.fileCount === 1 && now.fileCount === 1;
  return {
    ...now,
    fileCount: isOfSameFile ? 1 : before.fileCount + now.fileCount,
    fragmentCount: before.fragmentCount + now.fragmentCount,
  };
}

function itemOf(row: unknown): ActivityItem {
  const { id, atMs, happening } = fieldsOf(row, ['id', 'atMs', 'happening']);
  return {
    id: uintOf(id, Number.MAX_SAFE_INTEGER - 1),
    atMs: uintOf(atMs, MAX_HYBRID_MS),
    happening: decodeHappening(happening),
  };
}
