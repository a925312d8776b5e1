// One pool while this device is in it: its keys, driver and transport, and the use cases that need them.

import { atMost } from '../core/at-most.ts';
import { dateOf } from '../core/catalogue/clock.ts';
import { isPalmError, PalmError } from '../core/model/errors.ts';
import { checkGeometry, geometryOf } from '../core/model/geometry.ts';
import { decodeFileLink, encodeFileLink, type Invite } from '../core/model/invite.ts';
import { checkPolicyChange, chosenCounts, type Policy, type PolicyChange } from '../core/model/policy.ts';
import { KeyRing } from '../core/model/key-ring.ts';
import { derivePoolKeys } from '../core/model/pool-keys.ts';
import { checkDetails } from '../core/catalogue/manifest.ts';
import { reachOf } from '../core/placement/health.ts';
import type { Identity } from '../core/ports.ts';
import type { RelayState, Transport } from '../core/transport-port.ts';
import type { ReadOptions, ResumeOptions, StoreOptions, StoreResult } from './api.ts';
import { ActivityList } from './activity/activity-list.ts';
import { ActivityWatch } from './activity/activity-watch.ts';
import { ToldActivity, type ListedActivity } from './activity/told-activity.ts';
import { askedFile } from './asked-file.ts';
import { unlessAborted } from './unless-aborted.ts';
import { Invites } from './doors/invites.ts';
import { FileCare } from './file-care.ts';
import { blobSource, isFresh } from './store/blob-source.ts';
import { noticeOf } from './notice.ts';
import type { OpenPoolEvents } from './open-pool-events.ts';
import { PoolRecord } from './record/pool-record.ts';
import { PeerDriver } from './peer/peer-driver.ts';
import { isOfRepair, Repairing } from './repair/repairing.ts';
import { OfferedSpace } from './offered-space.ts';
import { logFull } from './peer/publishing.ts';
import type { ReadPorts } from './read/read-job.ts';
import { PrivateFiles } from './private-files.ts';
import { JoiningParts } from './joining-parts.ts';
import { Roles } from './roles.ts';
import { readAsked } from './read/read-asked.ts';
import { Rekeying } from './rekey/rekeying.ts';
import { withReserve } from './reserved-space.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import { SoftState } from './soft-state.ts';
import { abandonStore } from './store/already-here.ts';
import type { StorePorts, StoreRequest } from './store/store-job.ts';
import { awaitQuorum } from './store/awaiting-quorum.ts';
import { Naming } from './store/naming.ts';
import { StoreQuota } from './store/store-quota.ts';
import { storeFile } from './store/storing.ts';
import { Slices } from './slices.ts';
import { prepareStatuses } from './status.ts';
import type { Transfers } from './transfers.ts';
import { UnfinishedStores } from './store/unfinished-stores.ts';

/**
 * A session that ends waits at most this long, ms, for its driver and then for the stores that it aborted.
 */
const END_WITHIN_MS = 5_000;

export class OpenPool {
  readonly identity: Identity;
  readonly keys: KeyRing;
  readonly driver: PeerDriver;
  readonly repairing: Repairing;
  readonly rekeying: Rekeying;
  readonly transport: Transport;
  readonly unfinished: UnfinishedStores;
  readonly record: PoolRecord;
  readonly roles: Roles;
  readonly joiningParts: JoiningParts;
  readonly invites: Invites;
  readonly #naming: Naming;
  readonly fileCare: FileCare;
  readonly #storeQuota: StoreQuota;
  readonly privateFiles: PrivateFiles;
  readonly #ports: RuntimePorts;
  readonly #events: OpenPoolEvents;
  readonly #transfers: Transfers;
  relay: RelayState = 'connecting';
  /** Whether another device has ever answered this one. */
  answered = false;
  readonly #space: OfferedSpace;
  readonly #soft: SoftState;
  readonly #activityList = new ActivityList();
  readonly #activityWatch: ActivityWatch;
  readonly #told: ToldActivity;
  #ended = false;
  #endReason = left();
  /** Stores, and writes of remembered state, that have not ended. */
  readonly #working = new Set<Promise<unknown>>();

