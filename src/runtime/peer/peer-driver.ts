// Drives core's peer: turns its effects into port calls and what happens at the ports into its inputs. All decisions are
// the peer's; this file owns ordering (a device's control messages are handled one after another).

import type { CheckedEntry } from '../../core/catalogue/check.ts';
import type { EntryBody } from '../../core/catalogue/entry.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import {
  blockKey,
  type BlockHash,
  type BlockOwner,
  type DeviceId,
  type FileId,
  type FragmentId,
  type JobId,
} from '../../core/model/ids.ts';
import { heldBytesOf } from '../../core/model/geometry.ts';
import { visibleName } from '../../core/model/visible-name.ts';
import type { PoolKeys } from '../../core/model/pool-keys.ts';
import { MachineDriver } from '../../core/machine-driver.ts';
import { Peer } from '../../core/peer/peer.ts';
import type { Misdeed } from '../../core/peer/misdeeds.ts';
import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import type { PrefetchOutcome } from '../../core/peer/prefetching.ts';
import type { Ask } from '../../core/peer/requests.ts';
import type {
  Clock,
  Cryptography,
  FragmentStore,
  Identity,
  Memory,
  Lane,
  Random,
  RecordStore,
  RelayState,
  StoredFragment,
  Transport,
} from '../../core/ports.ts';
import {
  decodeMessage,
  encodeMessage,
  hasPayload,
  type DecodedMessage,
  type Message,
} from '../../core/wire/messages.ts';
import type { Notice } from '../api.ts';
import { Challenging } from './challenging.ts';
import { CheckedRecords, checkEntries } from './checked-records.ts';
import { DamageList } from './damage-list.ts';
import { FragmentTaker } from '../take/fragment-taker.ts';
import { Inbox } from './inbox.ts';
import type { PeerCause } from '../notices.ts';
import { OtherVersions } from '../other-versions.ts';
import { Prefetcher } from '../take/prefetcher.ts';
import { Publisher } from './publishing.ts';
import { damagedBytesText } from '../take/pulling.ts';
import { quotedDevice } from '../quoted-device.ts';
import { RequestWaits } from './request-waits.ts';
import { restoreHoldings } from '../saved-pool.ts';
import { Serving } from './serving.ts';

export interface PeerDriverPorts {
  readonly clock: Clock;
  readonly memory: Memory;
  readonly cryptography: Cryptography;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly random: Random;
  readonly identity: Identity;
  readonly transport: Transport;
}

export interface PeerDriverEvents {
  /** Something that status shows may have changed. */
  changed(): void;
  /** `cause`: what other devices caused, however many there are; without it, it is about this device. */
  notice(level: Notice['level'], text: string, cause?: PeerCause): void;
  relayState(state: RelayState): void;
  /** A member did something to the others that people ought to hear of; its name as `quotedDevice` gives it. */
  misdeed(device: DeviceId, name: string, what: Misdeed, count: number): void;
}

/** Control messages on their way to a device, beyond which no more of its own are answered. */
const MAX_UNSENT = 16;

