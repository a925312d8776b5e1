// Drives core's peer: turns its effects into port calls, and events at the ports into its inputs. All
// decisions are the peer's.

import type { CheckedEntry } from '../../core/catalogue/check.ts';
import type { EntryBody } from '../../core/catalogue/entry.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { BlockHash, BlockOwner, DeviceId, FileId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import { MachineDriver } from '../../core/machine-driver.ts';
import { Peer } from '../../core/peer/peer.ts';
import { isToPlace } from '../../core/peer/placing.ts';
import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { StoredFragment } from '../../core/ports.ts';
import type { RelayState } from '../../core/transport-port.ts';
import type { DecodedMessage } from '../../core/wire/messages.ts';
import { PoolActs } from '../acts/pool-acts.ts';
import { AliveKeeping } from './alive-keeping.ts';
import { Challenging } from './challenging.ts';
import type { PeerDriverEvents, PeerDriverPorts } from './driver-ports.ts';
import { BackgroundWork } from './background-work.ts';
import { CatalogueKeeping } from './catalogue-keeping.ts';
import { Lanes } from '../lane/lanes.ts';
import { TakingParts } from '../take/taking-parts.ts';
import { heldFragments, HeldFragments } from './held-fragments.ts';
import { LinkChance } from './link-chance.ts';
import { LinkPaths } from './link-paths.ts';
import { LinkRates } from './link-rates.ts';
import { MessageFlow } from './message-flow.ts';
import { noticeOf, type QuotedDevice } from '../notice.ts';
import { OtherVersions } from '../other-versions.ts';
import { Publisher } from './publishing.ts';
import { Checking } from './checking.ts';
import { damagedHere } from './damage-list.ts';
import { quotedDevice } from '../quoted-device.ts';
import { RequestWaits } from './request-waits.ts';
import { readSoftState } from '../soft-state.ts';
import { StagedFragments } from './staged-fragments.ts';
import { Serving } from './serving.ts';

export class PeerDriver {
  readonly peer: Peer;
  readonly acts: PoolActs;
  readonly rates: LinkRates;
  readonly lanes: Lanes;
  readonly linkChance: LinkChance;
  readonly paths = new LinkPaths();
  readonly staged = new StagedFragments();
  readonly held: HeldFragments;
  readonly serving: Serving;
  readonly #ports: PeerDriverPorts;
  readonly #events: PeerDriverEvents;
  readonly #records: CatalogueKeeping;
  readonly #messages: MessageFlow;
  /** `stop` waits for it, so that nothing is written afterwards. */
  readonly #background = new BackgroundWork((error) => this.#events.notice('error', noticeOf(error)));
  readonly #listeners = new Set<() => void>();
  readonly #alive: AliveKeeping;
  readonly #challenging: Challenging;
  readonly #publisher: Publisher;
  readonly #taking: TakingParts;
  readonly #otherVersions = new OtherVersions((notice) => this.#events.notice('warning', notice));
  readonly #lifetime = new AbortController();
  readonly #requests = new RequestWaits((input) => this.input(input), this.#lifetime.signal);
  readonly #driver: MachineDriver<PeerInput, PeerEffect>;
  readonly #checking: Checking;