  constructor(
    invite: Invite,
    identity: Identity,
    ports: RuntimePorts,
    transfers: Transfers,
    events: OpenPoolEvents,
  ) {
    this.identity = identity;
    this.#ports = ports;
    this.#transfers = transfers;
    this.#space = new OfferedSpace(
      ports,
      (work) => this.#orNotice(work),
      (freeBytes) => {
        this.driver.input({ kind: 'space', freeBytes });
      },
    );
    this.privateFiles = new PrivateFiles(ports.cryptography);
    this.unfinished = new UnfinishedStores(ports, () => events.changed());
    this.keys = new KeyRing(derivePoolKeys(invite.secret, invite.epoch));
    this.record = new PoolRecord({
      ...ports,
      keys: this.keys,
      identity,
      catalogue: () => this.driver.peer.catalogue,
      acts: () => this.driver.peer.acts,
      leftOut: (count) => this.#events.notice('warning', { kind: 'rows-left-out', count }),
      orNotice: (work) => this.#orNotice(work),
    });
    this.#events = this.record.watching(events, () => !this.#ended);
    this.transport = ports.createTransport(this.keys.current, identity);
    this.driver = new PeerDriver({ ...ports, identity, transport: this.transport }, this.keys, {
      changed: () => this.#changed(),
      notice: (...told) => this.#events.notice(...told),
      misdeed: (...told) => this.#events.misdeed(...told),
      added: (entries) => {
        this.#activityWatch.entries(entries, this.driver.peer);
        this.rekeying.entries(entries);
      },
      relayState: (state) => {
        this.relay = state;
        events.changed();
      },
    });
    const { peer } = this.driver;
    this.#activityWatch = new ActivityWatch({ ...ports, self: identity.deviceId, list: this.#activityList });
    this.#told = new ToldActivity(this.#activityList, peer.catalogue, identity.deviceId);
    this.#soft = new SoftState(ports, peer, this.#activityList, (work) => this.#orNotice(work));
    this.repairing = new Repairing(
      { ...ports, ...this.#readPorts() },
      {
        changed: () => events.changed(),
        repaired: (...told) => {
          this.#activityWatch.repaired(...told);
          this.#changed();
        },
        failed: (error) => this.#events.notice('error', noticeOf(error)),
      },
    );
    const own = { ...ports, identity, driver: this.driver };
    this.roles = new Roles(own, (notice) => this.#events.notice('error', notice));
    this.joiningParts = new JoiningParts({ ...own, roles: this.roles });
    this.#naming = new Naming({ ...ports, driver: this.driver, keys: this.keys });
    this.fileCare = new FileCare({ ...own, roles: this.roles, space: this.#space, naming: this.#naming });
    this.#storeQuota = new StoreQuota(this.driver.peer, this.identity.deviceId);
    this.rekeying = new Rekeying(
      { ...ports, ...this.#storePorts(), roles: this.roles, share: this.repairing.share },
      { changed: () => events.changed(), failed: (error) => this.#events.notice('error', noticeOf(error)) },
    );
    this.invites = new Invites({
      ...ports,
      identity,
      driver: this.driver,
      keys: this.keys,
      invite,
      changed: () => events.changed(),
      failed: (error) => this.#events.notice('warning', noticeOf(error)),
    });
  }

  async start(): Promise<void> {
    this.#space.measure();
    this.#orNotice(this.#ports.quota.restoreReserve());
    const [damagedCount, lost] = await Promise.all([this.unfinished.load(), this.#soft.restoreActivity()]);
    const stores = this.unfinished.owners();
    const lostCount = lost + (await this.driver.restore((owner) => stores.has(owner) || isOfRepair(owner)));
    const lostPins = await this.fileCare.load();
    await Promise.all([this.repairing.start(), this.rekeying.start()]);
    const { peer } = this.driver;
    await this.unfinished.endPublished(Array.from(peer.catalogue.files().values(), ({ salt }) => salt));
    await prepareStatuses(peer, this.privateFiles, new Slices(this.#ports));
    this.driver.open();
    this.invites.start();
    if (damagedCount > 0) this.#events.notice('warning', { kind: 'unfinished-damaged' });
    const leftOut = lostCount + lostPins;
    if (leftOut > 0) this.#events.notice('warning', { kind: 'rows-left-out', count: leftOut });
  }

  /**
   * Ends every transfer and link. Resolves when they write nothing more, or after a while if something hangs.
   * What is durable stays.
   */
  async stop(reason = left()): Promise<void> {
    this.#ended = true;
    this.#endReason = reason;
    this.#space.stop();
    this.#soft.stop();
    this.record.stop();
    this.#transfers.abortAll(reason);
    await atMost(
      this.#ports.clock,
      END_WITHIN_MS,
      Promise.all([this.rekeying.stop(), this.repairing.stop(), this.driver.stop(), this.invites.stop()]),
    );
    // An aborted store ends within moments, unless its source hangs.
    await atMost(this.#ports.clock, END_WITHIN_MS, Promise.allSettled(this.#working));
  }

  store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    return this.#watched(this.#store(blob, options));
  }

  resume(id: string, blob: Blob | undefined, options: ResumeOptions): Promise<StoreResult> {
    return this.#watched(this.#resume(id, blob, options));
  }

  async discard(id: string): Promise<void> {
    const { storeId } = this.unfinished.claim(id);
    await withReserve(this.#ports.quota, () => abandonStore(storeId, this));
    this.#space.measure();
  }

  #watched(storing: Promise<StoreResult>): Promise<StoreResult> {
    this.#working.add(storing);
    // The caller awaits `storing`, and gets its failure.
    storing.catch(() => undefined).finally(() => this.#working.delete(storing));
    return storing;
  }

  async #store(blob: Blob, options: StoreOptions): Promise<StoreResult> {
    const { name, path = '', mime = blob.type, handle } = options;
    const { peer } = this.driver;
    const besideAnchors = options.private === true ? undefined : peer.anchoring.counts();
    const { k, n } = chosenCounts(options, peer.catalogue.policy, besideAnchors);
    const geometry = geometryOf(blob.size, k, n);
    checkGeometry(geometry, options.mirror === true);
    const request = { blob, geometry, details: { name, path, mime }, isPrivate: options.private === true };
    return this.#run({ ...request, handle, resumes: undefined }, options);
  }

  /** A continued store keeps its name; one that starts over gets the chosen file's. */
  async #resume(id: string, blob: Blob | undefined, options: ResumeOptions): Promise<StoreResult> {
    // The browser may ask whether the file may be read, and the person need not answer. Until then the store
    // can be discarded, or continued with a chosen file.
    const source = blob ?? (await unlessAborted(this.unfinished.open(id), options.signal));
    if (this.#ended) throw this.#endReason;
    const resumes = this.unfinished.claim(id);
    try {
      const { k, n, blockBytes, path, isPrivate, handle } = resumes;
      const geometry = { size: source.size, k, n, blockBytes };
      checkGeometry(geometry, k === 1);
      const name = source instanceof File ? source.name : resumes.name;
      const details = { name, path, mime: source.type };
      const handleNow = blob === undefined ? handle : undefined;
      return await this.#run(
        { blob: source, geometry, details, isPrivate, handle: handleNow, resumes },
        options,
      );
    } catch (error) {
      // A job that got as far as sealing has paused it already.
      this.unfinished.pause(id);
      if (!isPalmError(error, 'source-changed') || !this.unfinished.has(id)) throw error;
      throw new PalmError({ code: 'source-changed', reason: 'unread', name: resumes.name }, { cause: error });
    }
  }

  async #run(request: StoreRequest, options: ResumeOptions): Promise<StoreResult> {
    const { blob, geometry, details, isPrivate, handle, resumes } = request;
    checkDetails(details);
    this.roles.checkStore();
    // Reject now: sealing a large file for nothing would be worse.
    if (this.driver.peer.catalogue.roomOf(this.identity.deviceId, 'file') <= 0) throw logFull(true);
    const { signal } = options;
    const { name } = details;
    const start = { kind: 'store', name, phase: 'hashing', totalBytes: geometry.size, signal } as const;
    const transfer = this.#transfers.begin(start);
    try {
      const modifiedMs = blob instanceof File ? dateOf(blob.lastModified) : 0;
      const { memory, sources, clock } = this.#ports;
      const noticesChanges = sources.noticeChanges && !isFresh(blob, clock.wallMs());
      const source = blobSource(blob, memory, noticesChanges);
      const isPaced = options.durability !== 'fast';
      const job = { source, geometry, details, modifiedMs, isPrivate, handle, resumes, isPaced, transfer };
      const stored = await storeFile(job, this.#storePorts());
      const { fileId } = stored;
      const { peer } = this.driver;
      if (stored.kind === 'known' && stored.isSafe) {
        const placed = peer.outboxProgress(stored.content)?.placedCount;
        return { fileId, deduplicated: true, placed: placed ?? reachOf(peer.holdersOf(stored.content)) };
      }
      const isKept = isPrivate && stored.kind === 'stored';
      if (isKept) this.privateFiles.keep(fileId, stored.linkKey, stored.details);
      const link = isKept
        ? `${this.#ports.appUrl}#/file/${encodeFileLink({ fileId, linkKey: stored.linkKey })}`
        : undefined;
      const content = stored.kind === 'known' ? stored.content : fileId;
      const placed =
        options.durability === 'fast'
          ? (peer.outboxProgress(content)?.placedCount ?? geometry.n)
          : await awaitQuorum(content, geometry, this.driver, transfer);
      return { fileId, deduplicated: false, placed, ...(link === undefined ? {} : { link }) };
    } finally {
      transfer.end();
      this.#space.measureSoon();
    }
  }

  /**
   * `stopped` is called with the reason when the read is stopped from outside, even if no piece is awaited.
   * @throws PalmError at the first pull of the stream, for anything wrong with the arguments or the file.
   */
  async *read(
    id: string,
    options: ReadOptions,
    stopped: (error: unknown) => void,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    yield* readAsked(id, options, stopped, {
      catalogue: this.driver.peer.catalogue,
      privateFiles: this.privateFiles,
      transfers: this.#transfers,
      reading: this.#readPorts(),
      checkOpen: () => {
        if (this.#ended) throw this.#endReason;
      },
    });
  }

  async openLink(text: string): Promise<{ fileId: string }> {
    const { fileId, linkKey } = decodeFileLink(text);
    const { manifest } = askedFile(this.driver.peer.catalogue, fileId);
    await this.privateFiles.open(fileId, manifest, linkKey);
    this.#events.changed();
    return { fileId };
  }

  async setPolicy(change: PolicyChange): Promise<void> {
    this.roles.checkAdmin();
    const { catalogue, anchoring } = this.driver.peer;
    const parts = checkPolicyChange(change, catalogue.policy, anchoring.alwaysOn());
    if (Object.keys(parts).length > 0) await this.driver.publish({ kind: 'policy', parts });
  }

  activity(): readonly ListedActivity[] {
    return this.#told.told();
  }

  /** A copy. */
  policy(): Policy {
    const { isGraceSet: _, ...policy } = this.driver.peer.catalogue.policy;
    return structuredClone(policy);
  }

  #storePorts(): StorePorts {
    const { driver, keys, unfinished } = this;
    return {
      ...this.#ports,
      transport: this.transport,
      driver,
      keys,
      unfinished,
      naming: this.#naming,
      storeQuota: this.#storeQuota,
      notice: (notice) => this.#events.notice('warning', notice),
      misdeed: (device, what) => this.#events.misdeed(driver.quotedDevice(device), what, 1),
    };
  }

  #readPorts(): ReadPorts {
    return {
      ...this.#ports,
      driver: this.driver,
      transport: this.transport,
      notice: (notice) => this.#events.notice('warning', notice),
    };
  }

  #changed(): void {
    if (!this.answered && this.driver.peer.reachableDevices().length > 1) this.answered = true;
    this.#activityWatch.look(this.driver.peer);
    this.roles.look();
    this.driver.acts.policyChanged();
    this.#soft.changed();
    this.#events.changed();
  }

  #orNotice(work: Promise<void>): void {
    this.#working.add(work);
    const ended = work.finally(() => this.#working.delete(work));
    ended.catch((error: unknown) => this.#events.notice('error', noticeOf(error)));
  }
}

function left(): PalmError {
  return new PalmError({ code: 'not-in-pool', reason: 'left' });
}
