// How often a phone that has the app open can open a file, as a model: sessions as in populations.ts, a file
// that is stored while two of nine phones are awake, and Palm's own rules for who gets what and what moves.
// Devices must be awake together for a while before one gives another a fragment. Nothing is lost.

import { anchoredCounts } from '../../src/core/model/geometry.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import { DEFAULT_K, DEFAULT_N } from '../../src/core/model/limits.ts';
import { anchoredMove } from '../../src/core/placement/anchored-move.ts';
import { NO_ANCHORS } from '../../src/core/placement/anchors.ts';
import { marginOf, reachOf } from '../../src/core/placement/health.ts';
import { planPlacement } from '../../src/core/placement/placement.ts';
import { evenMove, HASTE, spreadOf } from '../../src/core/placement/spread.ts';
import { randomFrom } from '../sim/seeded-random.ts';
import { Agenda } from './agenda.ts';
import { DAY_MS, sessionsOf } from './populations.ts';

export interface AvailabilityOptions {
  readonly phoneCount: number;
  /** Whether there is a device that is always on, and whether it is an anchor. */
  readonly alwaysOn: 'none' | 'spread' | 'anchored';
  readonly seed: number;
  readonly days: number;
}

export interface Availability {
  readonly k: number;
  readonly n: number;
  /** ms that phones were awake, and could open the file meanwhile: in the first week, and later. */
  readonly first: Share;
  readonly later: Share;
  /** From when on each phone had a fragment, days after the store; undefined: not within the time. */
  readonly completeDays: number | undefined;
  /** How many phones may be lost in the end after the device that is always on, or none, was. */
  readonly marginWithout: number;
}

export interface Share {
  awakeMs: number;
  openMs: number;
}

/** Devices agree on what they see, offer and fetch within this, ms. */
const MOVE_MS = 15_000;
const WEEK_MS = 7 * DAY_MS;
const ALWAYS_ON = 'always on' as DeviceId;

export function runAvailability(options: AvailabilityOptions): Availability {
  return new Model(options).run();
}

class Model {
  readonly #options: AvailabilityOptions;
  readonly #agenda = new Agenda();
  readonly #awake = new Map<DeviceId, number>();
  readonly #held = new Map<DeviceId, Set<number>>();
  readonly #file: { readonly k: number; readonly n: number; readonly salt: Uint8Array };
  readonly #anchors: ReadonlySet<DeviceId>;
  readonly #phones: readonly DeviceId[];
  readonly #shares: readonly [Share, Share] = [
    { awakeMs: 0, openMs: 0 },
    { awakeMs: 0, openMs: 0 },
  ];
  #lastMs = 0;
  #completeMs: number | undefined;

  constructor(options: AvailabilityOptions) {
    this.#options = options;
    const { phoneCount, alwaysOn, seed } = options;
    const counts = alwaysOn === 'anchored' ? anchoredCounts(phoneCount) : { k: DEFAULT_K, n: DEFAULT_N };
    this.#file = { ...counts, salt: randomFrom(seed).bytes(32) };
    this.#anchors = alwaysOn === 'anchored' ? new Set([ALWAYS_ON]) : NO_ANCHORS;
    this.#phones = Array.from({ length: phoneCount }, (_, at) => `phone ${at}` as DeviceId);
    if (alwaysOn !== 'none') this.#awake.set(ALWAYS_ON, 0);
  }

  run(): Availability {
    const { seed, days } = this.#options;
    const endMs = days * DAY_MS;
    this.#store();
    for (const [at, phone] of this.#phones.entries()) {
      const random = randomFrom(Math.imul(seed, 7_919) + Math.imul(at, 104_729));
      for (const { startMs, endMs: untilMs } of sessionsOf('phone', random, 0, endMs)) {
        this.#agenda.add(startMs, () => this.#at(startMs, () => this.#awake.set(phone, startMs)));
        this.#agenda.add(startMs + MOVE_MS, () => this.#at(startMs + MOVE_MS, () => this.#move(startMs)));
        this.#agenda.add(untilMs, () => this.#at(untilMs, () => this.#awake.delete(phone)));
      }
    }
    this.#agenda.runUntil(endMs);
    const [first, later] = this.#shares;
    const phones = new Map([...this.#held].filter(([device]) => device !== ALWAYS_ON));
    const { k, n } = this.#file;
    const completeDays = this.#completeMs === undefined ? undefined : this.#completeMs / DAY_MS;
    return { k, n, first, later, completeDays, marginWithout: marginOf(phones, k) };
  }

  /** Two phones are awake, and the device that is always on if there is one. */
  #store(): void {
    const { k, n, salt } = this.#file;
    const awake = [...this.#phones.slice(0, 2), ...this.#awake.keys()];
    const fragments = Array.from({ length: n }, (_, at) => at);
    const homes = planPlacement({
      salt,
      k,
      fragments,
      fragmentBytes: 1,
      candidates: awake.map((device) => ({ device, freeBytes: 1e9 })),
      held: new Map(),
      anchors: this.#anchors,
    });
    // What fits nowhere stays with the storer until it fits.
    for (const fragment of fragments) this.#give(homes.get(fragment) ?? ('phone 0' as DeviceId), fragment);
  }

  #give(device: DeviceId, fragment: number): void {
    this.#held.set(device, (this.#held.get(device) ?? new Set()).add(fragment));
  }

  #at(nowMs: number, change: () => void): void {
    const share = this.#shares[this.#lastMs < WEEK_MS ? 0 : 1];
    const phoneCount = [...this.#awake.keys()].filter((device) => device !== ALWAYS_ON).length;
    const awakeMs = phoneCount * (nowMs - this.#lastMs);
    const held = new Map([...this.#held].filter(([device]) => this.#awake.has(device)));
    share.awakeMs += awakeMs;
    if (phoneCount > 0 && reachOf(held) >= this.#file.k) share.openMs += awakeMs;
    this.#lastMs = nowMs;
    change();
  }

  /** Moves among those that are awake since `sinceMs`, until none is left to make. */
  #move(sinceMs: number): void {
    const there = [...this.#awake].filter(([, awakeMs]) => awakeMs <= sinceMs).map(([device]) => device);
    for (let isMoving = true; isMoving;) isMoving = there.some((self) => this.#step(self, there));
    if (this.#phones.every((phone) => (this.#held.get(phone)?.size ?? 0) > 0))
      this.#completeMs ??= this.#lastMs;
  }

  #step(self: DeviceId, there: readonly DeviceId[]): boolean {
    const input = {
      file: this.#file,
      holders: this.#held,
      self,
      takers: there.filter((device) => device !== self),
      isThere: (device: DeviceId) => there.includes(device),
      hasteOf: () => HASTE.none,
      anchors: this.#anchors,
      lacksHomes: false,
    };
    const spread = spreadOf(input);
    const drop = spread.surplus.find(({ device }) => device === self);
    if (drop !== undefined) this.#held.get(self)?.delete(drop.fragment);
    const move = this.#anchors.size > 0 ? anchoredMove(spread, input) : evenMove(spread, input);
    if (drop === undefined && move !== undefined && move.turn === 0) this.#give(move.to, move.fragment);
    return drop !== undefined || move?.turn === 0;
  }
}
