// The fragments that other devices asked this one to hold: taken, queued or refused with the reason, and fetched a few at
// a time. What is queued is counted as if it were here already, so that neither the cap nor the space that this device
// offers is ever promised twice.

import type { Manifest } from '../catalogue/manifest.ts';
import { fragmentBytesOf } from '../model/geometry.ts';
import type { DeviceId } from '../model/ids.ts';
import { fragmentCap } from '../model/limits.ts';
import type { Place, Refusal } from '../wire/messages.ts';
import type { OwnFragments } from './own-fragments.ts';

/** Fragments fetched at once for others; more wait. */
const MAX_PULLS = 8;
/** Small ones share round trips and transactions: up to this many at once while they are together below that, bytes. */
const MAX_SMALL_PULLS = 48;
const SMALL_PULLS_BYTES = 2 * 2 ** 20;
/** Fragments waiting to be fetched. */
const MAX_WAITING_PULLS = 4_096;

interface Pull {
  readonly place: Place;
  readonly from: DeviceId;
  readonly bytes: number;
  running: boolean;
}

export class Taking {
  readonly #own: OwnFragments;
  /** By place, first come first. */
  readonly #pulls = new Map<string, Pull>();
  #promisedBytes = 0;

  constructor(own: OwnFragments) {
    this.#own = own;
  }

  /** Bytes of the fragments that are queued. */
  get promisedBytes(): number {
    return this.#promisedBytes;
  }

  /** `from` asks this device to hold a fragment; `manifest` is undefined when the file is not known here. */
  offered(from: DeviceId, place: Place, manifest: Manifest | undefined): 'queued' | 'held' | Refusal {
    if (manifest === undefined || place.fragment >= manifest.n) return 'unknown-file';
    const own = this.#own.of(place.file);
    if (own.has(place.fragment)) return 'held';
    if (this.#pulls.has(keyOf(place))) return 'queued';
    const ofFile = [...this.#pulls.values()].filter((pull) => pull.place.file === place.file).length;
    if (own.size + ofFile >= fragmentCap(manifest.k)) return 'cap';
    const bytes = fragmentBytesOf(manifest);
    if (this.#promisedBytes + bytes > this.#own.freeBytes) return 'space';
    if (this.#pulls.size >= MAX_WAITING_PULLS) return 'busy';
    this.#pulls.set(keyOf(place), { place, from, bytes, running: false });
    this.#promisedBytes += bytes;
    return 'queued';
  }

  /** The fetch of `place` ended; where the fragment is now held, it uses what was offered. */
  ended(place: Place, isHeld: boolean): void {
    const pull = this.#delete(keyOf(place));
    if (isHeld && pull !== undefined) this.#own.freeBytes = Math.max(0, this.#own.freeBytes - pull.bytes);
  }

  /** What `device` offered and nobody fetches yet is forgotten: it offers it again. */
  linkDown(device: DeviceId): void {
    for (const [key, pull] of this.#pulls) if (pull.from === device && !pull.running) this.#delete(key);
  }

  /** What to fetch now. */
  start(): { readonly place: Place; readonly from: DeviceId }[] {
    const started: Pull[] = [];
    let [runningCount, runningBytes] = [0, 0];
    for (const { running, bytes } of this.#pulls.values()) {
      if (!running) continue;
      runningCount += 1;
      runningBytes += bytes;
    }
    for (const pull of this.#pulls.values()) {
      if (runningCount >= MAX_SMALL_PULLS) break;
      if (pull.running) continue;
      if (runningCount >= MAX_PULLS && runningBytes + pull.bytes > SMALL_PULLS_BYTES) break;
      runningCount += 1;
      runningBytes += pull.bytes;
      started.push(pull);
    }
    for (const pull of started) pull.running = true;
    return started;
  }

  #delete(key: string): Pull | undefined {
    const pull = this.#pulls.get(key);
    this.#pulls.delete(key);
    this.#promisedBytes -= pull?.bytes ?? 0;
    return pull;
  }
}

function keyOf(place: Place): string {
  return `${place.file}/${place.fragment}`;
}
