// The fragments that other devices asked this one to hold: taken, queued or refused with the reason, and
// fetched a few at a time, small ones together. Queued fragments count as if they were here already, so that
// neither the cap nor the offered space is ever promised twice.

import type { Manifest } from '../catalogue/manifest.ts';
import { heldBytesOf } from '../model/geometry.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import { type Refusal } from '../wire/messages.ts';
import { MAX_PLACES_PER_MESSAGE, type Place } from '../wire/places.ts';
import { hasSmallFragments, MAX_TOGETHER_BYTES } from '../wire/fragment-batch.ts';
import type { OwnHoldings } from './own-holdings.ts';

/** What is fetched together: one fragment, or small ones of one device. */
export interface Fetch {
  readonly places: readonly Place[];
  readonly from: DeviceId;
  /** Whether they can be asked for in one request. */
  readonly areSmall: boolean;
}

/** Fetches at the same time; more wait. */
const MAX_FETCHES = 8;
/** Shorter fetches share transactions: up to this many at a time if together they are below that, bytes. */
const MAX_SHORT_FETCHES = 48;
const SHORT_FETCHES_BYTES = 2 * 2 ** 20;
/** Fetches of small fragments from one device at a time. Until one ends, the next fragments gather. */
const MAX_SMALL_FETCHES = 2;
/** Fragments waiting to be fetched. */
const MAX_WAITING_PULLS = 4_096;

interface Pull {
  readonly place: Place;
  readonly from: DeviceId;
  readonly bytes: number;
  readonly isSmall: boolean;
}

interface Running {
  readonly from: DeviceId;
  readonly isSmall: boolean;
  /** By place, the pulls that have not ended. */
  readonly pulls: Map<string, Pull>;
  /** Of all pulls that it began with. */
  bytes: number;
}

/** What repair has to say about taking. */
export interface TakingRules {
  /** Offered space that repairs may use meanwhile, bytes. */
  readonly stagedBytes: number;
  /** Why `place` is not taken from `from`; undefined if it may be. */
  refusalOf(from: DeviceId, place: Place, manifest: Manifest): Refusal | undefined;
}

export class Taking {
  readonly #own: OwnHoldings;
  readonly #rules: TakingRules;
  /** By place, first come first. */
  readonly #waiting = new Map<string, Pull>();
  readonly #running = new Map<string, Running>();
  readonly #fetches = new Set<Running>();
  /** Fragments of each file, waiting or running. */
  readonly #counts = new Map<FileId, number>();
  #promisedBytes = 0;
  /** Whether anything came or ended since the last `start`. */
  #hasChanged = false;

  constructor(own: OwnHoldings, rules: TakingRules) {
    this.#own = own;
    this.#rules = rules;
  }

  /** Bytes of the fragments that are queued. */
  get promisedBytes(): number {
    return this.#promisedBytes;
  }

  /** Fragments of `file` that are queued. */
  countOf(file: FileId): number {
    return this.#counts.get(file) ?? 0;
  }

