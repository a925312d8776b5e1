// A pool over months, as a model: sessions, losses for good, and repair by Palm's own rules, without messages
// or bytes. A device-year takes milliseconds, so triggers can be compared. What protocol and disks do is the
// simulator's matter (test/sim): here a repair takes no time, and everybody knows what all devices hold.

import { geometryOf } from '../../src/core/model/geometry.ts';
import type { DeviceId, FileId } from '../../src/core/model/ids.ts';
import { fragmentCap } from '../../src/core/model/limits.ts';
import { NO_ANCHORS } from '../../src/core/placement/anchors.ts';
import { planPlacement } from '../../src/core/placement/placement.ts';
import { repairersOf, type RepairedFile, type RepairNeed } from '../../src/core/repair/repair-need.ts';
import { randomFrom, type SeededRandom } from '../sim/seeded-random.ts';
import { sharedSilenceMs } from '../../src/core/membership/learned-grace.ts';
import { Agenda } from './agenda.ts';
import {
  DAY_MS,
  MINUTE_MS,
  lifeMs,
  sessionsOf,
  type Kind,
  type Population,
  type Session,
} from './populations.ts';
import type { Trigger } from './triggers.ts';

export interface Outcome {
  readonly deviceYears: number;
  readonly files: number;
  readonly lostFiles: number;
  /** Devices lost for good, and devices that counted as gone and came back. */
  readonly losses: number;
  readonly falseGone: number;
  /** Share of the time in which k fragments of a file were awake. */
  readonly openable: number;
  /** Fragments that were rebuilt, and how many fragments' bytes that moved. */
  readonly rebuilt: number;
  readonly moved: number;
  readonly repairs: number;
}

export interface ModelOptions {
  readonly population: Population;
  readonly trigger: Trigger;
  readonly seed: number;
  readonly k: number;
  readonly n: number;
  readonly fileCount: number;
}

interface Device {
  readonly id: DeviceId;
  readonly kind: Kind;
  readonly sessions: Iterator<Session>;
  readonly files: Set<File>;
  isAwake: boolean;
  isLost: boolean;
  isGone: boolean;
  lastAwakeMs: number;
  longestAwayMs: number;
}

interface File {
  readonly id: FileId;
  readonly manifest: RepairedFile;
  readonly holders: Map<Device, Set<number>>;
  /** By fragment: holders that are awake. */
  readonly awake: number[];
  awakeCount: number;
  awakeSinceMs: number;
  openableMs: number;
  isLost: boolean;
  nextLookMs: number;
}

/** Room is no concern here. */
const ROOM_BYTES = 2 ** 40;
/** Between two looks at a file that needs repair and could not be repaired. */
const LOOK_EVERY_MS = 10 * MINUTE_MS;
/** A new device takes the place of a lost one after a few days. */
const REPLACED_AFTER_MS = 3 * DAY_MS;

/** Equal options give equal outcomes; the devices' sessions and losses do not depend on the trigger. */
export function runModel(options: ModelOptions): Outcome {
  return new Model(options).run();
}