export class PeerDriver {
  readonly peer: Peer;
  readonly #ports: PeerDriverPorts;
  readonly #keys: PoolKeys;
  readonly #events: PeerDriverEvents;
  readonly #damaged: DamageList;
  readonly #records: CheckedRecords;
  /** Fragments that count as held, by file and number. */
  readonly #stored = new Map<FileId, Map<number, StoredFragment>>();
  /** Files whose catalogue entry is being written, or could not be; bounded as the catalogue is. */
  readonly #keeping = new Map<FileId, Promise<void>>();
  readonly #inboxes = new Map<DeviceId, Inbox>();
  /** Messages that were not handed to their link yet, by device. */
  readonly #sending = new Map<DeviceId, Set<Promise<void>>>();
  /** What was begun and has not ended: `stop` waits for it, so that nothing is written afterwards. */
  readonly #working = new Set<Promise<unknown>>();
  readonly #listeners = new Set<() => void>();
  readonly #serving: Serving;
  readonly #challenging: Challenging;
  readonly #prefetcher: Prefetcher;
  readonly #publisher: Publisher;
  readonly #taker: FragmentTaker;
  readonly #otherVersions = new OtherVersions((text) =>
    this.#events.notice('warning', text, 'other-version'),
  );
  readonly #lifetime = new AbortController();
  readonly #requests = new RequestWaits((input) => this.input(input), this.#lifetime.signal);
  readonly #driver: MachineDriver<PeerInput, PeerEffect>;
  /** Set while an input is handled that brought entries; #drain takes it and awaits it. */
  #checking: Promise<void> | undefined;

  constructor(ports: PeerDriverPorts, keys: PoolKeys, events: PeerDriverEvents) {
    this.#ports = ports;
    this.#keys = keys;
    this.#events = events;
    this.peer = new Peer(ports.identity.deviceId, keys.epoch);
    this.#damaged = new DamageList(ports.records);
    this.#driver = new MachineDriver<PeerInput, PeerEffect>({
      machine: this.peer,
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
      settled: () => this.#settled(),
    });
    this.#records = new CheckedRecords({
      ...ports,
      keys,
      catalogue: this.peer.catalogue,
      background: (work) => this.#inBackground(work),
    });
    this.#publisher = new Publisher({
      ...ports,
      keys,
      catalogue: this.peer.catalogue,
      keep: (entries) => this.#records.keep(entries),
      published: (entries) => this.input({ kind: 'published', entries }),
      checkAlive: () => this.#lifetime.signal.throwIfAborted(),
    });
    this.#challenging = new Challenging({
      ...ports,
      catalogue: this.peer.catalogue,
      self: ports.identity.deviceId,
      load: (ask) => this.#serving.load(ask),
      input: (input) => this.input(input),
    });
    this.#serving = new Serving({
      ...ports,
      catalogue: this.peer.catalogue,
      input: (input) => this.input(input),
      withholds: (ask) => this.#challenging.withholds(ask),
      blockLost: (hash) => this.#blockLost(hash),
      indexLost: async ({ file, fragment }) => {
        const stored = this.#stored.get(file)?.get(fragment);
        if (stored !== undefined) await this.#lose(stored, 'An index');
      },
    });
    this.#prefetcher = new Prefetcher({
      fragments: ports.fragments,
      requestBlock: (from, hash, signal) => this.request(from, { kind: 'get-block', hash }, signal),
    });
    this.#taker = new FragmentTaker({
      ...ports,
      manifestOf: (file) => this.peer.catalogue.files().get(file),
      nameOf: (device) => this.deviceNameOf(device),
      request: (from, ask) => this.request(from, ask, this.#lifetime.signal),
      settled: (wanted) => {
        if (this.peer.isPrefetching) this.input({ kind: 'pulling', blocks: wanted });
        return this.#prefetcher.settled(wanted);
      },
      fileKept: async (file) => this.#keeping.get(file),
      held: async (stored) => {
        await this.#damaged.remove(stored.fragmentId);
        this.fragmentHeld(stored);
      },
      warn: (text, cause) => this.#events.notice('warning', text, cause),
      ended: (place, from, outcome, blocks) => this.input({ kind: 'pulled', place, from, outcome, blocks }),
    });
  }

  get deviceId(): DeviceId {
    return this.#ports.identity.deviceId;
  }

  /**
   * Puts the device's durable state back, then opens the transport. Jobs that claim blocks are over, save `goingOn`. Returns
   * how much of what an earlier page noted cannot be read.
   */
  async start(goingOn: ReadonlySet<BlockOwner>): Promise<number> {
    const { fragments, records } = this.#ports;
    for (const owner of await fragments.owners()) if (!goingOn.has(owner)) await fragments.release(owner);
    await this.#restoreRecords();
    const droppedCount = (await restoreHoldings(records, this.peer.holdings)) + (await this.#damaged.load());
    const strays: FragmentId[] = [];
    for (const stored of await fragments.list()) {
      if (!this.peer.catalogue.files().has(stored.fileId)) strays.push(stored.fragmentId);
      else if (!this.#damaged.has(stored.fragmentId)) this.fragmentHeld(stored);
    }
    await fragments.drop(strays);
    for (const file of await records.loadOutbox()) {
      if (this.peer.catalogue.files().has(file)) this.input({ kind: 'outbox', file });
      else await records.dropOutbox(file);
    }
    this.#lifetime.signal.throwIfAborted();
    this.#ports.transport.open({
      linkUp: (device) => this.input({ kind: 'link-up', device }),
      linkDown: (device) => this.#linkDown(device),
      message: (device, bytes) => this.#receive(device, bytes),
      relayState: (state) => this.#events.relayState(state),
      rejected: (reason) =>
        this.#events.notice('warning', `Refused something from the network: ${reason}.`, 'unreadable'),
    });
    return droppedCount;
  }

  /** Ends the transport and every wait, and resolves when this driver writes nothing any more; what is durable stays. */
  async stop(): Promise<void> {
    this.#driver.stop();
    this.#lifetime.abort(new PalmError('not-in-pool', 'This device left the pool.'));
    await this.#ports.transport.close();
    this.#requests.close();
    await Promise.allSettled([...this.#working, this.#publisher.idle()]);
    await this.#records.idle();
  }

  /** Resolves when every control message queued so far was handed to its link, or its link closed. */
  async flush(): Promise<void> {
    await Promise.allSettled([...this.#sending.values()].flatMap((ofDevice) => [...ofDevice]));
  }

  input(input: PeerInput): void {
    this.#driver.input(input);
  }

  /** Calls `listener` whenever inputs were handled and none waits, until the returned function is called. */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` after each block that was served by itself, until the returned function is called. */
  watchServed(listener: (to: DeviceId, hash: BlockHash) => void): () => void {
    return this.#serving.watch(listener);
  }

  /** @throws PalmError 'link-closed', 'deadline', 'refused' (the peer lacks it) or 'corrupt'; or the signal's reason. */
  request(to: DeviceId, ask: Ask, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    return this.#requests.request(to, ask, signal);
  }

  /** Signs, makes durable and spreads an entry of this device's log, in the order of the calls. */
  publish(body: EntryBody): Promise<CheckedEntry> {
    return this.#publisher.publish(body);
  }

  /** A fragment became durable in the store: from now on it counts. */
  fragmentHeld(stored: StoredFragment): void {
    const ofFile = this.#stored.get(stored.fileId) ?? new Map<number, StoredFragment>();
    this.#stored.set(stored.fileId, ofFile.set(stored.fragment, stored));
    const manifest = this.peer.catalogue.files().get(stored.fileId);
    const bytes = manifest === undefined ? stored.blockBytes : heldBytesOf(manifest);
    this.input({ kind: 'held', file: stored.fileId, fragment: stored.fragment, bytes });
  }

  /**
   * What is asked for, from this device's own store; undefined when it is not here.
   * @throws PalmError 'corrupt' once the damage was noted.
   */
  loadOwn(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#serving.load(ask);
  }

  /** As sentences name it: quoted, and never to be taken for another. */
  deviceNameOf(device: DeviceId): string {
    return quotedDevice(this.peer.catalogue, device);
  }

  /** A block here is lost: whichever fragments need it no longer count, and people are told. */
  async #blockLost(lost: BlockHash): Promise<void> {
    const key = blockKey(lost);
    for (const stored of [...this.#stored.values()].flatMap((ofFile) => [...ofFile.values()])) {
      const hashes = await this.#damaged.blocksOf(stored, this.#ports.fragments);
      if (hashes === undefined) await this.#lose(stored, 'An index');
      else if (hashes.some((hash) => blockKey(hash) === key)) await this.#lose(stored, 'A block');
    }
  }

  async #lose(stored: StoredFragment, what: 'A block' | 'An index'): Promise<void> {
    // It may have been dropped, or lost for another block, while somebody looked.
    if (this.#stored.get(stored.fileId)?.get(stored.fragment) !== stored) return;
    this.#forget(stored);
    const name = this.#nameOf(stored.fileId);
    const text = `${what} of ${name} on this device was damaged. That fragment no longer counts here; the other devices' fragments are used instead.`;
    this.#events.notice('warning', text);
    await this.#damaged.add(stored.fragmentId);
  }

  #nameOf(file: FileId): string {
    const access = this.peer.catalogue.files().get(file)?.access;
    return access?.kind === 'pool' ? `“${visibleName(access.details.name)}”` : 'a private file';
  }

  #settled(): void {
    this.#events.changed();
    for (const listener of this.#listeners) listener();
  }

  #perform(effect: PeerEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#inBackground(this.#send(effect.to, effect.message, effect.lane));
        break;
      case 'check-entries':
        this.#checking = this.#checkEntries(effect.from, effect.entries, effect.more);
        break;
      case 'keep-entries':
        this.#inBackground(this.#keepHeard(effect.entries));
        break;
      case 'forget-entries':
        this.#inBackground(this.#records.forget(effect.entries));
        break;
      case 'pull':
        this.#inBackground(this.#taker.take(effect));
        break;
      case 'prefetch':
        this.#inBackground(this.#prefetch(effect.from, effect.job, effect.block));
        break;
      case 'soon-over':
        this.#inBackground(this.#prefetcher.over(effect.from, effect.job));
        break;
      case 'drop':
        this.#inBackground(this.#drop(effect.file, effect.fragments));
        break;
      case 'outbox-done':
        this.#inBackground(this.#outboxDone(effect.file, effect.surplus));
        break;
      case 'answer':
        this.#requests.answer(effect.ticket, effect.result);
        break;
      case 'serve':
        this.#inBackground(this.#serving.serve(effect.to, effect.id, effect.ask));
        break;
      case 'challenge':
        this.#inBackground(this.#challenging.challenge(effect.id, effect.to, effect.places));
        break;
      case 'round':
        this.#inBackground(this.#challenging.begin(effect.round, effect.file, effect.fragments));
        break;
      case 'round-over':
        this.#challenging.over(effect.round);
        break;
      case 'prove':
        this.#inBackground(this.#challenging.prove(effect.to, effect.id, effect.asks));
        break;
      case 'stop-serving':
        this.#serving.stop(effect.to, effect.id);
        break;
      case 'other-protocol':
        this.#otherVersions.met(effect.device, this.deviceNameOf(effect.device), effect.protocol);
        break;
      case 'close-link':
        this.#ports.transport.closeLink(effect.device, effect.reason);
        break;
      case 'misdeed': {
        const { device, what, count } = effect;
        this.#events.misdeed(device, this.deviceNameOf(device), what, count);
        break;
      }
    }
  }

  async #send(to: DeviceId, message: Message, lane: Lane): Promise<void> {
    const sending = this.#ports.transport.send(to, encodeMessage(message), lane);
    const ofDevice = this.#sending.get(to) ?? new Set();
    this.#sending.set(to, ofDevice.add(sending));
    try {
      await sending;
    } finally {
      ofDevice.delete(sending);
      if (ofDevice.size === 0) this.#sending.delete(to);
    }
  }

  /** Expected ends (the link closed, the work was cancelled) are told by other events; anything else is shown. */
  #inBackground(work: Promise<unknown>): void {
    this.#working.add(work);
    const ended = work.finally(() => this.#working.delete(work));
    ended.catch((error: unknown) => {
      if (
        isPalmError(error, 'link-closed') ||
        isPalmError(error, 'cancelled') ||
        isPalmError(error, 'not-in-pool')
      )
        return;
      this.#events.notice(
        'error',
        isPalmError(error) ? error.message : `Something failed inside Palm: ${String(error)}`,
      );
    });
  }

  #linkDown(device: DeviceId): void {
    this.#inboxes.get(device)?.close();
    this.#inboxes.delete(device);
    this.input({ kind: 'link-down', device });
  }

  #receive(device: DeviceId, bytes: Uint8Array<ArrayBuffer>): void {
    let decoded: DecodedMessage;
    try {
      decoded = decodeMessage(bytes);
    } catch (error) {
      this.#events.notice(
        'warning',
        'A device sent a message that cannot be read; its link was closed.',
        'unreadable',
      );
      this.#ports.transport.closeLink(device, error instanceof Error ? error.message : 'unreadable message');
      return;
    }
    if (hasPayload(decoded.message.kind)) {
      this.input({ kind: 'message', from: device, ...decoded });
      return;
    }
    const inbox = this.#inboxes.get(device) ?? new Inbox((next) => this.#handle(device, next));
    this.#inboxes.set(device, inbox);
    if (inbox.put(decoded, bytes.length)) this.#inBackground(inbox.drain());
    else this.#ports.transport.closeLink(device, 'sends faster than this device can check');
  }

  /** A control message: entries are checked, and answers are on their way, before the next one is looked at. */
  async #handle(device: DeviceId, decoded: DecodedMessage): Promise<void> {
    this.input({ kind: 'message', from: device, ...decoded });
    const checking = this.#checking;
    this.#checking = undefined;
    await checking;
    // A device that asks faster than it takes the answers waits for them.
    const unsent = this.#sending.get(device);
    if (unsent !== undefined && unsent.size > MAX_UNSENT) await Promise.allSettled(unsent);
  }

  async #checkEntries(from: DeviceId, records: readonly Uint8Array[], more: boolean): Promise<void> {
    const entries = await checkEntries(records, { ...this.#ports, keys: this.#keys });
    this.input({
      kind: 'entries-checked',
      from,
      entries,
      refusedCount: records.length - entries.length,
      more,
    });
  }

  async #restoreRecords(): Promise<void> {
    this.peer.catalogue.tell(this.#ports.clock.nowMs());
    const damagedCount = await this.#records.restore();
    if (damagedCount === 0) return;
    const text =
      'Some of what this device keeps of the pool’s catalogue cannot be read any more. The other devices have it, and send it again.';
    this.#events.notice('warning', text);
  }

  /** Makes others' entries durable. Until a file's is, its fragments are not taken: a restart would sweep them away. */
  async #keepHeard(entries: readonly CheckedEntry[]): Promise<void> {
    const keeping = this.#records.keep(entries);
    const files = entries.flatMap(({ file }) => file?.fileId ?? []);
    for (const file of files) this.#keeping.set(file, keeping);
    await keeping;
    for (const file of files) this.#keeping.delete(file);
  }

  async #prefetch(from: DeviceId, job: JobId, block: BlockHash): Promise<void> {
    let outcome: PrefetchOutcome = 'failed';
    try {
      outcome = await this.#prefetcher.fetch(from, job, block);
      if (outcome === 'corrupt')
        this.#events.notice('warning', damagedBytesText(this.deviceNameOf(from)), 'damaged-bytes');
    } finally {
      this.input({ kind: 'prefetched', from, job, block, outcome });
    }
  }

  async #outboxDone(file: FileId, surplus: readonly number[]): Promise<void> {
    await this.#drop(file, surplus);
    await this.#ports.records.dropOutbox(file);
  }

  async #drop(file: FileId, fragments: readonly number[]): Promise<void> {
    const dropped = fragments.flatMap((fragment) => this.#stored.get(file)?.get(fragment) ?? []);
    for (const stored of dropped) this.#forget(stored);
    await this.#ports.fragments.drop(dropped.map(({ fragmentId }) => fragmentId));
  }

  #forget(stored: StoredFragment): void {
    const ofFile = this.#stored.get(stored.fileId);
    ofFile?.delete(stored.fragment);
    if (ofFile?.size === 0) this.#stored.delete(stored.fileId);
    this.input({ kind: 'unheld', file: stored.fileId, fragment: stored.fragment });
  }
}