  /** `from` asks this device to hold a fragment; `manifest` is undefined when the file is not known here. */
  offered(from: DeviceId, place: Place, manifest: Manifest | undefined): 'queued' | 'held' | Refusal {
    if (manifest === undefined || place.fragment >= manifest.n) return 'unknown-file';
    const own = this.#own.of(place.file);
    if (own.has(place.fragment)) return 'held';
    const key = keyOf(place);
    if (this.#waiting.has(key) || this.#running.has(key)) return 'queued';
    return this.#rules.refusalOf(from, place, manifest) ?? this.#queued(from, place, manifest);
  }

  /** This device wants a copy of a fragment that `from` has. Whether it was queued. */
  wanted(from: DeviceId, place: Place, manifest: Manifest): boolean {
    const key = keyOf(place);
    if (this.#own.of(place.file).has(place.fragment) || this.#waiting.has(key) || this.#running.has(key))
      return false;
    return this.#queued(from, place, manifest) === 'queued';
  }

  #queued(from: DeviceId, place: Place, manifest: Manifest): 'queued' | Refusal {
    const key = keyOf(place);
    const own = this.#own.of(place.file);
    const ofFile = this.#counts.get(place.file) ?? 0;
    if (own.size + ofFile >= fragmentCap(manifest.k)) return 'cap';
    const bytes = heldBytesOf(manifest);
    if (this.#promisedBytes + this.#rules.stagedBytes + bytes > this.#own.freeBytes) return 'space';
    if (this.#waiting.size + this.#running.size >= MAX_WAITING_PULLS) return 'busy';
    this.#waiting.set(key, { place, from, bytes, isSmall: hasSmallFragments(manifest) });
    this.#counts.set(place.file, ofFile + 1);
    this.#promisedBytes += bytes;
    this.#hasChanged = true;
    return 'queued';
  }

  /** The fetch of `place` ended. If the fragment is now held, it uses offered space. */
  ended(place: Place, isHeld: boolean): void {
    const key = keyOf(place);
    const fetch = this.#running.get(key);
    const pull = fetch?.pulls.get(key);
    if (fetch === undefined || pull === undefined) return;
    this.#running.delete(key);
    this.#uncount(pull);
    fetch.pulls.delete(key);
    if (fetch.pulls.size === 0) {
      this.#fetches.delete(fetch);
      this.#hasChanged = true;
    }
    if (isHeld) this.#own.took(pull.bytes);
  }

  /** Forgets what `device` offered and no fetch has begun for: it will offer that again. */
  linkDown(device: DeviceId): void {
    for (const [key, pull] of this.#waiting) {
      if (pull.from !== device) continue;
      this.#waiting.delete(key);
      this.#uncount(pull);
    }
  }

  /** What to fetch now. Each of its places is reported with `ended`. */
  start(): Fetch[] {
    if (!this.#hasChanged) return [];
    this.#hasChanged = false;
    const started: Running[] = [];
    for (const [key, pull] of this.#waiting) {
      let fetch = pull.isSmall ? started.find((other) => canJoin(pull, other)) : undefined;
      if (fetch === undefined) {
        if (pull.isSmall && this.#smallFetchCount(pull.from) >= MAX_SMALL_FETCHES) continue;
        if (!this.#hasRoomFor(pull)) break;
        fetch = { from: pull.from, isSmall: pull.isSmall, pulls: new Map(), bytes: 0 };
        this.#fetches.add(fetch);
        started.push(fetch);
      }
      fetch.pulls.set(key, pull);
      fetch.bytes += pull.bytes;
      this.#waiting.delete(key);
      this.#running.set(key, fetch);
    }
    return started.map(({ from, isSmall, pulls }) => ({
      places: Array.from(pulls.values(), ({ place }) => place),
      from,
      areSmall: isSmall,
    }));
  }

  #smallFetchCount(from: DeviceId): number {
    let count = 0;
    for (const fetch of this.#fetches) if (fetch.isSmall && fetch.from === from) count += 1;
    return count;
  }

  #hasRoomFor(pull: Pull): boolean {
    if (this.#fetches.size < MAX_FETCHES) return true;
    let bytes = pull.bytes;
    for (const fetch of this.#fetches) bytes += fetch.bytes;
    return this.#fetches.size < MAX_SHORT_FETCHES && bytes <= SHORT_FETCHES_BYTES;
  }

  #uncount({ place, bytes }: Pull): void {
    this.#promisedBytes -= bytes;
    const count = (this.#counts.get(place.file) ?? 0) - 1;
    if (count > 0) this.#counts.set(place.file, count);
    else this.#counts.delete(place.file);
  }
}

function canJoin(pull: Pull, { from, isSmall, pulls, bytes }: Running): boolean {
  if (!isSmall || from !== pull.from || pulls.size >= MAX_PLACES_PER_MESSAGE) return false;
  return bytes + pull.bytes <= MAX_TOGETHER_BYTES;
}

function keyOf(place: Place): string {
  return `${place.file}/${place.fragment}`;
}
