// A device's part in the repairs of its pool, apart from moving bytes: what repair sees of the pool, which
// files are being rebuilt here, and the handover of what was rebuilt.
//
// Invariant: while a file is rebuilt here, this device takes no fragments of it from others. Otherwise those
// and its own share could exceed the cap together.

import type { Manifest } from '../catalogue/manifest.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import { NO_ANCHORS } from '../placement/anchors.ts';
import type { Handover } from './handover.ts';
import type { PoolRepairView } from '../repair/repair-plan.ts';
import type { Refusal } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import type { PeerState } from './peer-state.ts';
import type { PeerEffect, RepairTold } from './peer-events.ts';
import { send } from './peer-effects.ts';
import type { Taking } from './taking.ts';

export class RepairPart {
  readonly #state: PeerState;
  readonly #handover: Handover;

  constructor(state: PeerState) {
    this.#state = state;
    this.#handover = state.handover;
  }

  told(nowMs: MonotonicMs, told: RepairTold): PeerEffect[] {
    switch (told.kind) {
      case 'rebuilding':
        this.#state.rebuilding.set(told.file, told.bytes);
        break;
      case 'rebuilt':
        this.#handover.add(nowMs, told.file, told.homes);
        break;
      case 'repair-over':
        this.#state.rebuilding.delete(told.file);
        this.#state.moving.touch();
        this.#state.outbox.touch(told.file);
        this.#handover.remove(told.file);
        break;
    }
    return [];
  }

  advance(nowMs: MonotonicMs): PeerEffect[] {
    return this.#handover
      .advance(nowMs)
      .map((effect) => (effect.kind === 'send' ? send(effect.to, effect.message) : effect));
  }

  /** Bytes of the offered space that repairs may use for staging. */
  get stagedBytes(): number {
    let bytes = 0;
    for (const each of this.#state.rebuilding.values()) bytes += each;
    return bytes;
  }

  /**
   * Why this device takes nothing of `place` that `from` offers; undefined if it may. The storer places its
   * file; another member only what no reachable device has besides itself, those that leave not counted,
   * nor who claims more than any device is given, nor, for an anchor, further ones, which have the same.
   * Otherwise others could fill this device's share of a file with fragments that they never give.
   */
  refusalOf(from: DeviceId, { file, fragment }: Place, manifest: Manifest): Refusal | undefined {
    if (this.#state.rebuilding.has(file)) return 'busy';
    if (this.#state.lettingGo.isLeaving) return 'space';
    if (from === manifest.by) return this.#isOverQuota(from, file) ? 'space' : undefined;
    if (!this.#state.catalogue.isMember(from)) return 'failed';
    const { self, membership, doubts } = this.#state;
    const holders = this.#state.holdersOf(file);
    const anchors = this.#state.anchoring.ofManifest(manifest);
    // Its storer has just published it, and has not told what it holds.
    if (holders.size === 0 && !membership.isGone(manifest.by)) return 'failed';
    // Whether a device that cannot be reached is gone, two devices may see differently for a while.
    for (const [device, held] of this.#state.countedOf(file, holders))
      if (
        device !== self &&
        device !== from &&
        held.has(fragment) &&
        (device === manifest.by || held.size <= fragmentCap(manifest.k)) &&
        this.#state.isReachable(device) &&
        !this.#state.isLeaving(device) &&
        !(anchors.has(self) && anchors.has(device))
      ) {
        doubts.contested.add(device, { file, fragment });
        return 'busy';
      }
    return undefined;
  }

  /**
   * Whether the policy keeps a storer from placing a file. What others hold already, and what is repaired or
   * moved, stays: a limit that is set later pushes nobody's files out.
   */
  #isOverQuota(storer: DeviceId, file: FileId): boolean {
    const { catalogue, holdings, links } = this.#state;
    const { storeBytes, giveBytes = 0 } = catalogue.policy;
    if (storeBytes !== undefined && catalogue.stored.isBeyond(file, storeBytes)) return true;
    const told = links.get(storer)?.heardHoldings === true ? holdings.of(storer) : undefined;
    return told !== undefined && told.heldBytes + told.freeBytes < giveBytes;
  }

  /** See RepairView. */
  #askedAgain(file: FileId): MonotonicMs | undefined {
    const { doubts } = this.#state;
    let lastMs: MonotonicMs | undefined;
    for (const [device, fragments] of this.#state.holdersOf(file)) {
      if (!doubts.has(device) || !this.#state.isReachable(device)) continue;
      const doubted = [...fragments].find((fragment) => doubts.isDoubted(device, { file, fragment }));
      if (doubted === undefined) continue;
      doubts.contested.add(device, { file, fragment: doubted });
      lastMs = Math.max(lastMs ?? -Infinity, doubts.givenMs(device));
    }
    return lastMs;
  }

  view(taking: Taking): PoolRepairView {
    const { self, catalogue, membership, own } = this.#state;
    return {
      self,
      files: () => catalogue.files(),
      holdersOf: (file) => this.#state.countedOf(file, this.#state.holdersOf(file)),
      isGone: (device) => membership.isGone(device),
      isReachable: (device) => this.#state.isReachable(device),
      isPlacing: (file) => this.#state.outbox.has(file),
      anchorsOf: (file) => {
        const manifest = catalogue.files().get(file);
        return manifest === undefined ? NO_ANCHORS : this.#state.anchoring.ofManifest(manifest);
      },
      askedAgain: (file) => this.#askedAgain(file),
      meetsRarely: () => membership.meetsRarely,
      share: () => catalogue.policy.repairShare,
      candidates: (file) => {
        const takers = this.#state.repairTakers(file);
        if (taking.countOf(file) > 0 || this.#state.lettingGo.isLeaving) return takers;
        const freeBytes = own.roomBytes - this.stagedBytes - taking.promisedBytes;
        return [...takers, { device: self, freeBytes: Math.max(0, freeBytes) }];
      },
    };
  }
}
