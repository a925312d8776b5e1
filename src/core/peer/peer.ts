// The peer: one device's part in its pool, as a machine. Events go in, one function decides, effects come out; it reads
// no clock, draws no random number, and holds no bytes of files. The browser, the Node peer and the simulator run it.
//
// It keeps the catalogue in step with the linked devices, tells them what this device holds and remembers what they hold,
// takes fragments that are placed here, places those of the outbox, and matches requests with answers.

import type { CheckedEntry } from '../catalogue/check.ts';
import { Catalogue, type AddResult } from '../catalogue/catalogue.ts';
import type { BlockHash, DeviceId, EntryId, FileId, JobId } from '../model/ids.ts';
import { heldBytesOf, type Geometry } from '../model/geometry.ts';
import { MAX_AHEAD_MS, MAX_CHALLENGE_BLOCKS, MAX_OPEN_PROOFS, MAX_OPEN_REQUESTS } from '../model/limits.ts';
import type { Manifest } from '../catalogue/manifest.ts';
import type { FragmentSet } from '../placement/fragment-set.ts';
import { Holdings, type HoldingsDelta } from '../placement/holdings.ts';
import { planPlacement, type Candidate } from '../placement/placement.ts';
import { FEATURES, PROTOCOL_VERSION, type Message, type Place, type Refusal } from '../wire/messages.ts';
import { CatalogueSync } from './catalogue-sync.ts';
import { Doubts } from './doubts.ts';
import { Foretelling, type ForetellEffect } from './foretelling.ts';
import { Removals, type Misdeed } from './misdeeds.ts';
import { Challenges, type Verdict } from './challenges.ts';
import { Outbox, type OutboxProgress, type OutboxView } from './outbox.ts';
import { OwnHoldings } from './own-holdings.ts';
import type { PeerEffect, PeerInput } from './peer-events.ts';
import { Prefetching } from './prefetching.ts';
import { proofBlocksOf } from './proof-ranges.ts';
import { Releasing } from './releasing.ts';
import { Requests, type Ask, type RequestEffect } from './requests.ts';
import { Taking } from './taking.ts';

/** Where the fragments of a file are to go that is not published yet. */
export interface PlannedHomes {
  /** By fragment, this device's own share included; those that fit nowhere are left out. */
  readonly homes: ReadonlyMap<number, DeviceId>;
  /** The other devices among them that can be foretold their blocks: their share fits twice. */
  readonly early: ReadonlySet<DeviceId>;
}

interface Link {
  /** Whether the other side said hello, in our protocol and epoch. It is told nothing but our hello before. */
  greeted: boolean;
  /** What the other side can do beside what the protocol promises. */
  features: ReadonlySet<string>;
  /** Version of our holdings as sent on this link. */
  sentVersion: number;
  /** Whether it told us its holdings on this link: until then we do not know its free space. */
  heardHoldings: boolean;
  readonly serving: Set<number>;
  /** Challenges of the other side that are being answered. */
  readonly proving: Set<number>;
  pulseAtMs: number;
}

/** How often linked devices compare notes, ms: heals whatever was missed, and costs some 100 bytes. */
const PULSE_MS = 5_000;

/** Holdings that change within this, ms, are told together: small files arrive by the hundred a second. */
const TELL_GAP_MS = 20;

export class Peer {
  readonly catalogue: Catalogue;
  readonly holdings = new Holdings({
    fragmentCountOf: (file) => {
      const manifest = this.catalogue.files().get(file);
      return manifest?.n ?? (this.catalogue.isRemoved(file) ? 'removed' : 'unknown');
    },
    standingOf: (device) => {
      if (this.catalogue.hasLeft(device)) return 'left';
      return this.catalogue.isMember(device) ? 'member' : 'stranger';
    },
  });
  readonly own = new OwnHoldings();
  readonly #self: DeviceId;
  readonly #epoch: number;
  readonly #links = new Map<DeviceId, Link>();
  readonly #requests = new Requests();
  readonly #challenges: Challenges;
  readonly #outbox: Outbox;
  /** Fragments that this device is to give up once another has proved that it holds them too. */
  readonly #releasing = new Releasing();
  readonly #sync: CatalogueSync;
  #nextTellMs = 0;
  readonly #revisions = new Map<FileId, number>();
  #reachRevision = 0;
  #haveHomesChanged = false;
  readonly #removals = new Removals();
  readonly #doubts = new Doubts();
  readonly #taking = new Taking(this.own);
  readonly #prefetching = new Prefetching();
  readonly #foretelling = new Foretelling((device) => this.isReachable(device));