class Model {
  readonly #options: ModelOptions;
  readonly #agenda = new Agenda();
  readonly #devices = new Map<DeviceId, Device>();
  readonly #files: File[] = [];
  readonly #needy = new Set<File>();
  /** Draws what concerns files only, so that devices do not depend on repairs. */
  readonly #fileRandom: SeededRandom;
  #deviceCount = 0;
  #deviceMs = 0;
  #losses = 0;
  #falseGone = 0;
  #goneCount = 0;
  #rebuilt = 0;
  #moved = 0;
  #repairs = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
    this.#fileRandom = randomFrom(options.seed ^ 0x5eed);
  }

  run(): Outcome {
    const { population } = this.#options;
    for (const [kind, count] of kindsOf(population)) for (let at = 0; at < count; at++) this.#arrive(0, kind);
    this.#storeFiles();
    this.#agenda.runUntil(population.durationMs);
    for (const file of this.#files) this.#countOpenable(population.durationMs, file);
    const lost = this.#files.filter(({ isLost }) => isLost).length;
    const openableMs = this.#files.reduce((sum, file) => sum + file.openableMs, 0);
    return {
      deviceYears: this.#deviceMs / (365 * DAY_MS),
      files: this.#files.length,
      lostFiles: lost,
      losses: this.#losses,
      falseGone: this.#falseGone,
      openable: openableMs / (this.#files.length * population.durationMs),
      rebuilt: this.#rebuilt,
      moved: this.#moved,
      repairs: this.#repairs,
    };
  }

  #arrive(nowMs: number, kind: Kind): void {
    const { population, seed } = this.#options;
    const number = this.#deviceCount++;
    const random = randomFrom(Math.imul(seed, 7_919) + Math.imul(number, 104_729));
    const sessions = sessionsOf(kind, random, nowMs, population.durationMs);
    const device: Device = {
      id: `device-${number}` as DeviceId,
      kind,
      sessions,
      files: new Set(),
      isAwake: false,
      isLost: false,
      isGone: false,
      lastAwakeMs: nowMs,
      longestAwayMs: 0,
    };
    this.#devices.set(device.id, device);
    const endMs = kind === 'visitor' ? Infinity : nowMs + lifeMs(random);
    this.#deviceMs += Math.min(endMs, population.durationMs) - nowMs;
    if (endMs < population.durationMs) this.#agenda.add(endMs, () => this.#lose(endMs, device));
    this.#nextSession(device);
    this.#watch(nowMs, device);
  }

  #nextSession(device: Device): void {
    const next = device.sessions.next();
    if (next.done === true) {
      // A visitor does not come back.
      if (device.kind === 'visitor')
        this.#agenda.add(device.lastAwakeMs, () => this.#lose(device.lastAwakeMs, device));
      return;
    }
    const { startMs, endMs } = next.value;
    this.#agenda.add(startMs, () => this.#wake(startMs, device));
    this.#agenda.add(endMs, () => this.#sleep(endMs, device));
  }

  #wake(nowMs: number, device: Device): void {
    if (device.isLost) return;
    device.isAwake = true;
    device.longestAwayMs = Math.max(device.longestAwayMs, nowMs - device.lastAwakeMs);
    if (device.isGone) {
      device.isGone = false;
      this.#goneCount -= 1;
      this.#falseGone += 1;
      for (const file of device.files) this.#look(nowMs, file);
    }
    this.#count(nowMs, device, 1);
    for (const file of this.#needy) if (nowMs >= file.nextLookMs) this.#look(nowMs, file);
  }

  #sleep(nowMs: number, device: Device): void {
    if (device.isLost) return;
    device.isAwake = false;
    device.lastAwakeMs = nowMs;
    this.#count(nowMs, device, -1);
    this.#watch(nowMs, device);
    this.#nextSession(device);
  }

  /** The device is gone if it does not come back within its grace. */
  #watch(nowMs: number, device: Device): void {
    const of = this.#options.trigger.graceMs;
    if (of === undefined) return;
    const sinceMs = device.lastAwakeMs;
    const look = (atMs: number, sharedMs: number): void => {
      const dueMs = sinceMs + of(device.kind, device.longestAwayMs, sharedMs);
      if (dueMs > atMs) this.#agenda.add(dueMs, () => lookAgain(dueMs));
      else this.#gone(atMs, device);
    };
    const lookAgain = (atMs: number): void => {
      if (device.isAwake || device.isGone || device.lastAwakeMs > sinceMs) return;
      look(atMs, this.#sharedSilenceMs(atMs));
    };
    look(nowMs, 0);
  }

  #sharedSilenceMs(nowMs: number): number {
    const counted = [...this.#devices.values()].filter(({ kind }) => kind !== 'anchor');
    return sharedSilenceMs(
      counted.map(({ longestAwayMs, isAwake, isGone, lastAwakeMs }) =>
        Math.max(longestAwayMs, isAwake || isGone ? 0 : nowMs - lastAwakeMs),
      ),
    );
  }

  #lose(nowMs: number, device: Device): void {
    if (device.isAwake) this.#count(nowMs, device, -1);
    device.isAwake = false;
    device.isLost = true;
    this.#losses += 1;
    for (const file of device.files) {
      const left = new Set([...file.holders].flatMap(([{ isLost }, has]) => (isLost ? [] : [...has])));
      if (left.size < file.manifest.k) file.isLost = true;
    }
    if (this.#options.trigger.graceMs === undefined) this.#gone(nowMs, device);
    else this.#watch(nowMs, device);
    if (!this.#options.population.isLasting) return;
    this.#agenda.add(nowMs + REPLACED_AFTER_MS, () => this.#arrive(nowMs + REPLACED_AFTER_MS, device.kind));
  }

  #gone(nowMs: number, device: Device): void {
    device.isGone = true;
    this.#goneCount += 1;
    for (const file of device.files) this.#look(nowMs, file);
  }

  /** Everything is stored at the beginning, over all devices. */
  #storeFiles(): void {
    const { k, n, fileCount } = this.#options;
    for (let number = 0; number < fileCount; number++) {
      const salt = this.#fileRandom.bytes(32);
      const by = 'storer' as DeviceId;
      const manifest = { ...geometryOf(1_000_000, k, n), salt, by };
      const file: File = {
        id: `file-${this.#options.seed}-${number}` as FileId,
        manifest,
        holders: new Map(),
        awake: Array.from({ length: n }, () => 0),
        awakeCount: 0,
        awakeSinceMs: 0,
        openableMs: 0,
        isLost: false,
        nextLookMs: 0,
      };
      this.#files.push(file);
      this.#place(
        0,
        file,
        Array.from({ length: n }, (_, at) => at),
        [...this.#devices.values()],
      );
    }
  }

  /** Hands fragments out, as many as there are homes for. Returns them with their homes. */
  #place(
    nowMs: number,
    file: File,
    fragments: readonly number[],
    open: readonly Device[],
  ): Map<number, Device> {
    const { salt, k } = file.manifest;
    const held = new Map(
      [...file.holders].filter(([{ isGone }]) => !isGone).map(([{ id }, has]) => [id, has] as const),
    );
    const candidates = open.map(({ id }) => ({ device: id, freeBytes: ROOM_BYTES }));
    const homes = planPlacement({
      salt,
      k,
      fragments,
      fragmentBytes: 1,
      candidates,
      held,
      anchors: NO_ANCHORS,
    });
    const placed = new Map<number, Device>();
    for (const [fragment, id] of homes) {
      const device = this.#devices.get(id);
      if (device === undefined) throw new Error('a home is a device');
      const has = file.holders.get(device) ?? new Set();
      file.holders.set(device, has.add(fragment));
      if (has.size > fragmentCap(k)) throw new Error('a device holds more than the cap allows');
      device.files.add(file);
      if (device.isAwake) this.#countFragment(nowMs, file, fragment, 1);
      placed.set(fragment, device);
    }
    return placed;
  }

  /** Repairs the file if it needs it and can be repaired now. */
  #look(nowMs: number, file: File): void {
    if (file.isLost) {
      this.#needy.delete(file);
      return;
    }
    // Whether it needs repair is asked once it could be repaired.
    this.#needy.add(file);
    file.nextLookMs = nowMs + LOOK_EVERY_MS;
    if (file.awakeCount < file.manifest.k) return;
    const need = this.#needOf(file);
    if (need === undefined) {
      this.#needy.delete(file);
      return;
    }
    const awake = [...this.#devices.values()].filter(({ isAwake }) => isAwake);
    const [repairer] = repairersOf(
      file.id,
      need,
      awake.map(({ id }) => id),
    );
    if (repairer === undefined) return;
    const ownCount = need.durable.get(repairer)?.size ?? 0;
    const cap = fragmentCap(file.manifest.k);
    const open = awake.filter((device) => (file.holders.get(device)?.size ?? 0) < cap);
    const placed = this.#place(nowMs, file, need.missing, open);
    if (placed.size === 0) return;
    const keptCount = [...placed.values()].filter(({ id }) => id === repairer).length;
    this.#repairs += 1;
    this.#rebuilt += placed.size;
    this.#moved += Math.max(0, file.manifest.k - ownCount) + placed.size - keptCount;
    if (this.#needOf(file) === undefined) this.#needy.delete(file);
  }

  #needOf(file: File): RepairNeed | undefined {
    const claims = new Map([...file.holders].map(([{ id }, has]) => [id, has]));
    const isGone = (id: DeviceId): boolean => this.#devices.get(id)?.isGone === true;
    return this.#options.trigger.need(file.manifest, claims, isGone, this.#devices.size - this.#goneCount);
  }

  #count(nowMs: number, device: Device, by: 1 | -1): void {
    for (const file of device.files)
      for (const fragment of file.holders.get(device) ?? []) this.#countFragment(nowMs, file, fragment, by);
  }

  #countFragment(nowMs: number, file: File, fragment: number, by: 1 | -1): void {
    const before = file.awake[fragment] ?? 0;
    file.awake[fragment] = before + by;
    if (before > 0 && before + by > 0) return;
    this.#countOpenable(nowMs, file);
    file.awakeCount += by;
    // What could not be repaired until now may be.
    if (by === 1 && file.awakeCount === file.manifest.k) file.nextLookMs = nowMs;
  }

  #countOpenable(nowMs: number, file: File): void {
    if (file.awakeCount >= file.manifest.k) file.openableMs += nowMs - file.awakeSinceMs;
    file.awakeSinceMs = nowMs;
  }
}

function kindsOf({ counts }: Population): [Kind, number][] {
  const kinds: readonly Kind[] = ['anchor', 'desk', 'lid', 'phone', 'visitor', 'pupil', 'member'];
  return kinds.map((kind) => [kind, counts[kind] ?? 0]);
}
