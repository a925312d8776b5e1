// Notes what happens in the pool: who is gone and comes back, who leaves, what others remove, which settings
// change, what repair restored.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import { UNDATED_MS } from '../../core/catalogue/manifest.ts';
import { Renewals } from '../../core/catalogue/renewals.ts';
import type { CheckedEntry } from '../../core/catalogue/check.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import type { WallMs } from '../../core/model/time.ts';
import type { Membership } from '../../core/membership/membership.ts';
import type { Clock } from '../../core/ports.ts';
import type { ActivityList } from './activity-list.ts';
import { MAX_LOST_WITH } from './happening.ts';

/**
 * A device that changes a name takes the old one away this soon after it gave the new one, ms. A person who
 * adds equal bytes and then removes the old name takes longer: that is a removal.
 */
const RENAMED_WITHIN_MS = 3_000;

/** What it looks at of the peer. */
export interface PoolView {
  readonly catalogue: Pick<
    Catalogue,
    'members' | 'nameOf' | 'namesOf' | 'listedFile' | 'manifestOf' | 'listed'
  >;
  readonly membership: Pick<Membership, 'revision' | 'of'>;
}

interface ActivityWatchPorts {
  readonly clock: Clock;
  readonly self: DeviceId;
  readonly list: ActivityList;
}

export class ActivityWatch {
  readonly #ports: ActivityWatchPorts;
  /** Since when each member that is not reachable has been away. */
  readonly #awaySince = new Map<DeviceId, WallMs>();
  #seenRevision: number | undefined;

  constructor(ports: ActivityWatchPorts) {
    this.#ports = ports;
  }

  /** The states of members may have changed. */
  look({ membership, catalogue }: PoolView): void {
    if (membership.revision === this.#seenRevision) return;
    this.#seenRevision = membership.revision;
    const { list, clock, self } = this.#ports;
    const nowMs = clock.wallMs();
    for (const device of catalogue.members()) {
      if (device === self) continue;
      const { state, sinceMs } = membership.of(device);
      const goneSinceMs = list.goneSinceMs(device);
      if (state === 'gone' && goneSinceMs === undefined) {
        const awaySinceMs = this.#awaySince.get(device) ?? sinceMs;
        list.add(nowMs, { kind: 'device-gone', device, awaySinceMs });
      } else if (state !== 'gone' && goneSinceMs !== undefined) {
        list.add(nowMs, { kind: 'device-back', device, awayForMs: Math.max(0, nowMs - goneSinceMs) });
      }
      if (state === 'reachable') this.#awaySince.delete(device);
      else if (!this.#awaySince.has(device)) this.#awaySince.set(device, goneSinceMs ?? sinceMs);
    }
  }

  /** Entries that were new here, from this device or another. What was before the list began is no news. */
  entries(entries: readonly CheckedEntry[], { catalogue }: Pick<PoolView, 'catalogue'>): void {
    const { clock, list, self } = this.#ports;
    const nowMs = clock.wallMs();
    const beganAtMs = list.beganAtMs(nowMs);
    const removals = new Map<FileId, DeviceId>();
    for (const { entry } of entries) {
      const { deviceId, body, at } = entry;
      if (at.ms < beganAtMs) continue;
      const atMs = Math.min(at.ms, nowMs);
      if (body.kind === 'leave' && deviceId !== self)
        list.add(atMs, { kind: 'device-left', device: deviceId });
      if (body.kind === 'policy') list.add(atMs, { kind: 'policy-changed', by: deviceId, parts: body.parts });
      const isRemoval = body.kind === 'remove' || body.kind === 'unname';
      if (isRemoval && deviceId !== self && !isRenamed(catalogue, body.file, deviceId, at.ms))
        removals.set(body.file, deviceId);
    }
    // The last name of a content is removed together with the content's own id, which was no name any more.
    const contents = [...removals.keys()].flatMap((file) => {
      const content = catalogue.nameOf(file)?.contentId;
      return content === undefined || content === file ? [] : [content];
    });
    for (const content of contents) removals.delete(content);
    const renewals = new Renewals(catalogue);
    // What was only stored anew under other keys is there as before.
    const isRemoved = (file: FileId, by: DeviceId): boolean =>
      catalogue.nameOf(file)?.atMs !== UNDATED_MS && renewals.of(file, by) === undefined;
    for (const [file, by] of removals)
      if (isRemoved(file, by)) list.add(nowMs, { kind: 'file-removed', file, fileCount: 1, by });
  }

  /** Repair restored fragments of a file that were lost with these devices. */
  repaired(file: FileId, fragmentCount: number, lostWith: readonly DeviceId[]): void {
    const { clock, list } = this.#ports;
    const nowMs = clock.wallMs();
    const sinceMs = lostWith.flatMap(
      (device) => list.goneSinceMs(device) ?? this.#awaySince.get(device) ?? [],
    );
    list.add(nowMs, {
      kind: 'fragments-restored',
      file,
      fileCount: 1,
      fragmentCount,
      lostWith: lostWith.slice(0, MAX_LOST_WITH).toSorted(),
      awayForMs: sinceMs[0] === undefined ? 0 : Math.max(0, nowMs - sinceMs[0]),
    });
  }
}

/** Whether who took this name away gave the same bytes another one in the same moment. */
function isRenamed(
  catalogue: PoolView['catalogue'],
  file: FileId,
  by: DeviceId,
  removedAtMs: WallMs,
): boolean {
  const content = catalogue.nameOf(file)?.contentId ?? file;
  return catalogue.namesOf(content).some((fileId) => {
    const name = catalogue.listedFile(fileId);
    return name?.by === by && Math.abs(name.publishedAt.ms - removedAtMs) <= RENAMED_WITHIN_MS;
  });
}
