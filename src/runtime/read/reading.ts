// Reads one file, or a range of it, as a stream: drives core's read plan, checks every index and block
// against its hash, and opens segments ahead of the reader, who gets them in order. Memory holds at most a
// window of segments.

import { deriveFileKey } from '../../core/coding/file-key.ts';
import { fragmentIndexOf, type FragmentIndex } from '../../core/coding/fragment-index.ts';
import { combineShares } from '../../core/coding/shamir.ts';
import { MachineDriver } from '../../core/machine-driver.ts';
import { isBug } from '../../core/model/bug.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { blockBytesOf, plainBytesOf, segmentBytesOf, segmentCountOf } from '../../core/model/geometry.ts';
import type { BlockHash, DeviceId } from '../../core/model/ids.ts';
import type { Ask } from '../../core/peer/requests.ts';
import type { ArrivedBlock } from '../../core/ports.ts';
import { ReadPlan, type ReadEffect, type ReadInput } from '../../core/reading/read-plan.ts';
import type { ReadJob, ReadPorts } from './read-job.ts';
import { SilenceWatch } from './silence-watch.ts';

/** Segments requested ahead of the one that is taken: some 8 MiB at k = 4. */
const WINDOW_SEGMENTS = 8;
/** Segments opened at a time: the next one travels to a worker while one is worked on. */
const MAX_OPENING = 2;
/** Workers that may die over one segment before the read ends. */
const MAX_DEATHS = 3;
/** A linked device is pinged after 2.5 s: one that was heard within this time is there, ms. */
const HEARD_WITHIN_MS = 4_000;

/** A block that waits for the others of its segment. */
interface Arrived {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The hash to match; undefined when it was checked already. */
  readonly hash: BlockHash | undefined;
  readonly device: DeviceId;
}

/**
 * The bytes start..end-1, in pieces of a segment at most. @throws PalmError 'not-enough-fragments',
 * 'corrupt'; 'worker-failed' and 'storage-failed' when this device itself fails; the signal's reason.
 */
export async function* readFile(
  job: ReadJob,
  ports: ReadPorts,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  if (job.start >= job.end) return;
  const session = new ReadSession(job, ports);
  try {
    yield* session.run();
  } finally {
    session.close();
  }
}

class ReadSession {
  readonly #job: ReadJob;
  readonly #ports: ReadPorts;
  readonly #driver: MachineDriver<ReadInput, ReadEffect>;
  readonly #firstSegment: number;
  readonly #endSegment: number;
  readonly #indexes = new Map<number, FragmentIndex>();
  /** By segment and fragment. */
  readonly #blocks = new Map<number, Map<number, Arrived>>();
  readonly #complete = new Set<number>();
  /** Complete segments that wait to be opened, in order. */
  readonly #unopened: number[] = [];
  #openingCount = 0;
  /** Opened segments that the reader has not taken. */
  readonly #opened = new Map<number, Uint8Array<ArrayBuffer>>();
  /** By segment: workers that died over it. */
  readonly #deaths = new Map<number, number>();
  readonly #asks = new Map<string, AbortController>();
  readonly #lifetime = new AbortController();
  readonly #silence: SilenceWatch;
  /** The file's revision when its sources were last read. */
  #revision: string | undefined;
  /** By fragment: every device that had it at some time during this read. */
  readonly #everHeld = new Map<number, Set<DeviceId>>();
  #failure: { readonly error: unknown } | undefined;
  /** The last failure of this device itself, until it succeeds again: others are not to blame meanwhile. */
  #ownFailure: PalmError | undefined;
  #key: Uint8Array | undefined;
  #wake: () => void = () => undefined;
  #stopWatching: () => void = () => undefined;

