// The peer: one device's part in its pool, as a machine. Events go in, one function decides, effects come
// out. It reads no clock, draws no random number, and holds no bytes of files. The browser, the Node peer and
// the simulator run it.
//
// It keeps the catalogue in step with the linked devices, tells them what this device holds and remembers
// what they hold, takes fragments that are placed here, places those of the outbox, and matches requests with
// answers.

import type { Catalogue } from '../catalogue/catalogue.ts';
import type { ActSet } from '../catalogue/grants/act-set.ts';
import type { Membership } from '../membership/membership.ts';
import type { DeviceClass } from '../model/device-class.ts';
import type { BlockHash, DeviceId, FileId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import type { Holdings } from '../placement/holdings.ts';
import type { PoolRepairView } from '../repair/repair-plan.ts';
import type { Message } from '../wire/messages.ts';
import { ActsExchange, isOfActs } from './acts-exchange.ts';
import { AddingEntries } from './adding-entries.ts';
import { CatalogueSync } from './catalogue-sync.ts';
import type { Doubts } from './doubts.ts';
import { Foretelling } from './foretelling.ts';
import { GivingBack } from './giving-back.ts';
import type { Grace } from './grace.ts';
import type { HandingOverProgress } from './handing-over.ts';
import { Hearing } from './hearing.ts';
import { HoldingsTelling } from './holdings-telling.ts';
import { Judging } from './judging.ts';
import type { OutboxProgress } from './placing.ts';
import { Offers } from './offers.ts';
import type { OwnHoldings } from './own-holdings.ts';
import { advanceMoves, leaving } from './moves.ts';
import { LinkLife } from './link-life.ts';
import { inControl, ofMembership, send } from './peer-effects.ts';
import type { PeerEffect, PeerInput } from './peer-events.ts';
import { PeerState } from './peer-state.ts';
import type { Anchoring } from './anchoring.ts';
import { Pinning, pinningViewOf } from './pinning.ts';
import type { Pins } from './pins.ts';
import { Prefetching } from './prefetching.ts';
import { RepairPart } from './repair-part.ts';
import { Requests } from './requests.ts';
import { Taking } from './taking.ts';
import { VouchingPart } from './vouching-part.ts';

export class Peer {
  /** The pool as repair sees it. */
  readonly repairView: PoolRepairView;
  readonly anchoring: Anchoring;
  readonly own: OwnHoldings;
  readonly grace: Grace;
  readonly doubts: Pick<Doubts, 'has' | 'contested' | 'countedPacked' | 'isDoubted' | 'isDistrusted'>;
  readonly pins: Pick<Pins, 'has'>;
  readonly #state: PeerState;
  readonly #telling: HoldingsTelling;
  readonly #requests = new Requests();
  readonly #sync: CatalogueSync;
  readonly #adding: AddingEntries;
  readonly #acts: ActsExchange;
  readonly #hearing: Hearing;
  readonly #vouching: VouchingPart;
  readonly #judging: Judging;
  readonly #taking: Taking;
  readonly #repair: RepairPart;
  readonly #pinning: Pinning;
  readonly #prefetching = new Prefetching();
  readonly #offers: Offers;
  readonly #givingBack: GivingBack;
  readonly #linkLife: LinkLife;
  readonly #foretelling = new Foretelling((device) => this.isReachable(device));

  constructor(self: DeviceId, epoch: number, ownClass: DeviceClass = 'laptop', isEvictable = false) {
    this.#state = new PeerState(self, epoch, ownClass, isEvictable);
    const { catalogue, links, own } = this.#state;
    this.own = own;
    this.grace = this.#state.grace;
    this.doubts = this.#state.doubts;
    this.anchoring = this.#state.anchoring;
    this.pins = this.#state.pins;
    this.#telling = new HoldingsTelling(own, links);
    this.#sync = new CatalogueSync(catalogue);
    this.#adding = new AddingEntries(this.#state, this.#sync, this.#prefetching);
    this.#acts = new ActsExchange(this.#state, {
      greet: (device, link) => this.#linkLife.greeted(device, link),
      changed: (nowMs) => this.#adding.actsChanged(nowMs),
      complete: () => this.#adding.askAll(),
    });
    this.#hearing = new Hearing(this.#state, this.#sync);
    this.#vouching = new VouchingPart(this.#state, this.#sync, this.#hearing);
    this.#judging = new Judging(this.#state);
    this.#givingBack = new GivingBack(this.#state);
    this.#repair = new RepairPart(this.#state);
    this.#taking = new Taking(own, this.#repair);
    this.repairView = this.#repair.view(this.#taking);
    this.#pinning = new Pinning(pinningViewOf(this.#state, this.#taking));
    const parts = { telling: this.#telling, taking: this.#taking, prefetching: this.#prefetching };
    this.#offers = new Offers(this.#state, parts);
    this.#linkLife = new LinkLife(this.#state, {
      ...parts,
      sync: this.#sync,
      vouching: this.#vouching,
      judging: this.#judging,
      requests: this.#requests,
      foretelling: this.#foretelling,
    });
  }

  get catalogue(): Catalogue {
    return this.#state.catalogue;
  }

  /** Who may what. Before the first link, its charter may be followed. */
  get acts(): ActSet {
    return this.#state.acts;
  }

  get holdings(): Holdings {
    return this.#state.holdings;
  }

  get membership(): Membership {
    return this.#state.membership;
  }

  /** Whether what the device holds no longer counts, because nobody heard of it for too long. */
  isGone(device: DeviceId): boolean {
    return this.#state.membership.isGone(device);
  }

  isReachable(device: DeviceId): boolean {
    return this.#state.isReachable(device);
  }

  reachableDevices(): DeviceId[] {
    return [this.#state.self, ...this.#state.linkedDevices()];
  }

  /**
   * Known holders of a file, this device included: for a file in the outbox those that proved it, for others
   * those that claim it and are not doubted. Devices that left are not included.
   */
  confirmedHoldersOf(file: FileId): Map<DeviceId, FragmentSet> {
    return this.#state.confirmedHoldersOf(file);
  }

  /** Devices that claim some of a file, this one included, without those that left. */
  holdersOf(file: FileId): Map<DeviceId, FragmentSet> {
    return this.#state.holdersOf(file);
  }

  /** Whether there is anything that a pull must not fetch as well. */
  get isPrefetching(): boolean {
    return this.#prefetching.bytes > 0;
  }

  /** What `device` was asked for under the request `id`, if that is a block and still awaited. */
  awaitedBlock(device: DeviceId, id: number): BlockHash | undefined {
    return this.#requests.awaitedBlock(device, id);
  }

  inOutbox(file: FileId): boolean {
    return this.#state.outbox.has(file);
  }

  /** Changes whenever reach, margin, holders or outbox of `file` may have changed. */
  revisionOf(file: FileId): string {
    return this.#state.revisions.of(file);
  }

  /** How far this device is with handing everything over. */
  handingOver(): HandingOverProgress {
    const { handingOver, outbox } = this.#state;
    return handingOver.progress((file) => (outbox.progressOf(file)?.pendingCount ?? 0) > 0);
  }

  outboxProgress(file: FileId): OutboxProgress | undefined {
    return this.#state.outbox.progressOf(file);
  }

  handle(nowMs: MonotonicMs, input: PeerInput): PeerEffect[] {
    if (input.kind === 'clock-jumped') this.#state.clockJumped(nowMs, input.wallMs);
    this.#state.tell(nowMs, input.kind === 'woke' ? input.frozenMs : 0);
    const effects = [...this.#decide(nowMs, input), ...this.#acts.advance(nowMs)];
    effects.push(...ofMembership(this.#state.lookAtMembers()));
    for (const effect of this.#state.outbox.advance(nowMs)) {
      if (effect.kind === 'send') effects.push(send(effect.to, effect.message));
      else effects.push(this.#state.outboxDone(effect.file, effect.keep));
    }
    effects.push(...this.#repair.advance(nowMs), ...advanceMoves(this.#state, this.#pinning, nowMs));
    effects.push(...this.#state.challenges.start());
    effects.push(...this.#toldOver());
    if (this.grace.takeNew()) this.#telling.hurry(nowMs);
    effects.push(...this.#givingBack.advance(nowMs, this.#taking.promisedBytes));
    for (const fetch of this.#taking.start()) effects.push({ kind: 'pull', ...fetch });
    effects.push(...this.#prefetching.trim(nowMs, this.#offers.roomBytes()));
    effects.push(...this.#prefetching.start((device) => this.isReachable(device)));
    effects.push(...this.#telling.changes(nowMs));
    effects.push(...this.#vouching.advance(nowMs, effects));
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    this.#state.dueMs = Math.min(
      this.#requests.nextDeadlineMs(),
      this.#state.outbox.nextDeadlineMs(),
      this.#state.handover.nextDeadlineMs(),
      this.#state.challenges.nextDeadlineMs(),
      this.#state.moving.nextDeadlineMs(),
      this.#state.handingOver.nextDeadlineMs(),
      this.#prefetching.nextDeadlineMs(),
      this.#state.whenWallIs(this.catalogue.nextDeadlineMs()),
      this.#judging.nextDeadlineMs(),
      this.#telling.nextDeadlineMs(),
      this.#vouching.nextDeadlineMs(),
      this.#state.whenWallIs(this.grace.nextDeadlineMs()),
      this.membership.nextDeadlineMs(),
      this.#acts.nextDeadlineMs(),
      this.#pinning.nextDeadlineMs(),
    );
    return this.#state.dueMs;
  }

  #decide(nowMs: MonotonicMs, input: PeerInput): PeerEffect[] {
    switch (input.kind) {
      case 'link-up':
        return this.#state.links.up(nowMs, input.device);
      case 'link-down':
        if (input.isLeft === true) this.membership.goodbye(input.device);
        return this.#linkLife.down(nowMs, input.device);
      case 'message':
        return this.#message(nowMs, input.from, input.message, input.payload);
      case 'entries-checked':
        return this.#adding.checked(nowMs, input);
      case 'published':
        return this.#adding.published(nowMs, input.entries);
      case 'acts-checked':
        return this.#acts.checked(nowMs, input);
      case 'keys-looked':
        return this.#acts.keysLooked(input.isMissing);
      case 'acts-written':
        return this.#acts.written(nowMs, input.acts);
      case 'held':
        return this.#adding.held(nowMs, input.fragments);
      case 'unheld':
        this.own.delete(input.file, input.fragment);
        this.#state.touch(input.file);
        return [];
      case 'pins':
        return this.#state.pinned(input.files);
      case 'space':
        return this.#givingBack.measured(input.freeBytes, this.#prefetching);
      case 'rebuilding':
      case 'rebuilt':
      case 'repair-over':
        return this.#repair.told(nowMs, input);
      case 'leaving':
        return leaving(this.#state, input.isLeaving);
      case 'storage-gone':
        return this.#telling.nothingLeft();
      case 'outbox':
        this.#state.outbox.add(input.file, input.early?.homes);
        if (input.early !== undefined) this.#foretelling.published(input.early.job, input.file);
        this.#state.touch(input.file);
        return this.catalogue.isRemoved(input.file) ? this.#adding.removed(nowMs, input.file) : [];
      case 'foretell':
        return inControl(this.#foretelling.tell(input.job, input.to, input.blocks));
      case 'soon-over':
        return inControl(this.#foretelling.over(input.job));
      case 'abandoned':
        return inControl(this.#foretelling.abandoned(input.job, this.#state.links.greetedDevices()));
      case 'prefetched':
        return this.#prefetching.fetched(nowMs, input.from, input.job, input.block, input.outcome);
      case 'pulling':
        this.#prefetching.pulling(input.blocks);
        return [];
      case 'pulled':
        this.#prefetching.held(input.blocks ?? []);
        this.#pinning.ended(nowMs, input.place.file, input.outcome === 'held');
        return this.#offers.pulled(input.place, input.from, input.outcome);
      case 'request':
        return inControl(this.#requests.wanted(nowMs, input, this.#state.askable(input.to)));
      case 'abandon':
        return inControl(this.#requests.abandon(nowMs, input.ticket));
      case 'lane-read':
        this.#state.progressed(nowMs, input.from);
        return [];
      case 'served':
        this.#state.links.get(input.to)?.serving.delete(input.id);
        if (input.failure === undefined) return [];
        return [send(input.to, { kind: 'failed', id: input.id, reason: input.failure })];
      case 'not-given':
      case 'audited':
      case 'round-ready':
      case 'challenge-ready':
      case 'proof-made':
        return this.#judging.told(nowMs, input);
      case 'relay':
      case 'alive-signed':
      case 'alive-checked':
        this.membership.told(input);
        return [];
      case 'freezing':
        return this.membership.speaking().map((device) => send(device, { kind: 'goodbye' }));
      case 'store-tried':
        return this.#vouching.storeTried(input.works);
      case 'woke':
      case 'clock-jumped':
        return [];
      case 'tick':
        return [
          ...inControl(this.#requests.tick(nowMs)),
          ...this.#judging.judge(nowMs, this.#state.challenges.tick(nowMs)),
          ...this.#telling.pulses(nowMs, (device) => this.#sync.digestFor(device)),
          ...this.#judging.withheld(nowMs),
        ];
    }
  }

  #message(
    nowMs: MonotonicMs,
    from: DeviceId,
    message: Message,
    payload: Uint8Array<ArrayBuffer>,
  ): PeerEffect[] {
    const link = this.#state.links.get(from);
    if (link === undefined || message.kind === 'lane') return []; // what carries blocks decides nothing
    if (message.kind === 'hello') return this.#acts.hello(nowMs, from, link, message);
    if (isOfActs(message)) return this.#acts.heard(from, link, message);
    if (!link.greeted) return this.#acts.notGreeted(from, link);
    switch (message.kind) {
      case 'features':
        link.features = new Set(message.features);
        this.#state.touch();
        this.#vouching.speaks(nowMs, from, link.features);
        return [];
      case 'probe':
      case 'alive':
      case 'goodbye':
        this.membership.heard(from, message);
        return [];
      case 'sync': {
        const answer = this.#sync.answer(from, message);
        return answer === undefined ? [] : [send(from, answer)];
      }
      case 'entries':
        return [{ kind: 'check-entries', from, entries: message.entries, more: message.more }];
      case 'holdings':
        if (message.base > 0) this.#vouching.works(nowMs, from);
        return this.#hearing.holdings(nowMs, from, link, message);
      case 'holdings-wanted':
        return this.#telling.snapshotFor(from, link);
      case 'pulse':
        return this.#hearing.pulse(from, message);
      case 'vouch-wanted':
      case 'vouch':
        return this.#vouching.heard(nowMs, from, message);
      case 'place':
        return this.#offers.place(from, link, message.places);
      case 'refuse':
        this.#state.refused(nowMs, from, message.place, message.reason);
        return [];
      case 'release':
        this.#judging.release(nowMs, from, message.place);
        return [];
      case 'soon':
        return this.#offers.soon(nowMs, from, message.job, message.blocks);
      case 'soon-over':
        return this.#prefetching.over(from, message.job);
      case 'get-index':
      case 'get-block':
      case 'get-fragments':
        this.#state.progressed(nowMs, from);
        return this.#state.links.serve(from, link, message);
      case 'index':
      case 'block':
      case 'fragments':
        this.#vouching.works(nowMs, from);
        return inControl(this.#requests.settle(nowMs, from, message.id, { kind: message.kind, payload }));
      case 'failed':
        return inControl(this.#requests.settle(nowMs, from, message.id, message));
      case 'challenge':
        return this.#state.links.prove(from, link, message, () =>
          this.#judging.provable(nowMs, from, message.asks),
        );
      case 'proof':
        if (message.digests.some((digest) => digest !== undefined)) this.#vouching.works(nowMs, from);
        return this.#judging.proof(nowMs, from, message);
      case 'cancel':
        return link.serving.has(message.id) ? [{ kind: 'stop-serving', to: from, id: message.id }] : [];
    }
  }

  #toldOver(): PeerEffect[] {
    if (!this.#state.haveHomesChanged) return [];
    this.#state.haveHomesChanged = false;
    return inControl(this.#foretelling.advance((file, device) => this.#state.outbox.awaits(file, device)));
  }
}
