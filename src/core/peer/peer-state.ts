// What a peer knows and its parts share: catalogue, links, holdings, outbox, and proved claims.

import { Catalogue } from '../catalogue/catalogue.ts';
import { ActRights } from '../catalogue/grants/act-rights.ts';
import { ActSet } from '../catalogue/grants/act-set.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { DEVICE_CLASSES, type DeviceClass } from '../model/device-class.ts';
import { fragmentCap, MAX_LOG_BYTES } from '../model/limits.ts';
import type { MembershipEffect } from '../membership/membership-effects.ts';
import type { PoolPolicy } from '../model/policy.ts';
import { Membership } from '../membership/membership.ts';
import type { MonotonicMs, WallMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import { Holdings } from '../placement/holdings.ts';
import {
  CHARTERED_PROTOCOL_VERSION,
  FEATURES,
  LEAVING_FEATURE,
  PROTOCOL_VERSION,
  type Refusal,
} from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import { EVICTABLE_FEATURE } from '../wire/greetings.ts';
import type { Candidate } from '../placement/placement.ts';
import { Anchoring } from './anchoring.ts';
import { Challenges } from './challenges.ts';
import { Doubts } from './doubts.ts';
import { FileRevisions } from './file-revisions.ts';
import { Handover } from './handover.ts';
import { Grace } from './grace.ts';
import { HandingOver } from './handing-over.ts';
import { LettingGo } from './letting-go.ts';
import { Moving } from './moving.ts';
import { movingViewOf } from './moving-view.ts';
import { Outbox } from './outbox.ts';
import { OwnHoldings } from './own-holdings.ts';
import { PeerLinks, type PeerLink } from './peer-links.ts';
import type { PeerEffect } from './peer-events.ts';
import { Pins } from './pins.ts';
import { proofBlocksOf } from './proof-ranges.ts';

export class PeerState {
  readonly self: DeviceId;
  /** Who may what. */
  readonly acts: ActSet;
  readonly rights: ActRights;
  readonly catalogue: Catalogue;
  readonly links: PeerLinks;
  readonly own = new OwnHoldings();
  readonly holdings = new Holdings({
    fragmentCountOf: (file) => this.catalogue.manifestOf(file)?.n ?? 'unknown',
    standingOf: (device) => {
      if (this.catalogue.hasLeft(device)) return 'left';
      return this.catalogue.isMember(device) ? 'member' : 'stranger';
    },
  });
  readonly challenges = new Challenges({
    canProve: (device) => this.links.get(device)?.features.has('challenge') === true,
    proofBlocksOf: (file) => {
      const manifest = this.catalogue.files().get(file);
      return manifest === undefined ? 1 : proofBlocksOf(manifest);
    },
  });
  /** Claims of others that this device has good reason not to believe. */
  readonly doubts = new Doubts({
    isClaimed: (device, { file, fragment }) => this.holdings.fragmentsOf(device, file).has(fragment),
    changed: (device, file) => {
      const files = file === undefined ? this.holdings.of(device)?.files.keys() : [file];
      for (const each of files ?? []) this.touch(each);
      // It may take fragments of any file again, or none.
      if (file === undefined) for (const each of [this.outbox, this.handover, this.handingOver]) each.touch();
      this.holdings.doubted();
    },
  });
  readonly outbox: Outbox;
  readonly handover: Handover;
  readonly lettingGo: LettingGo;
  readonly moving: Moving;
  readonly handingOver: HandingOver;
  readonly revisions = new FileRevisions();
  readonly grace = new Grace();
  readonly pins = new Pins();
  readonly membership: Membership;
  readonly anchoring = new Anchoring(this);
  /** By file that is rebuilt here, the bytes that it may stage. */
  readonly rebuilding = new Map<FileId, number>();
  /** Whether homes changed since the last look of those that await them. */
  haveHomesChanged = false;
  /** When the peer must be told of the time, as it last said. */
  dueMs: MonotonicMs = Infinity;

  /** How far the wall clock is ahead of the monotonic one, as last told. */
  #wallAheadMs = 0;
  /** By which members were last looked at. */
  #policy: PoolPolicy | undefined;
  /** Whether somebody may have joined or left since the membership was told. */
  #mayHaveNewMembers = true;

  constructor(self: DeviceId, epoch: number, ownClass: DeviceClass, isEvictable: boolean) {
    this.self = self;
    this.acts = new ActSet(self);
    this.rights = new ActRights(this.acts);
    const rules = {
      graceMs: (of: DeviceClass) => this.catalogue.policy.graceMs[of],
      isGraceSet: (of: DeviceClass) => this.catalogue.policy.isGraceSet[of],
    };
    this.membership = new Membership(self, ownClass, rules, isEvictable);
    this.catalogue = new Catalogue(self, MAX_LOG_BYTES, this.rights);
    this.links = new PeerLinks(epoch, () =>
      this.acts.charter === undefined ? PROTOCOL_VERSION : CHARTERED_PROTOCOL_VERSION,
    );
    this.outbox = new Outbox(
      {
        self,
        manifestOf: (file) => this.catalogue.files().get(file),
        ownOf: (file) => this.own.of(file),
        holdersOf: (file) => {
          const holders = this.durableHoldersOf(file);
          holders.delete(self);
          return holders;
        },
        candidates: (file) => this.candidates(file),
        isReachable: (device) => this.isReachable(device),
        anchorsOf: (manifest) => this.anchoring.ofManifest(manifest),
        isRebuilding: (file) => this.rebuilding.has(file),
      },
      this.challenges,
    );
    this.handover = new Handover(
      {
        self,
        manifestOf: (file) => this.catalogue.files().get(file),
        claimedHoldersOf: (file) => this.#claimedHoldersOf(file),
        takers: (file) => this.repairTakers(file),
        anchorsOf: (manifest) => this.anchoring.ofManifest(manifest),
      },
      this.challenges,
    );
    this.lettingGo = new LettingGo(self, this.challenges);
    const view = movingViewOf(this);
    this.moving = new Moving(view, this.lettingGo);
    this.handingOver = new HandingOver(view, this.lettingGo);
  }

  clockJumped(nowMs: MonotonicMs, wallMs: WallMs): void {
    const aheadMs = Math.round(wallMs - nowMs);
    this.grace.jumped(aheadMs - this.#wallAheadMs);
    this.lettingGo.clockJumped();
    this.moving.touch();
    this.handingOver.touch();
    this.membership.clockJumped(nowMs, wallMs);
    this.#wallAheadMs = aheadMs;
  }

  /** What time it is: before each input. `frozenMs`: how long this page was frozen until now, if known. */
  tell(nowMs: MonotonicMs, frozenMs = 0): void {
    const wallMs = this.wallAt(nowMs);
    this.catalogue.tell(wallMs);
    this.membership.tell(nowMs, wallMs, Math.max(nowMs - this.dueMs, frozenMs));
  }

  /** What follows for members from all of an input: the files of those whose state changed are touched. */
  lookAtMembers(): readonly MembershipEffect[] {
    if (this.#mayHaveNewMembers) this.membership.know(this.catalogue.members());
    this.#mayHaveNewMembers = false;
    const { policy } = this.catalogue;
    // The catalogue makes it anew whenever the wall clock moves over a date.
    if (policy !== this.#policy) {
      const before = this.#policy ?? policy;
      const hasChanged = (of: DeviceClass): boolean =>
        policy.graceMs[of] !== before.graceMs[of] || policy.isGraceSet[of] !== before.isGraceSet[of];
      if (DEVICE_CLASSES.some(hasChanged)) this.membership.rulesChanged();
      if (String(policy.anchors) !== String(before.anchors)) this.touch();
      this.#policy = policy;
    }
    const effects = this.membership.advance();
    for (const device of this.membership.takeChanged())
      for (const file of this.holdings.of(device)?.files.keys() ?? []) this.touch(file);
    return effects;
  }

  /** `from` does not take a fragment that it was offered. */
  refused(nowMs: MonotonicMs, from: DeviceId, place: Place, reason: Refusal): void {
    this.outbox.refused(nowMs, from, place, reason);
    this.handover.refused(nowMs, from, place, reason);
    this.moving.refused(nowMs, from, place, reason);
    this.handingOver.refused(nowMs, from, place, reason);
  }

  /** `from` asked for bytes: it is at work. */
  progressed(nowMs: MonotonicMs, from: DeviceId): void {
    this.outbox.progressed(nowMs, from);
    this.handover.progressed(nowMs, from);
    this.moving.progressed(nowMs, from);
    this.handingOver.progressed(nowMs, from);
  }

  linkDown(device: DeviceId): void {
    this.outbox.linkDown(device);
    this.handover.linkDown(device);
    this.moving.linkDown(device);
    this.handingOver.linkDown(device);
    this.membership.linkDown(device);
  }

  wallAt(nowMs: MonotonicMs): WallMs {
    return Math.round(nowMs + this.#wallAheadMs);
  }

  /** When the wall clock will show `wallMs`, unless it jumps before. */
  whenWallIs(wallMs: WallMs): MonotonicMs {
    return wallMs - this.#wallAheadMs;
  }

  /** Devices that are linked, and of which the fragments can be had. */
  linkedDevices(): DeviceId[] {
    return this.links.greetedDevices().filter((device) => !this.membership.isSilent(device));
  }

  isReachable(device: DeviceId): boolean {
    return device === this.self || (this.links.isGreeted(device) && !this.membership.isSilent(device));
  }

  /** The link with another device, while that device can be asked for something. */
  askable(device: DeviceId): PeerLink | undefined {
    return this.isReachable(device) ? this.links.get(device) : undefined;
  }

  holdersElsewhere(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = this.holdings.holdersOf(file);
    holders.delete(this.self);
    return holders;
  }

  holdersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = this.holdersElsewhere(file);
    const own = this.own.of(file);
    return own.size > 0 ? holders.set(this.self, own) : holders;
  }

  /** Those of `holdersOf` that are not gone. */
  durableHoldersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = this.holdersOf(file);
    for (const device of holders.keys()) if (this.membership.isGone(device)) holders.delete(device);
    return holders;
  }

  /** The same without claims that are doubted: what this device relies on, unless it asks for a proof. */
  countedHoldersOf(file: FileId): Map<DeviceId, FragmentSet> {
    return this.countedOf(file, this.durableHoldersOf(file));
  }

  /**
   * Those of these claims that are not doubted. Of a device that claims more than any is given all stay: it
   * still places the file, whether it is believed or not, or it is believed in nothing.
   */
  countedOf(file: FileId, holders: ReadonlyMap<DeviceId, FragmentSet>): Map<DeviceId, FragmentSet> {
    const counted = this.doubts.countedOf(file, holders);
    const k = this.catalogue.manifestOf(file)?.k ?? Infinity;
    for (const [device, claimed] of holders) if (claimed.size > fragmentCap(k)) counted.set(device, claimed);
    return counted;
  }

  /** Durable holders, with doubted claims of those devices that can prove them now. */
  #claimedHoldersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const provable = [...this.durableHoldersOf(file)].filter(([device]) => this.challenges.canProve(device));
    return new Map([...this.countedHoldersOf(file), ...provable]);
  }

  /** Other devices that take fragments of `file` from a repairer, and prove that they hold them. */
  repairTakers(file: FileId): Candidate[] {
    return this.candidates(file).filter(({ device }) => {
      const features = this.links.get(device)?.features;
      return features?.has('repair') === true && features.has('challenge');
    });
  }

  /** Whether fragments of `file`, or of any, are rebuilt or handed over here. */
  isRebuilding(file?: FileId): boolean {
    if (file === undefined) return this.rebuilding.size > 0;
    return this.rebuilding.has(file) || this.handover.has(file);
  }

  /** Whether the device said that it hands everything over, because it leaves. */
  isLeaving(device: DeviceId): boolean {
    if (device === this.self) return this.lettingGo.isLeaving;
    return this.links.get(device)?.features.has(LEAVING_FEATURE) === true;
  }

  /** What this device tells others that it can do, and what they must know of it. */
  features(): readonly string[] {
    const isEvictable = this.membership.isEvictable(this.self);
    return [
      ...FEATURES,
      ...(this.lettingGo.isLeaving ? [LEAVING_FEATURE] : []),
      ...(isEvictable ? [EVICTABLE_FEATURE] : []),
    ];
  }

  confirmedHoldersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const claimed = this.holdersOf(file);
    if (!this.outbox.has(file)) return this.doubts.countedOf(file, claimed);
    const proved = new Map(this.challenges.provedOf(file, claimed));
    const own = this.own.of(file);
    return own.size > 0 ? proved.set(this.self, own) : proved;
  }

  /** The file is placed: what is held besides `keep` is surplus. */
  outboxDone(file: FileId, keep: FragmentSet): PeerEffect {
    this.touch(file);
    const own = this.own.of(file);
    const k = this.catalogue.manifestOf(file)?.k ?? 1;
    const kept = this.pins.keptOf(file, keep, own, k);
    const surplus = [...own].filter((fragment) => !kept.has(fragment));
    return { kind: 'outbox-done', file, surplus };
  }

  /** This device keeps as much as it may of these files. */
  pinned(files: readonly FileId[]): [] {
    for (const file of this.pins.set(files)) this.touch(file);
    return [];
  }

  /** Devices that may take fragments of `file`, or of a new one, this one included. */
  candidates(file?: FileId): Candidate[] {
    const candidates: Candidate[] = [];
    if (!this.lettingGo.isLeaving) candidates.push({ device: this.self, freeBytes: Infinity });
    for (const [device, link] of this.links.greeted()) {
      const isCandidate = link.heardHoldings && this.catalogue.isMember(device);
      if (!isCandidate || this.isLeaving(device) || this.membership.isSilent(device)) continue;
      if (this.doubts.isPassedOver(device, file)) continue;
      candidates.push({ device, freeBytes: this.holdings.of(device)?.freeBytes ?? 0 });
    }
    return candidates;
  }

  /** The holders, reach or placing of `file` changed; without a file, those of all may have. */
  touch(file?: FileId): void {
    this.outbox.touch(file);
    this.handover.touch(file);
    this.moving.touch(file);
    this.handingOver.touch(file);
    this.pins.touch(file);
    this.haveHomesChanged = true;
    if (file === undefined) {
      this.#mayHaveNewMembers = true;
      this.revisions.touchAll();
    }
    // Others may name files that nobody stored: those are not remembered.
    else if (this.catalogue.files().has(file)) this.revisions.touch(file);
  }

  /**
   * The last known name of `file` was taken away: its fragments wait for another one. Returns those to drop
   * now; undefined when there is nothing to do now.
   */
  removed(nowMs: MonotonicMs, file: FileId): readonly number[] | undefined {
    const isOfAll = this.catalogue.manifestOf(file)?.access.kind === 'pool';
    const mayComeBack = isOfAll || this.catalogue.isHidden(file);
    const own = this.own.of(file);
    if (!mayComeBack || own.size === 0) return this.#stopPlacing(file) || own.size > 0 ? [...own] : undefined;
    this.#stopPlacing(file);
    this.grace.add(this.wallAt(nowMs), file);
    this.own.spare(file);
    return undefined;
  }

  /** `file` has a name, and may have had none before. */
  named(file: FileId): void {
    const manifest = this.catalogue.files().get(file);
    if (manifest !== undefined && this.grace.has(file)) {
      this.grace.delete(file);
      this.own.unspare(file);
      // It was being placed, and its row is still in the outbox.
      if (this.own.of(file).size > fragmentCap(manifest.k)) this.outbox.add(file);
    }
    this.touch(file);
  }

  /** The catalogue no longer knows `file`. Returns the fragments to drop, like `removed`. */
  lost(file: FileId): readonly number[] | undefined {
    const wasPlacing = this.#stopPlacing(file);
    this.grace.delete(file);
    this.own.gaveUp(file);
    this.holdings.fileLost(file);
    const surplus = [...this.own.of(file)];
    return wasPlacing || surplus.length > 0 ? surplus : undefined;
  }

  /** Returns whether it was being placed. */
  #stopPlacing(file: FileId): boolean {
    const wasPlacing = this.outbox.has(file);
    this.outbox.remove(file);
    this.lettingGo.forget(file);
    this.haveHomesChanged = true;
    this.revisions.forget(file);
    return wasPlacing;
  }
}