  constructor(job: ReadJob, ports: ReadPorts) {
    this.#job = job;
    this.#ports = ports;
    const segmentBytes = segmentBytesOf(job.manifest);
    this.#firstSegment = Math.floor(job.start / segmentBytes);
    this.#endSegment = Math.min(segmentCountOf(job.manifest), Math.ceil(job.end / segmentBytes));
    const plan = new ReadPlan({
      self: ports.driver.deviceId,
      k: job.manifest.k,
      n: job.manifest.n,
      firstSegment: this.#firstSegment,
      endSegment: this.#endSegment,
      windowSegments: WINDOW_SEGMENTS,
    });
    this.#driver = new MachineDriver<ReadInput, ReadEffect>({
      machine: plan,
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
    });
    const changed = (devices: ReadonlySet<DeviceId>): void => this.#input({ kind: 'silent', devices });
    this.#silence = new SilenceWatch({ ...ports, changed });
  }

  async *run(): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    const onAbort = (): void => this.#fail(this.#job.signal.reason);
    this.#job.signal.addEventListener('abort', onAbort, { once: true });
    this.#stopWatching = this.#ports.driver.watch(() => this.#sourcesChanged());
    try {
      this.#job.signal.throwIfAborted();
      this.#sourcesChanged();
      for (let segment = this.#firstSegment; segment < this.#endSegment; segment++) {
        const plain = await this.#takeSegment(segment);
        const offset = segment * segmentBytesOf(this.#job.manifest);
        yield plain.subarray(
          Math.max(0, this.#job.start - offset),
          Math.min(plain.length, this.#job.end - offset),
        );
      }
    } finally {
      this.#job.signal.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#stopWatching();
    this.#driver.stop();
    this.#silence.stop();
    const notWanted = new PalmError({ code: 'cancelled', reason: 'not-wanted' });
    this.#lifetime.abort(notWanted);
    for (const ask of this.#asks.values()) ask.abort(notWanted);
    this.#blocks.clear();
    this.#opened.clear();
  }

  async #takeSegment(segment: number): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      const plain = this.#opened.get(segment);
      if (plain === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        continue;
      }
      this.#opened.delete(segment);
      this.#input({ kind: 'taken' });
      return plain;
    }
  }

  /** Opens complete segments ahead of the reader, in the order in which they became complete. */
  #openNext(): void {
    while (this.#openingCount < MAX_OPENING && !this.#lifetime.signal.aborted) {
      const segment = this.#unopened.shift();
      if (segment === undefined) return;
      this.#openingCount += 1;
      const opening = this.#open(segment).finally(() => {
        this.#openingCount -= 1;
        this.#openNext();
      });
      this.#inBackground(opening);
    }
  }

  async #open(segment: number): Promise<void> {
    const { manifest } = this.#job;
    const { signal } = this.#lifetime;
    const arrived = this.#blocks.get(segment) ?? new Map<number, Arrived>();
    this.#blocks.delete(segment);
    const parameters = {
      key: this.#fileKey(),
      salt: manifest.salt,
      segmentIndex: segment,
      segmentCount: segmentCountOf(manifest),
      k: manifest.k,
      n: manifest.n,
    };
    const blocks = Array.from(arrived, ([index, { bytes, hash }]) => ({ index, bytes, hash }));
    try {
      const opening = await this.#ports.codec.open(
        parameters,
        blocks,
        plainBytesOf(manifest, segment),
        signal,
      );
      if (opening.kind === 'unsound') this.#dropUnsound(segment, arrived, opening.sound);
      else this.#opened.set(segment, opening.plain);
      this.#wake();
    } catch (error) {
      if (signal.aborted) return;
      const deathCount = (this.#deaths.get(segment) ?? 0) + 1;
      if (!isPalmError(error, 'worker-failed') || deathCount === MAX_DEATHS) throw error;
      // The blocks were lost with the worker; the next attempt fetches new ones.
      this.#deaths.set(segment, deathCount);
      this.#complete.delete(segment);
      this.#input({ kind: 'lost', segment });
    }
  }

  /** Keeps the sound blocks until replacements for the others arrive. */
  #dropUnsound(
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
      this.#notGiven(fragment, device);
      this.#input({ kind: 'unsound', segment, fragment, device });
    }
  }

  /** Known once k indexes are. */
  #fileKey(): Uint8Array {
    this.#key ??= this.#combineKey();
    return this.#key;
  }

  #combineKey(): Uint8Array {
    const { manifest, linkKey } = this.#job;
    const shares = [...this.#indexes.values()].slice(0, manifest.k);
    const sharedKey = combineShares(shares.map(({ fragment, share }) => ({ index: fragment, share })));
    return deriveFileKey(linkKey, sharedKey, manifest.salt);
  }

  /** Tells the plan which devices can be asked for what, whenever that may have changed. */
  #sourcesChanged(): void {
    const { peer } = this.#ports.driver;
    if (peer.catalogue.isRemoved(this.#job.fileId)) {
      this.#fail(new PalmError({ code: 'removed-file', reason: 'while-read' }));
      return;
    }
    const revision = peer.revisionOf(this.#job.fileId);
    if (revision === this.#revision) return;
    this.#revision = revision;
    for (const [device, fragments] of peer.holdersOf(this.#job.fileId)) {
      for (const fragment of fragments)
        this.#everHeld.set(fragment, (this.#everHeld.get(fragment) ?? new Set()).add(device));
    }
    // A device that found one block of its fragment damaged no longer claims the fragment, but its other
    // blocks are still good.
    const sources = new Map<number, DeviceId[]>();
    for (const [fragment, devices] of this.#everHeld) {
      const there = [...devices].filter((device) => peer.isReachable(device));
      if (there.length > 0) sources.set(fragment, there);
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
      case 'complete':
        this.#silence.advanced();
        this.#complete.add(effect.segment);
        this.#unopened.push(effect.segment);
        this.#openNext();
        break;
      case 'starved':
        this.#fail(this.#ownFailure ?? this.#notEnough(effect));
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
      // This device's own store has checked the hash already.
      const isOwn = device === this.#ports.driver.deviceId;
      const row = this.#blocks.get(segment) ?? new Map<number, Arrived>();
      this.#blocks.set(segment, row.set(fragment, { bytes, hash: isOwn ? undefined : hash, device }));
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
      return this.#silence.watch(device, () => this.#ports.driver.request(device, ask, signal));
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
    const isAnswer =
      isPalmError(error, 'refused') || isPalmError(error, 'corrupt') || isPalmError(error, 'bad-message');
    if (isAnswer) this.#notGiven(fragment, device);
  }

  #notGiven(fragment: number, device: DeviceId): void {
    const { driver } = this.#ports;
    if (device === driver.deviceId) return;
    driver.input({ kind: 'not-given', device, file: this.#job.fileId, fragment });
  }

  #tellDamaged(device: DeviceId): void {
    this.#ports.notice({ kind: 'damaged-block', from: this.#ports.driver.quotedDevice(device) });
  }

  #notEnough({ reach, silent }: Extract<ReadEffect, { kind: 'starved' }>): PalmError {
    const { k } = this.#job.manifest;
    const names = silent.map((device) => this.#ports.driver.quotedDevice(device).name);
    const isHeard = silent.every((device) => this.#ports.transport.silentForMs(device) < HEARD_WITHIN_MS);
    return new PalmError({ code: 'not-enough-fragments', reach, k, silent: names, isHeard });
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }
}
