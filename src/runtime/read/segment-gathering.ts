// Gathers k blocks of each segment of a file: drives core's read plan, checks every index against the
// manifest, and finds other blocks for those that turn out unsound. Reads open what it gathers, and repairs
// rebuild lost blocks from it. Memory holds at most a window of segments.

import { fragmentIndexOf, type FragmentIndex } from '../../core/coding/fragment-index.ts';
import { MachineDriver } from '../../core/machine-driver.ts';
import { isBug } from '../../core/model/bug.ts';
import type { Manifest } from '../../core/catalogue/manifest.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { blockBytesOf } from '../../core/model/geometry.ts';
import type { BlockHash, DeviceId, FileId } from '../../core/model/ids.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { TraceMark } from '../../core/wire/trace-mark.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { ArrivedBlock } from '../../core/ports.ts';
import type { ReadEffect, ReadInput } from '../../core/reading/read-events.ts';
import { ReadPlan } from '../../core/reading/read-plan.ts';
import { evidenceOf } from './evidence.ts';
import type { ReadPorts } from './read-job.ts';
import { SilenceWatch } from './silence-watch.ts';

/** A linked device is pinged after 2.5 s: one that was heard within this time is there, ms. */
const HEARD_WITHIN_MS = 4_000;

/** A block that waits for the others of its segment. */
export interface Arrived {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The hash to match; undefined when it was checked already. */
  readonly hash: BlockHash | undefined;
  readonly device: DeviceId;
}

export interface GatheringJob {
  readonly fileId: FileId;
  readonly manifest: Manifest;
  readonly firstSegment: number;
  /** One past the last. */
  readonly endSegment: number;
  /** Segments requested ahead of the one that is taken. */
  readonly windowSegments: number;
  /**
   * Whether to ask all reachable devices, instead of giving up, when those that claim the file have too
   * little: one that withdrew a fragment over one damaged block still has the others.
   */
  readonly asksAll?: boolean;
  /** The request that asks are part of. */
  readonly trace?: TraceMark | undefined;
}

export interface GatheringEvents {
  /** k blocks of the segment are here; they are the callee's. By fragment. */
  complete(segment: number, blocks: ReadonlyMap<number, Arrived>): void;
  failed(error: unknown): void;
}

export class SegmentGathering {
  readonly #job: GatheringJob;
  readonly #ports: ReadPorts;
  readonly #events: GatheringEvents;
  readonly #driver: MachineDriver<ReadInput, ReadEffect>;
  readonly #indexes = new Map<number, FragmentIndex>();
  /** By segment and fragment. */
  readonly #blocks = new Map<number, Map<number, Arrived>>();
  readonly #complete = new Set<number>();
  readonly #asks = new Map<string, AbortController>();
  readonly #lifetime = new AbortController();
  readonly #silence: SilenceWatch;
  /** The file's revision when its sources were last read. */
  #revision: string | undefined;
  #isAskingAll = false;
  /** As the plan was told last. */
  #awaitedUntilMs: MonotonicMs = -Infinity;
  /** By fragment: every device that had it at some time during this gathering. */
  readonly #everHeld = new Map<number, Set<DeviceId>>();
  /** The last failure of this device itself, until it succeeds again: others are not to blame meanwhile. */
  #ownFailure: PalmError | undefined;
  #stopWatching: () => void = () => undefined;