  constructor(self: DeviceId, epoch: number) {
    this.#self = self;
    this.#epoch = epoch;
    this.catalogue = new Catalogue(self);
    this.#sync = new CatalogueSync(this.catalogue);
    this.#challenges = new Challenges({
      canProve: (device) => this.#links.get(device)?.features.has('challenge') === true,
      proofBlocksOf: (file) => {
        const manifest = this.catalogue.files().get(file);
        return manifest === undefined ? 1 : proofBlocksOf(manifest);
      },
    });
    const view: OutboxView = {
      self,
      manifestOf: (file) => this.catalogue.files().get(file),
      ownOf: (file) => this.own.of(file),
      holdersOf: (file) => this.#holdersElsewhere(file),
      candidates: () => this.#candidates(),
      isReachable: (device) => this.isReachable(device),
    };
    this.#outbox = new Outbox(view, this.#challenges);
  }

  isReachable(device: DeviceId): boolean {
    return device === this.#self || this.#links.get(device)?.greeted === true;
  }

  reachableDevices(): DeviceId[] {
    return [this.#self, ...this.#greetedDevices()];
  }

  /**
   * Holders of a file, this device included, as far as it is known: of a file in the outbox those that proved it, of others those
   * that say so. Those that left are not among them.
   */
  confirmedHoldersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const claimed = this.holdersOf(file);
    if (!this.#outbox.has(file)) return claimed;
    const proved = new Map(this.#challenges.provedOf(file, claimed));
    const own = this.own.of(file);
    return own.size > 0 ? proved.set(this.#self, own) : proved;
  }

  /** Devices that say they hold some of a file, this one included; those that left are not among them. */
  holdersOf(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = this.#holdersElsewhere(file);
    const own = this.own.of(file);
    return own.size > 0 ? holders.set(this.#self, own) : holders;
  }

  /** Whether there is anything that a pull must not fetch as well. */
  get isPrefetching(): boolean {
    return this.#prefetching.bytes > 0;
  }

  inOutbox(file: FileId): boolean {
    return this.#outbox.has(file);
  }

  /** Another text whenever reach, margin, holders or outbox of `file` may have changed. */
  revisionOf(file: FileId): string {
    return `${this.#reachRevision}/${this.#revisions.get(file) ?? 0}`;
  }

  outboxProgress(file: FileId): OutboxProgress | undefined {
    return this.#outbox.progressOf(file);
  }

  /** As the outbox would place a file of this salt and geometry now. */
  planHomes(file: Pick<Manifest, keyof Geometry | 'salt'>): PlannedHomes {
    const candidates = this.#candidates();
    const { salt, k, n } = file;
    const fragments = Array.from({ length: n }, (_, fragment) => fragment);
    const fragmentBytes = heldBytesOf(file);
    const homes = planPlacement({ salt, k, fragments, fragmentBytes, candidates, held: new Map() });
    const early = candidates.filter(({ device, freeBytes }) => {
      const shareBytes = [...homes.values()].filter((home) => home === device).length * fragmentBytes;
      return device !== this.#self && shareBytes > 0 && 2 * shareBytes <= freeBytes;
    });
    return { homes, early: new Set(early.map(({ device }) => device)) };
  }

  handle(nowMs: number, input: PeerInput): PeerEffect[] {
    this.catalogue.tell(nowMs);
    const effects = this.#decide(nowMs, input);
    for (const effect of this.#outbox.advance(nowMs)) {
      if (effect.kind === 'send') effects.push(send(effect.to, effect.message));
      else effects.push(this.#outboxDone(effect.file, effect.keep));
    }
    effects.push(...this.#challenges.start());
    effects.push(...this.#toldOver());
    for (const fetch of this.#taking.start()) effects.push({ kind: 'pull', ...fetch });
    effects.push(...this.#prefetching.trim(nowMs, this.#roomBytes()));
    effects.push(...this.#prefetching.start((device) => this.isReachable(device)));
    effects.push(...this.#tellHoldings(nowMs));
    return effects;
  }

  nextDeadlineMs(): number {
    let next = Math.min(
      this.#requests.nextDeadlineMs(),
      this.#outbox.nextDeadlineMs(),
      this.#challenges.nextDeadlineMs(),
      this.#prefetching.nextDeadlineMs(),
      this.catalogue.nextDeadlineMs(),
      this.#doubts.nextDeadlineMs(),
    );
    for (const { pulseAtMs } of this.#links.values()) next = Math.min(next, pulseAtMs);
    return this.own.hasChanges ? Math.min(next, this.#nextTellMs) : next;
  }

  #decide(nowMs: number, input: PeerInput): PeerEffect[] {
    switch (input.kind) {
      case 'link-up':
        return this.#linkUp(nowMs, input.device);
      case 'link-down':
        return this.#linkDown(nowMs, input.device);
      case 'message':
        return this.#message(nowMs, input.from, input.message, input.payload);
      case 'entries-checked':
        return this.#entriesChecked(nowMs, input);
      case 'published':
        return this.#published(input.entries);
      case 'held':
        this.own.add(input.file, input.fragment, input.bytes);
        this.#touch(input.file);
        return this.catalogue.isRemoved(input.file) ? [drop(input.file, [input.fragment])] : [];
      case 'unheld':
        this.own.delete(input.file, input.fragment);
        this.#touch(input.file);
        return [];
      case 'space':
        // What hints brought gives way to what fragments need: it is as good as free.
        this.own.freeBytes = Math.max(0, Math.floor(input.freeBytes)) + this.#prefetching.hereBytes;
        this.#prefetching.measured();
        return [];
      case 'outbox':
        this.#outbox.add(input.file, input.early?.homes);
        if (input.early !== undefined) this.#foretelling.published(input.early.job, input.file);
        this.#touch(input.file);
        return this.catalogue.isRemoved(input.file) ? this.#removed(input.file) : [];
      case 'foretell':
        return inControl(this.#foretelling.tell(input.job, input.to, input.blocks));
      case 'soon-over':
        return inControl(this.#foretelling.over(input.job));
      case 'abandoned':
        return inControl(this.#foretelling.abandoned(input.job, this.#greetedDevices()));
      case 'prefetched':
        return this.#prefetching.fetched(nowMs, input.from, input.job, input.block, input.outcome);
      case 'pulling':
        this.#prefetching.pulling(input.blocks);
        return [];
      case 'pulled':
        this.#prefetching.held(input.blocks ?? []);
        return this.#pulled(input.place, input.from, input.outcome);
      case 'request':
        return this.#request(nowMs, input.ticket, input.to, input.ask);
      case 'abandon':
        return inControl(this.#requests.abandon(nowMs, input.ticket));
      case 'served':
        this.#links.get(input.to)?.serving.delete(input.id);
        if (input.failure === undefined) return [];
        return [send(input.to, { kind: 'failed', id: input.id, reason: input.failure })];
      case 'not-given':
        this.#doubts.notGiven(nowMs, input.device, input.file, input.fragment);
        return [];
      case 'round-ready':
        this.#challenges.roundReady(input.round);
        return [];
      case 'challenge-ready': {
        const { id, to, asks, expected } = input;
        if (expected === undefined) return this.#judge(nowMs, this.#challenges.callOff(nowMs, to, id));
        if (!this.#challenges.ready(nowMs, to, id, expected)) return [];
        return [send(to, { kind: 'challenge', id, asks })];
      }
      case 'proof-made':
        if (this.#links.get(input.to)?.proving.delete(input.id) !== true) return [];
        return [send(input.to, { kind: 'proof', id: input.id, digests: input.digests })];
      case 'tick':
        return [
          ...inControl(this.#requests.tick(nowMs)),
          ...this.#judge(nowMs, this.#challenges.tick(nowMs)),
          ...this.#pulses(nowMs),
          ...this.#withheld(nowMs),
        ];
    }
  }

  #greetedDevices(): DeviceId[] {
    return [...this.#links].filter(([, link]) => link.greeted).map(([device]) => device);
  }

  #linkUp(nowMs: number, device: DeviceId): PeerEffect[] {
    this.#links.set(device, {
      greeted: false,
      features: new Set(),
      sentVersion: 0,
      heardHoldings: false,
      serving: new Set(),
      proving: new Set(),
      pulseAtMs: nowMs + PULSE_MS,
    });
    return [send(device, { kind: 'hello', protocol: PROTOCOL_VERSION, epoch: this.#epoch })];
  }

  #linkDown(nowMs: number, device: DeviceId): PeerEffect[] {
    const link = this.#links.get(device);
    if (link === undefined) return [];
    this.#links.delete(device);
    this.#outbox.linkDown(device);
    this.#touch();
    this.#sync.linkDown(device);
    this.#taking.linkDown(device);
    this.holdings.linkDown(device);
    return [
      ...this.#judge(nowMs, this.#challenges.linkDown(nowMs, device)),
      ...[...link.serving].map((id) => ({ kind: 'stop-serving', to: device, id }) as const),
      ...inControl(this.#requests.linkDown(device)),
    ];
  }

  #message(nowMs: number, from: DeviceId, message: Message, payload: Uint8Array<ArrayBuffer>): PeerEffect[] {
    const link = this.#links.get(from);
    if (link === undefined) return [];
    if (message.kind === 'hello') return this.#hello(from, link, message.protocol, message.epoch);
    if (!link.greeted) return [{ kind: 'close-link', device: from, reason: 'spoke before saying hello' }];
    switch (message.kind) {
      case 'features':
        link.features = new Set(message.features);
        return [];
      case 'sync': {
        const answer = this.#sync.answer(from, message);
        return answer === undefined ? [] : [send(from, answer)];
      }
      case 'entries':
        return [{ kind: 'check-entries', from, entries: message.entries, more: message.more }];
      case 'holdings':
        return this.#heardHoldings(nowMs, from, link, message);
      case 'holdings-wanted':
        return this.#snapshotFor(from, link);
      case 'pulse':
        return this.#pulse(from, message.catalogue, message.holdings);
      case 'place':
        return this.#place(from, link, message.places);
      case 'refuse':
        this.#outbox.refused(nowMs, from, message.place, message.reason);
        return [];
      case 'release':
        this.#release(nowMs, from, message.place);
        return [];
      case 'soon':
        return this.#soon(nowMs, from, message.job, message.blocks);
      case 'soon-over':
        return this.#prefetching.over(from, message.job);
      case 'get-index':
      case 'get-block':
      case 'get-fragments':
        this.#outbox.progressed(nowMs, from);
        return this.#serve(from, link, message);
      case 'index':
      case 'block':
      case 'fragments':
        return inControl(
          this.#requests.settle(nowMs, from, message.id, message.kind, { kind: 'payload', payload }),
        );
      case 'failed':
        return inControl(
          this.#requests.settle(nowMs, from, message.id, 'block', { kind: 'failed', reason: message.reason }),
        );
      case 'challenge':
        return this.#challenged(from, link, message);
      case 'proof':
        return this.#judge(nowMs, this.#challenges.proof(nowMs, from, message.id, message.digests));
      case 'cancel':
        return link.serving.has(message.id) ? [{ kind: 'stop-serving', to: from, id: message.id }] : [];
    }
  }

  #hello(from: DeviceId, link: Link, protocol: number, epoch: number): PeerEffect[] {
    const refused: PeerEffect[] =
      protocol === PROTOCOL_VERSION ? [] : [{ kind: 'other-protocol', device: from, protocol }];
    if (protocol !== PROTOCOL_VERSION || epoch !== this.#epoch) {
      const reason = `speaks protocol ${protocol}, epoch ${epoch}`;
      return [...refused, { kind: 'close-link', device: from, reason }];
    }
    if (link.greeted) return [{ kind: 'close-link', device: from, reason: 'said hello twice' }];
    link.greeted = true;
    this.#touch();
    return [
      send(from, { kind: 'features', features: FEATURES }),
      send(from, this.#sync.ask(from)),
      ...this.#snapshotFor(from, link),
      ...inControl(this.#foretelling.greeted(from)),
    ];
  }

  #entriesChecked(
    nowMs: number,
    { from, entries, refusedCount = 0, more }: Extract<PeerInput, { kind: 'entries-checked' }>,
  ): PeerEffect[] {
    const removals = this.#removalsOfOthers(entries);
    const result = this.catalogue.add(entries);
    const told = this.#toldOfRemovals(nowMs, removals, result.added);
    const next = this.#links.has(from) ? this.#sync.goOn(from, entries, more, result) : undefined;
    if (!more && result.added.length > 0) told.push(...this.#askForMissed());
    if (refusedCount > 0) told.push(misdeed(from, 'forged-records', refusedCount));
    for (const [device, count] of futureNames(nowMs, result.added))
      if (device !== this.#self) told.push(misdeed(device, 'future-name', count));
    return [...this.#afterAdding(result), ...(next === undefined ? [] : [send(from, next)]), ...told];
  }

  #published(entries: readonly CheckedEntry[]): PeerEffect[] {
    const result = this.catalogue.add(entries);
    if (entries.length === 0) return [];
    const message: Message = {
      kind: 'entries',
      entries: entries.map(({ entry }) => entry.bytes),
      more: false,
    };
    const told = [...this.#links].filter(([, link]) => link.greeted).map(([device]) => send(device, message));
    return [...told, ...this.#afterAdding(result).filter((effect) => effect.kind !== 'keep-entries')];
  }

  #afterAdding({ added, evicted, lost, forks, beyond }: AddResult): PeerEffect[] {
    const effects: PeerEffect[] = [];
    if (added.length > 0) effects.push({ kind: 'keep-entries', entries: added });
    if (evicted.length > 0) effects.push({ kind: 'forget-entries', entries: evicted });
    for (const file of lost) effects.push(...this.#removed(file));
    for (const { entry, file } of added) {
      if (entry.body.kind === 'remove') effects.push(...this.#removed(entry.body.file));
      if (entry.body.kind === 'leave') {
        this.holdings.forget(entry.deviceId);
        effects.push(...this.#prefetching.left(entry.deviceId));
        this.#touch();
      }
      if (entry.body.kind === 'profile') {
        this.holdings.admitted(entry.deviceId);
        this.#touch();
      }
      if (file === undefined) continue;
      this.holdings.fileAdded(file.fileId);
      this.#touch(file.fileId);
    }
    for (const [device, count] of forks) effects.push(misdeed(device, 'forked-log', count));
    for (const [device, count] of beyond) effects.push(misdeed(device, 'overfull-log', count));
    return effects;
  }

  /** By entry the file that it removes, where somebody else stored that. Once the files are gone nobody knows whose they were. */
  #removalsOfOthers(entries: readonly CheckedEntry[]): Map<EntryId, FileId> {
    const removals = new Map<EntryId, FileId>();
    for (const { entry } of entries) {
      if (entry.body.kind !== 'remove' || entry.deviceId === this.#self) continue;
      const storer = this.catalogue.files().get(entry.body.file)?.by;
      if (storer !== undefined && storer !== entry.deviceId) removals.set(entry.entryId, entry.body.file);
    }
    return removals;
  }

  /** Only what was added counts: anybody can pass on an entry whose predecessor is missing, again and again. */
  #toldOfRemovals(
    nowMs: number,
    removals: ReadonlyMap<EntryId, FileId>,
    added: readonly CheckedEntry[],
  ): PeerEffect[] {
    const removedBy = new Map<DeviceId, Set<FileId>>();
    for (const { entry } of added) {
      const file = removals.get(entry.entryId);
      if (file === undefined) continue;
      removedBy.set(entry.deviceId, (removedBy.get(entry.deviceId) ?? new Set()).add(file));
    }
    return [...removedBy].flatMap(([device, files]) => {
      const count = this.#removals.counted(device, files.size, nowMs);
      return count === 0 ? [] : [misdeed(device, 'removed-files', count)];
    });
  }

  #removed(file: FileId): PeerEffect[] {
    const wasPlacing = this.#outbox.has(file);
    this.#outbox.remove(file);
    this.holdings.fileRemoved(file);
    this.#haveHomesChanged = true;
    this.#revisions.delete(file);
    const surplus = [...this.own.of(file)];
    return wasPlacing || surplus.length > 0 ? [{ kind: 'outbox-done', file, surplus }] : [];
  }

  /** Who holds, reaches or places `file` changed; without a file, it may have for all. */
  #touch(file?: FileId): void {
    this.#outbox.touch(file);
    this.#haveHomesChanged = true;
    if (file === undefined) this.#reachRevision += 1;
    // Others may speak of files that nobody stored: those are not remembered.
    else if (this.catalogue.files().has(file))
      this.#revisions.set(file, (this.#revisions.get(file) ?? 0) + 1);
  }

  #outboxDone(file: FileId, keep: FragmentSet): PeerEffect {
    this.#touch(file);
    return {
      kind: 'outbox-done',
      file,
      surplus: [...this.own.of(file)].filter((fragment) => !keep.has(fragment)),
    };
  }

  /** Someone asks this device to hold fragments. Where some are here already, the asker missed it and is told again. */
  #place(from: DeviceId, link: Link, places: readonly Place[]): PeerEffect[] {
    const outcomes = places.map((place) => ({
      place,
      outcome: this.#taking.offered(from, place, this.catalogue.files().get(place.file)),
    }));
    const refusals = outcomes.flatMap(({ place, outcome }) =>
      outcome === 'queued' || outcome === 'held'
        ? []
        : [send(from, { kind: 'refuse', place, reason: outcome })],
    );
    const missedSome = outcomes.some(({ outcome }) => outcome === 'held');
    return [...refusals, ...(missedSome ? this.#snapshotFor(from, link) : [])];
  }

  /**
   * Gives up a second copy: only where another reachable device proves that it holds the fragment, and only for whoever
   * stored the file and still places it. Anyone else could claim all fragments and ask all holders for theirs.
   */
  #release(nowMs: number, from: DeviceId, place: Place): void {
    const { file, fragment } = place;
    const isOurs = this.own.of(file).has(fragment) && !this.#outbox.has(file);
    if (this.catalogue.files().get(file)?.by !== from || !isOurs) return;
    const others = [...this.#holdersElsewhere(file)].filter(
      ([device, fragments]) => fragments.has(fragment) && this.isReachable(device),
    );
    if (this.#releasing.has(file, fragment)) return;
    const claims = new Map(others.map(([device]) => [device, new Set([fragment])]));
    const challengeCount = this.#challenges.want(nowMs, file, claims);
    if (challengeCount > 0) this.#releasing.add(place, challengeCount);
  }

  /** Answers for what is held here, as far as one challenge may make this device read. */
  #challenged(from: DeviceId, link: Link, message: Message & { readonly kind: 'challenge' }): PeerEffect[] {
    const { id } = message;
    if (link.proving.has(id) || link.proving.size >= MAX_OPEN_PROOFS)
      return [{ kind: 'close-link', device: from, reason: 'sends challenges before the last were answered' }];
    link.proving.add(id);
    let blockCount = 0;
    const named = new Set<string>();
    const asks = message.asks.map((place) => {
      const key = `${place.file}/${place.fragment}`;
      if (named.has(key)) return undefined;
      named.add(key);
      const manifest = this.catalogue.files().get(place.file);
      if (manifest === undefined || !this.own.of(place.file).has(place.fragment)) return undefined;
      blockCount += proofBlocksOf(manifest);
      return blockCount > MAX_CHALLENGE_BLOCKS ? undefined : place;
    });
    return [{ kind: 'prove', to: from, id, asks }];
  }

  /** Who proved what he claims counts as a holder; who sent a wrong proof is told of. */
  #judge(nowMs: number, verdicts: readonly Verdict[]): PeerEffect[] {
    const falseCounts = new Map<DeviceId, number>();
    const drops: PeerEffect[] = [];
    for (const verdict of verdicts) {
      const { device, place, outcome } = verdict;
      // Told of if it goes on claiming what it does not prove.
      if (outcome === 'silent') this.#doubts.notGiven(nowMs, device, place.file, place.fragment);
      if (outcome === 'false') falseCounts.set(device, (falseCounts.get(device) ?? 0) + 1);
      this.#outbox.judged(nowMs, verdict);
      this.#touch(place.file);
      const isOurs = this.own.of(place.file).has(place.fragment) && !this.#outbox.has(place.file);
      if (this.#releasing.judged(verdict) && isOurs) drops.push(drop(place.file, [place.fragment]));
    }
    for (const { place } of verdicts)
      if (!this.#outbox.has(place.file) && !this.#releasing.has(place.file))
        this.#challenges.forget(place.file);
    const misdeeds = [...falseCounts].map(
      ([device, count]) => ({ kind: 'misdeed', device, what: 'false-claims', count }) as const,
    );
    return [...drops, ...misdeeds];
  }

  /** What is foretold is fetched as far as there is room; nobody is told what is not. */
  #soon(nowMs: number, from: DeviceId, job: JobId, blocks: readonly BlockHash[]): PeerEffect[] {
    if (this.catalogue.hasLeft(from))
      return [{ kind: 'close-link', device: from, reason: 'stores a file although it left' }];
    this.#prefetching.foretold(nowMs, from, job, blocks, this.#roomBytes());
    return [];
  }

  /** What this device offers beside the fragments that it is taking. */
  #roomBytes(): number {
    return this.own.freeBytes - this.#taking.promisedBytes;
  }

  #toldOver(): PeerEffect[] {
    if (!this.#haveHomesChanged) return [];
    this.#haveHomesChanged = false;
    return inControl(this.#foretelling.advance((file, device) => this.#outbox.awaits(file, device)));
  }

  #pulled(place: Place, from: DeviceId, outcome: 'held' | Refusal): PeerEffect[] {
    this.#taking.ended(place, outcome === 'held');
    if (outcome === 'held' || !this.#links.has(from)) return [];
    return [send(from, { kind: 'refuse', place, reason: outcome })];
  }

  #heardHoldings(nowMs: number, from: DeviceId, link: Link, delta: HoldingsDelta): PeerEffect[] {
    const hadBytes = this.holdings.of(from)?.freeBytes ?? 0;
    const before = delta.base === 0 ? [...(this.holdings.of(from)?.files.keys() ?? [])] : [];
    if (!this.holdings.apply(from, delta, nowMs)) return [send(from, { kind: 'holdings-wanted' })];
    // It could not be offered anything before.
    if (!link.heardHoldings) this.#touch();
    link.heardHoldings = true;
    if (delta.freeBytes > hadBytes) this.#outbox.madeRoom(from);
    for (const file of [...before, ...delta.held.map((holding) => holding.file)]) this.#touch(file);
    return [];
  }

  #withheld(nowMs: number): PeerEffect[] {
    const standing = this.#doubts.standing(nowMs, (device, file, fragment) =>
      this.holdings.fragmentsOf(device, file).has(fragment),
    );
    return [...standing].map(([device, count]) => misdeed(device, 'withheld', count));
  }

  /** Claims that came before the entries that they need, and were too many to keep, are told again. */
  #askForMissed(): PeerEffect[] {
    const missed = this.holdings.takeMissed().filter((device) => this.#links.has(device));
    return missed.map((device) => send(device, { kind: 'holdings-wanted' }));
  }

  #request(nowMs: number, ticket: number, to: DeviceId, ask: Ask): PeerEffect[] {
    if (!this.isReachable(to))
      return [{ kind: 'answer', ticket, result: { kind: 'failed', reason: 'link-closed' } }];
    return inControl(this.#requests.open(nowMs, ticket, to, ask));
  }

  #serve(to: DeviceId, link: Link, ask: Ask & { readonly id: number }): PeerEffect[] {
    const { id, ...wanted } = ask;
    if (link.serving.has(id)) return [{ kind: 'close-link', device: to, reason: `asked twice as ${id}` }];
    if (link.serving.size >= MAX_OPEN_REQUESTS) return [send(to, { kind: 'failed', id, reason: 'busy' })];
    link.serving.add(id);
    return [{ kind: 'serve', to, id, ask: wanted }];
  }

  #pulses(nowMs: number): PeerEffect[] {
    const effects: PeerEffect[] = [];
    for (const [device, link] of this.#links) {
      if (link.pulseAtMs > nowMs) continue;
      link.pulseAtMs = nowMs + PULSE_MS;
      const catalogue = this.#sync.digestFor(device);
      if (link.greeted) effects.push(send(device, { kind: 'pulse', catalogue, holdings: link.sentVersion }));
    }
    return effects;
  }

  #pulse(from: DeviceId, catalogue: string, holdings: number): PeerEffect[] {
    const effects: PeerEffect[] = [];
    const ask = this.#sync.askUnlikeOurs(from, catalogue);
    if (ask !== undefined) effects.push(send(from, ask));
    if (holdings !== this.holdings.of(from)?.version) effects.push(send(from, { kind: 'holdings-wanted' }));
    return effects;
  }

  #snapshotFor(device: DeviceId, link: Link): PeerEffect[] {
    link.sentVersion = 0;
    return this.own.snapshot().map((held) => this.#holdingsMessage(device, link, held));
  }

  /** At once after a quiet while, else together with what changes within the gap. */
  #tellHoldings(nowMs: number): PeerEffect[] {
    if (nowMs < this.#nextTellMs || !this.own.hasChanges) return [];
    this.#nextTellMs = nowMs + TELL_GAP_MS;
    const portions = this.own.changes();
    const greeted = [...this.#links].filter(([, link]) => link.greeted);
    return portions.flatMap((held) =>
      greeted.map(([device, link]) => this.#holdingsMessage(device, link, held)),
    );
  }

  #holdingsMessage(device: DeviceId, link: Link, held: Parameters<Holdings['apply']>[1]['held']): PeerEffect {
    const { heldBytes, freeBytes } = this.own;
    const message: Message = { kind: 'holdings', base: link.sentVersion, held, heldBytes, freeBytes };
    link.sentVersion += 1;
    return send(device, message);
  }

  #holdersElsewhere(file: FileId): Map<DeviceId, FragmentSet> {
    const holders = this.holdings.holdersOf(file);
    holders.delete(this.#self);
    return holders;
  }

  #candidates(): Candidate[] {
    const candidates: Candidate[] = [{ device: this.#self, freeBytes: Infinity }];
    for (const [device, link] of this.#links) {
      if (!link.greeted || !link.heardHoldings || !this.catalogue.isMember(device)) continue;
      candidates.push({ device, freeBytes: this.holdings.of(device)?.freeBytes ?? 0 });
    }
    return candidates;
  }
}

/** Requests and their answers are small; the payloads they bring travel as bulk from the other side. */
function inControl(effects: readonly (RequestEffect | ForetellEffect)[]): PeerEffect[] {
  return effects.map((effect) => (effect.kind === 'send' ? send(effect.to, effect.message) : effect));
}

function send(to: DeviceId, message: Message): PeerEffect {
  return { kind: 'send', to, message, lane: 'control' };
}

/** How many pool names each device dated so far ahead that they wait. */
function futureNames(nowMs: number, entries: readonly CheckedEntry[]): Map<DeviceId, number> {
  const counts = new Map<DeviceId, number>();
  for (const { entry } of entries) {
    const waits = entry.body.kind === 'pool' && entry.at.ms - MAX_AHEAD_MS > nowMs;
    if (waits) counts.set(entry.deviceId, (counts.get(entry.deviceId) ?? 0) + 1);
  }
  return counts;
}

function misdeed(device: DeviceId, what: Misdeed, count: number): PeerEffect {
  return { kind: 'misdeed', device, what, count };
}

function drop(file: FileId, fragments: readonly number[]): PeerEffect {
  return { kind: 'drop', file, fragments };
}