  constructor(ports: PeerDriverPorts, keys: KeyRing, events: PeerDriverEvents) {
    const input = (told: PeerInput): void => this.input(told);
    this.#ports = ports;
    this.#events = events;
    this.rates = new LinkRates(ports.clock);
    this.peer = new Peer(ports.identity.deviceId, keys.firstEpoch, ports.deviceClass, ports.isEvictable);
    this.linkChance = new LinkChance(ports.clock, this.peer);
    this.#driver = new MachineDriver<PeerInput, PeerEffect>({
      machine: this.peer,
      clock: ports.clock,
      tick: { kind: 'tick' },
      jumped: ({ wallMs }) => ({ kind: 'clock-jumped', wallMs }),
      perform: (effect) => this.#perform(effect),
      settled: () => this.#settled(),
    });
    this.#records = new CatalogueKeeping({
      ...ports,
      keys,
      catalogue: this.peer.catalogue,
      inBackground: (work) => this.#background.add(work),
    });
    this.acts = new PoolActs({
      ...ports,
      keys,
      peer: this.peer,
      input,
      send: (to, message) => this.#messages.send(to, message, 'control'),
      background: (work) => this.#background.add(work),
      checkAlive: () => this.#lifetime.signal.throwIfAborted(),
    });
    this.#checking = new Checking({ records: this.#records, acts: this.acts, input });
    this.held = new HeldFragments({
      ...ports,
      held: (stored) => input({ kind: 'held', fragments: heldFragments(this.peer.catalogue, stored) }),
      unheld: ({ fileId, fragment }) => this.input({ kind: 'unheld', file: fileId, fragment }),
      dropped: () => this.#events.changed(),
      damaged: (what, file) => this.#events.notice('warning', damagedHere(this.peer.catalogue, what, file)),
    });
    this.#messages = new MessageFlow({
      transport: ports.transport,
      handle: (from, decoded) => this.#take(from, decoded),
      unreadable: () => this.#events.notice('warning', { kind: 'unreadable-message' }),
      inBackground: (work) => this.#background.add(work),
    });
    this.#publisher = new Publisher({
      ...ports,
      keys,
      catalogue: this.peer.catalogue,
      // The last entry of a device whose disk is gone: only the others can keep it.
      keep: (entries) => (this.peer.own.isGone ? Promise.resolve() : this.#records.keepOwn(entries)),
      published: (entries) => {
        this.#events.added(entries);
        this.input({ kind: 'published', entries });
      },
      checkAlive: () => this.#lifetime.signal.throwIfAborted(),
    });
    this.#alive = new AliveKeeping({
      ...ports,
      keys,
      held: () => this.held.all(),
      indexLost: ({ fileId, fragment }) => this.held.indexLost(fileId, fragment),
      isGone: () => this.peer.own.isGone,
      input,
    });
    this.#challenging = new Challenging({
      ...ports,
      catalogue: this.peer.catalogue,
      self: ports.identity.deviceId,
      load: (ask) => this.serving.loadHeld(ask),
      input,
    });
    this.serving = new Serving({
      ...ports,
      catalogue: this.peer.catalogue,
      staged: this.staged,
      input,
      bring: (...block) => this.lanes.bring(...block),
      withholds: (ask) => this.#challenging.withholds(ask),
      blockLost: (hash) => this.held.blockLost(hash),
      indexLost: ({ file, fragment }) => this.held.indexLost(file, fragment),
    });
    this.lanes = new Lanes({
      ...ports,
      peer: this.peer,
      serving: this.serving,
      send: (to, grant) => this.#background.add(this.#messages.send(to, grant, 'control')),
      input,
    });
    this.#taking = new TakingParts({
      ...ports,
      peer: this.peer,
      request: (from, ask, signal) => this.request(from, ask, signal),
      lifetime: this.#lifetime.signal,
      quoted: (device) => this.quotedDevice(device),
      fileKept: (file) => this.#records.fileKept(file),
      dropDamaged: (file, except) => this.held.dropDamaged(file, except),
      held: (stored) => this.held.addFetched(stored),
      warn: (notice) => this.#events.notice('warning', notice),
      input,
    });
  }

  get deviceId(): DeviceId {
    return this.#ports.identity.deviceId;
  }

  /**
   * Restores the device's durable state. Jobs that claim blocks are over, unless `goesOn`. Returns how many
   * rows of an earlier page cannot be read.
   */
  async restore(goesOn: (owner: BlockOwner) => boolean): Promise<number> {
    const { fragments, records } = this.#ports;
    const areActsSound = await this.acts.restore();
    // At once: each wait costs a slow page more than the disk needs.
    const [outbox, owners, damagedCount, restSoftState, droppedCount] = await Promise.all([
      records.loadOutbox(),
      fragments.owners(),
      this.#records.restore(),
      readSoftState(records),
      this.held.loadDamage(),
    ]);
    for (const owner of owners) if (!goesOn(owner)) await fragments.release(owner);
    if (damagedCount > 0 || !areActsSound) this.#events.notice('warning', { kind: 'catalogue-damaged' });
    const { catalogue, grace } = this.peer;
    const leftOutCount = droppedCount + restSoftState(this.peer);
    await this.held.restore(catalogue);
    for (const file of outbox) {
      if (isToPlace(catalogue.files().get(file), this.held.countOf(file)))
        this.input({ kind: 'outbox', file });
      else if (!grace.has(file)) await this.#outboxDone(file, []);
    }
    this.#lifetime.signal.throwIfAborted();
    return leftOutCount;
  }

  /** Opens the transport. Last: what other devices say would hold up the first list. */
  open(): void {
    this.#lifetime.signal.throwIfAborted();
    const events = this.linkChance.watching({
      linkUp: (device) => this.input({ kind: 'link-up', device }),
      freezing: () => this.input({ kind: 'freezing' }),
      woke: (frozenMs) => this.input({ kind: 'woke', frozenMs }),
      linkDown: (device, _reason, isLeft = false) => this.#linkDown(device, isLeft),
      message: (device, bytes) => this.#messages.receive(device, bytes),
      relayState: (state) => this.#relayState(state),
      rejected: (rejection) => this.#events.notice('warning', { kind: 'rejection', rejection }),
    });
    this.#ports.transport.open(this.paths.watching(events, () => this.#settled()));
  }

  /**
   * Ends the transport and every wait. Resolves when this driver writes nothing more; what is durable stays.
   */
  async stop(): Promise<void> {
    this.#driver.stop();
    this.lanes.close();
    this.#lifetime.abort(new PalmError({ code: 'not-in-pool', reason: 'left' }));
    await this.#ports.transport.close();
    this.#requests.close();
    await Promise.allSettled([this.#background.ended(), this.#publisher.idle(), this.acts.stop()]);
    await this.#records.idle();
  }

  /** Resolves when every control message queued so far was handed to its link, or its link closed. */
  flush(): Promise<void> {
    return this.#messages.flush();
  }

  input(input: PeerInput): void {
    this.#driver.input(input);
  }

  /** Calls `listener` whenever no input waits any more. Returns the unsubscribe function. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` after each block that was served singly. Returns the unsubscribe function. */
  watchServed(listener: (to: DeviceId, hash: BlockHash, bytes: number) => void): () => void {
    return this.serving.watch(listener);
  }

  /**
   * @throws PalmError 'link-closed', 'deadline', 'refused' (the peer lacks it), 'corrupt'; or the signal's
   * reason.
   */
  request(to: DeviceId, ask: Ask, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const fetch = (): Promise<Uint8Array<ArrayBuffer>> =>
      this.lanes.fetch(to, ask, signal, () => this.#requests.request(to, ask, signal));
    return ask.kind === 'get-block' ? this.rates.measured(to, fetch) : fetch();
  }

  /** Signs, makes durable and spreads an entry of this device's log, in the order of the calls. */
  publish(body: EntryBody): Promise<CheckedEntry> {
    return this.#publisher.publish(body);
  }

  /** A fragment became durable: from now on it counts. */
  fragmentHeld(stored: StoredFragment): void {
    this.held.add(stored);
  }

  /** Before another fragment of `file` than `except` becomes durable here: see HeldFragments. */
  dropDamaged(file: FileId, except: readonly number[]): Promise<void> {
    return this.held.dropDamaged(file, except);
  }

  /** The same for a fragment that was fetched or rebuilt: any damage of an earlier copy is gone. */
  fragmentFetched(stored: StoredFragment): Promise<void> {
    return this.held.addFetched(stored);
  }

  /**
   * The answer to `ask` from this device's own store; undefined when it is not here.
   * @throws PalmError 'corrupt' once the damage was noted.
   */
  loadOwn(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.serving.load(ask);
  }

  /** Files with fragments that are being erased: see HeldFragments. */
  dropping(): FileId[] {
    return this.held.dropping();
  }

  /** As sentences name it. */
  quotedDevice(device: DeviceId): QuotedDevice {
    return quotedDevice(this.peer.catalogue, device);
  }

  #settled(): void {
    this.#events.changed();
    for (const listener of this.#listeners) listener();
  }

  #perform(effect: PeerEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#background.add(this.#messages.send(effect.to, effect.message, effect.lane));
        break;
      case 'check-entries':
      case 'check-acts':
      case 'take-keys':
        this.#checking.start(effect);
        break;
      case 'give-keys':
      case 'keep-acts':
        this.#background.add(this.acts.perform(effect));
        break;
      case 'keep-entries':
        this.#events.added(effect.entries);
        this.#background.add(this.#records.keepHeard(effect.entries));
        break;
      case 'forget-entries':
        this.#background.add(this.#records.forget(effect.entries));
        break;
      case 'pull':
      case 'prefetch':
      case 'soon-over':
        this.#background.add(this.#taking.perform(effect));
        break;
      case 'drop':
        this.#background.add(this.held.drop(effect.file, effect.fragments));
        break;
      case 'outbox-done':
        this.#background.add(this.#outboxDone(effect.file, effect.surplus));
        break;
      case 'handover-over':
        this.staged.handoverOver(effect.file, effect.isDone);
        break;
      case 'answer':
        this.#requests.answer(effect.ticket, effect.result);
        break;
      case 'serve':
        this.#background.add(this.serving.serve(effect.to, effect.id, effect.ask));
        break;
      case 'challenge':
      case 'round':
      case 'round-over':
      case 'prove':
        this.#background.add(this.#challenging.perform(effect));
        break;
      case 'sign-alive':
      case 'check-alive':
      case 'try-store':
        this.#background.add(this.#alive.perform(effect));
        break;
      case 'stop-serving':
        this.serving.stop(effect.to, effect.id);
        break;
      case 'other-protocol':
        this.#otherVersions.met(this.quotedDevice(effect.device), effect.protocol);
        break;
      case 'close-link':
        this.#ports.transport.closeLink(effect.device, effect.reason);
        break;
      case 'doubt-link':
        this.#ports.transport.doubtLink(effect.device);
        break;
      case 'misdeed':
        this.#events.misdeed(this.quotedDevice(effect.device), effect.what, effect.count);
        break;
    }
  }

  #linkDown(device: DeviceId, isLeft: boolean): void {
    this.#messages.linkDown(device);
    this.rates.forget(device);
    this.lanes.linkDown(device);
    this.input({ kind: 'link-down', device, isLeft });
  }

  #relayState(state: RelayState): void {
    this.input({ kind: 'relay', isConnected: state === 'connected' });
    this.#events.relayState(state);
  }

  /**
   * Returns the work that must end before the device's next control message: the check of entries that it
   * sent.
   */
  #take(from: DeviceId, decoded: DecodedMessage): Promise<void> | undefined {
    this.input({ kind: 'message', from, ...decoded });
    this.lanes.heard(from, decoded.message);
    return this.#checking.take();
  }

  async #outboxDone(file: FileId, surplus: readonly number[]): Promise<void> {
    await this.held.dropWithDamaged(file, surplus);
    await this.#ports.records.dropOutbox(file);
  }
}