  constructor(job: GatheringJob, ports: ReadPorts, events: GatheringEvents) {
    this.#job = job;
    this.#ports = ports;
    this.#events = events;
    const { k, n } = job.manifest;
    this.#driver = new MachineDriver<ReadInput, ReadEffect>({
      machine: new ReadPlan({ ...job, self: ports.driver.deviceId, k, n }),
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
    });
    const changed = (devices: ReadonlySet<DeviceId>): void => this.#input({ kind: 'silent', devices });
    this.#silence = new SilenceWatch({ ...ports, changed });
  }

  /** The indexes that are here, k or more once a segment is complete; all fit the manifest. */
  get indexes(): ReadonlyMap<number, FragmentIndex> {
    return this.#indexes;
  }

  start(): void {
    this.#stopWatching = this.#ports.driver.watch(() => this.#sourcesChanged());
    this.#sourcesChanged();
  }

  close(): void {
    this.#stopWatching();
    this.#driver.stop();
    this.#silence.stop();
    const notWanted = new PalmError({ code: 'cancelled', reason: 'not-wanted' });
    this.#lifetime.abort(notWanted);
    for (const ask of this.#asks.values()) ask.abort(notWanted);
    this.#blocks.clear();
  }

  /** The first segment of the window is done with: the window moves on. */
  taken(): void {
    this.#input({ kind: 'taken' });
  }

  /** The blocks of a complete segment were lost before they were used: all are asked for again. */
  lost(segment: number): void {
    this.#complete.delete(segment);
    this.#input({ kind: 'lost', segment });
  }

  /** Keeps the `sound` blocks of a complete segment until replacements for the others arrive. */
  unsound(
    segment: number,
    arrived: ReadonlyMap<number, Arrived>,
    sound: readonly Pick<ArrivedBlock, 'index' | 'bytes'>[],
  ): void {
    this.#complete.delete(segment);
    const soundBytes = new Map(sound.map(({ index, bytes }) => [index, bytes]));
    const kept = new Map<number, Arrived>();
    this.#blocks.set(segment, kept);
    for (const [fragment, { device }] of arrived) {
      const bytes = soundBytes.get(fragment);
      if (bytes !== undefined) {
        kept.set(fragment, { bytes, hash: undefined, device });
        continue;
      }
      this.#tellDamaged(device);
      this.#notGiven(fragment, device, true);
      this.#input({ kind: 'unsound', segment, fragment, device });
    }
  }

  /** Tells the plan which devices can be asked for what, whenever that may have changed. */
  #sourcesChanged(): void {
    const { peer } = this.#ports.driver;
    if (peer.catalogue.isRemoved(this.#job.fileId)) {
      this.#events.failed(new PalmError({ code: 'removed-file', reason: 'while-read' }));
      return;
    }
    const untilMs = this.#ports.driver.linkChance.untilMs();
    if (untilMs !== this.#awaitedUntilMs) this.#input({ kind: 'awaited', untilMs });
    this.#awaitedUntilMs = untilMs;
    const revision = peer.revisionOf(this.#job.fileId);
    if (revision === this.#revision) return;
    this.#revision = revision;
    for (const [device, fragments] of peer.holdersOf(this.#job.fileId)) {
      for (const fragment of fragments)
        this.#everHeld.set(fragment, (this.#everHeld.get(fragment) ?? new Set()).add(device));
    }
    this.#tellSources();
  }

  #tellSources(): void {
    const { peer } = this.#ports.driver;
    // A device that found one block of its fragment damaged no longer claims the fragment, but its other
    // blocks are still good.
    const sources = new Map<number, DeviceId[]>();
    for (const [fragment, devices] of this.#everHeld) {
      const there = [...devices].filter((device) => peer.isReachable(device));
      if (there.length > 0) sources.set(fragment, there);
    }
    if (this.#isAskingAll) {
      for (let fragment = 0; fragment < this.#job.manifest.n; fragment++)
        sources.set(fragment, [...new Set([...(sources.get(fragment) ?? []), ...peer.reachableDevices()])]);
    }
    this.#input({ kind: 'sources', sources });
  }

  #input(input: ReadInput): void {
    this.#driver.input(input);
  }

  #perform(effect: ReadEffect): void {
    switch (effect.kind) {
      case 'ask-index':
        this.#inBackground(this.#askIndex(effect.fragment, effect.device));
        break;
      case 'ask-block':
        this.#inBackground(this.#askBlock(effect.segment, effect.fragment, effect.device));
        break;
      case 'stop-block':
        this.#asks
          .get(`${effect.segment}/${effect.fragment}`)
          ?.abort(new PalmError({ code: 'cancelled', reason: 'not-wanted' }));
        break;
      case 'complete': {
        this.#silence.advanced();
        this.#complete.add(effect.segment);
        const blocks = this.#blocks.get(effect.segment) ?? new Map<number, Arrived>();
        this.#blocks.delete(effect.segment);
        this.#events.complete(effect.segment, blocks);
        break;
      }
      case 'starved':
        if (this.#job.asksAll === true && !this.#isAskingAll) {
          this.#isAskingAll = true;
          this.#tellSources();
        } else this.#events.failed(this.#ownFailure ?? this.#notEnough(effect));
        break;
    }
  }

  async #askIndex(fragment: number, device: DeviceId): Promise<void> {
    try {
      const bytes = await this.#fetch(
        device,
        { kind: 'get-index', file: this.#job.fileId, fragment },
        this.#lifetime.signal,
      );
      this.#indexes.set(fragment, fragmentIndexOf(bytes, this.#job.manifest, fragment));
      this.#input({ kind: 'index', fragment });
    } catch (error) {
      if (this.#lifetime.signal.aborted) return;
      if (isBug(error)) throw error;
      this.#doubt(error, fragment, device);
      this.#input({ kind: 'index-failed', fragment, device, forGood: this.#isForGood(error, device) });
    }
  }

  async #askBlock(segment: number, fragment: number, device: DeviceId): Promise<void> {
    const key = `${segment}/${fragment}`;
    const hash = this.#indexes.get(fragment)?.blocks[segment];
    if (hash === undefined) throw new Error('blocks are asked for only once their index is known');
    if (this.#lifetime.signal.aborted) return;
    const ask = new AbortController();
    this.#asks.set(key, ask);
    try {
      const bytes = await this.#fetch(device, { kind: 'get-block', hash }, ask.signal);
      if (bytes.length !== blockBytesOf(this.#job.manifest, segment))
        throw new PalmError({ code: 'corrupt', reason: 'block-length' });
      this.#ownFailure = undefined;
      if (this.#complete.has(segment)) {
        this.#ports.memory.give(bytes);
        return;
      }
      const { driver } = this.#ports;
      // This device's own store, and the lane, have checked the hash already.
      const isChecked = device === driver.deviceId || driver.lanes.hasChecked(bytes);
      const row = this.#blocks.get(segment) ?? new Map<number, Arrived>();
      this.#blocks.set(segment, row.set(fragment, { bytes, hash: isChecked ? undefined : hash, device }));
      this.#input({ kind: 'block', segment, fragment });
    } catch (error) {
      if (ask.signal.aborted) return;
      if (isBug(error)) throw error;
      this.#doubt(error, fragment, device);
      this.#input({
        kind: 'block-failed',
        segment,
        fragment,
        device,
        forGood: this.#isForGood(error, device),
      });
    } finally {
      if (this.#asks.get(key) === ask) this.#asks.delete(key);
    }
  }

  async #fetch(device: DeviceId, ask: Ask, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (device !== this.#ports.driver.deviceId) {
      const { trace } = this.#job;
      const traced = trace === undefined ? ask : { ...ask, trace };
      return this.#silence.watch(device, () => this.#ports.driver.request(device, traced, signal));
    }
    const bytes = await this.#ports.driver.loadOwn(ask);
    if (bytes === undefined) throw new PalmError({ code: 'refused', reason: 'not-here' });
    return bytes;
  }

  /** Whether this failure makes another request for the same pointless; reports damage. */
  #isForGood(error: unknown, device: DeviceId): boolean {
    if (isPalmError(error, 'corrupt') || isPalmError(error, 'bad-message')) {
      this.#tellDamaged(device);
      return true;
    }
    // A worker of this device failed: the next call gets a new one. Failures of others have other codes.
    if (isPalmError(error, 'storage-failed')) this.#ownFailure = error;
    return isPalmError(error, 'refused');
  }

  /** A device that is slow or gone may still have what it claims; after an answer like these it has not. */
  #doubt(error: unknown, fragment: number, device: DeviceId): void {
    const evidence = evidenceOf(error);
    if (evidence !== undefined) this.#notGiven(fragment, device, evidence === 'wrong');
  }

  #notGiven(fragment: number, device: DeviceId, isWrong: boolean): void {
    const { driver } = this.#ports;
    if (device === driver.deviceId) return;
    driver.input({ kind: 'not-given', device, file: this.#job.fileId, fragment, isWrong });
  }

  #tellDamaged(device: DeviceId): void {
    this.#ports.notice({ kind: 'damaged-block', from: this.#ports.driver.quotedDevice(device) });
  }

  #notEnough({ reach, silent: asked }: Extract<ReadEffect, { kind: 'starved' }>): PalmError {
    const { fileId, manifest } = this.#job;
    const { peer } = this.#ports.driver;
    // What is linked and owes answers is not even asked.
    const owing = [...peer.holdersOf(fileId).keys()].filter((device) => peer.membership.isSilent(device));
    const silent = [...new Set([...asked, ...owing])];
    const { k } = manifest;
    const names = silent.map((device) => this.#ports.driver.quotedDevice(device).name);
    const isHeard = silent.every((device) => this.#ports.transport.silentForMs(device) < HEARD_WITHIN_MS);
    return new PalmError({ code: 'not-enough-fragments', reach, k, silent: names, isHeard });
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#events.failed(error));
  }
}
