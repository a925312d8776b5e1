// A pool that is left alone, as the story sees it: its devices and whether they come back, the files that
// people were told are stored, what happened so far, and the truth on the disks.

import { decodeMessage, hasPayload } from '../../../src/core/wire/messages.ts';
import type { FileStatus, Palm, PalmStatus } from '../../../src/runtime/api.ts';
import type { SimDevice } from '../device.ts';
import { randomFrom, type SeededRandom } from '../seeded-random.ts';
import type { World } from '../world.ts';
import { contentsOf, NOTHING, type OnDisk } from './disks.ts';
import type { StoryNetwork } from './story-network.ts';

export type Kind = 'anchor' | 'desk' | 'lid' | 'phone' | 'pupil' | 'member';

/** One profile of one browser. A wiped profile becomes another one, on the same machine. */
export interface Actor {
  readonly device: SimDevice;
  /** Of this profile: a wiped device gets another. */
  readonly id: string;
  readonly kind: Kind;
  /** 'lost': for good. */
  state: 'open' | 'frozen' | 'closed' | 'lost';
  /** Resolves when its page has opened; undefined while it is closed. */
  isReady: boolean;
  /** Since when its page runs without a break, ms. */
  runsSinceMs: number;
  /** When its tab was frozen last, ms. */
  frozenAtMs: number;
  /** Since when its page is closed or frozen, ms; undefined while it runs. */
  pausedAtMs: number | undefined;
  /** How long that was all in all, without what its page could not notice, ms. */
  pausedMs: number;
  /** For how long its page was closed each time, and when that ended, ms. */
  readonly closures: { readonly closedMs: number; readonly atMs: number }[];
}

/** A name that somebody was told is stored. */
export interface StoredFile {
  readonly fileId: string;
  readonly name: string;
  readonly contentId: string;
  readonly k: number;
  readonly n: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly link: string | undefined;
  readonly storedBy: string;
  /** Somebody asked for its removal; whether that was acknowledged. */
  removal: 'none' | 'asked' | 'done';
  /** Ids of devices that have listed it, and since when. */
  readonly knownBy: Map<string, number>;
  /** Ids of devices that had listed it and no longer do. */
  readonly unlistedBy: Set<string>;
}

/** A promise was broken: what, where and when. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Claims that nobody holds any more may be shown for some 30 s. */
const [MIN_LOOK_MS, MAX_LOOK_MS] = [4_000, 20_000];

export class Scene {
  readonly world: World;
  readonly network: StoryNetwork;
  /** The story's own chances, apart from those of the world. */
  readonly random: SeededRandom;
  /** How long a day takes, ms. */
  readonly dayMs: number;
  /** How often what devices show is looked at, ms; disks after every event. */
  lookMs: number;
  readonly actors: Actor[] = [];
  readonly files = new Map<string, StoredFile>();
  /** By content, its geometry: of all that any device listed. */
  readonly geometries = new Map<string, { readonly k: number; readonly n: number }>();
  /** By name, what somebody began to store. */
  readonly begun = new Map<string, { bytes: Uint8Array<ArrayBuffer>; k: number; n: number }>();
  readonly counts = new Map<string, number>();
  /** Ids of devices that lie about what they hold. */
  readonly liars = new Set<string>();
  /** By device id, when its clock was set last, ms. */
  readonly clockSetMs = new Map<string, number>();
  /** Devices that flip a bit in what they answer. */
  readonly distorting = new Set<string>();
  /** Devices whose answers never come. */
  readonly withholding = new Set<string>();
  readonly trace: string[] = [];
  /** Faults leave so many more sound fragments of a kept file than it needs. */
  spareOf: (file: StoredFile) => number = () => 0;
  /** Of files, by people, which move bytes. */
  readsUnderWay = 0;
  /** Nothing more happens to the pool: it must recover. */
  areFaultsOver = false;
  /** What ends each fault that lasts. */
  readonly endings: (() => void)[] = [];
  /** Called after a fault changed disks, before anything else happens. */
  readonly onFault: (() => void)[] = [];
  readonly #statuses = new Map<SimDevice, { atMs: number; pool: Palm; status: PalmStatus }>();
  readonly #contentNumbers = new Map<string, number>();
  readonly #startMs: number;
  readonly #say: (line: string) => void;
  #failure: Error | undefined;

  constructor(
    world: World,
    makeNetwork: (random: SeededRandom, world: World) => StoryNetwork,
    dayFrom: (random: SeededRandom) => number,
    say: (line: string) => void,
  ) {
    this.world = world;
    this.random = randomFrom(world.seed ^ 0x0a10_0e5e);
    this.network = makeNetwork(this.random, world);
    this.dayMs = dayFrom(this.random);
    this.lookMs = Math.min(MAX_LOOK_MS, Math.max(MIN_LOOK_MS, this.dayMs / 75));
    this.#startMs = world.nowMs;
    this.#say = say;
    this.network.withhold((from, bytes) => this.withholding.has(from) && isAnswer(bytes));
    const { given } = this.network;
    if (given === undefined) return;
    given.distort = (from, _to, bytes) =>
      this.distorting.has(from) && this.random.below(2) === 0 && isAnswer(bytes) ? flipped(bytes) : bytes;
  }

  /** One line of the trace. */
  note(who: Actor | undefined, what: string): void {
    const line = `${clockTime(this.world.nowMs - this.#startMs)}  ${who?.device.name ?? 'pool'}: ${what}`;
    this.trace.push(line);
    this.#say(line);
  }

  count(what: string): void {
    this.measure(what, 1);
  }

  measure(what: string, amount: number): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + amount);
  }

  /** Ends the story with this failure at the next event. */
  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Broken(String(error));
  }

  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Disks that exist, or will again: of all devices that come back. */
  returning(): Actor[] {
    return this.actors.filter(({ state }) => state !== 'lost');
  }

  running(): Actor[] {
    return this.actors.filter(({ state, isReady }) => state === 'open' && isReady);
  }

  onDisk({ device }: Actor, contentId: string): OnDisk {
    return contentsOf(device.store).get(contentId) ?? NOTHING;
  }

  /** Distinct sound fragments on the disks of `actors`. */
  soundOn(actors: readonly Actor[], contentId: string): Set<number> {
    const sound = new Set<number>();
    for (const actor of actors) for (const each of this.onDisk(actor, contentId).sound) sound.add(each);
    return sound;
  }

  /** Names that must stay: nobody asked for their removal. */
  kept(): StoredFile[] {
    return [...this.files.values()].filter(({ removal }) => removal === 'none');
  }

  /** Contents that have a name that must stay. */
  keptContents(): Map<string, StoredFile> {
    return new Map(this.kept().map((file) => [file.contentId, file]));
  }

  /** Files as a running device shows them. */
  filesOf(actor: Actor): readonly FileStatus[] {
    return this.statusOf(actor).files;
  }

  /** What it shows now; several checkers look at the same moment. */
  statusOf({ device }: Actor): PalmStatus {
    const last = this.#statuses.get(device);
    if (last?.atMs === this.world.nowMs && last.pool === device.pool) return last.status;
    const status = device.pool.status();
    this.#statuses.set(device, { atMs: this.world.nowMs, pool: device.pool, status });
    return status;
  }

  /** A content in the trace: its number in the order in which contents appeared. */
  contentName(contentId: string): string {
    const number = this.#contentNumbers.get(contentId) ?? this.#contentNumbers.size + 1;
    this.#contentNumbers.set(contentId, number);
    return `content ${number}`;
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.random.below(items.length)];
  }
}

function isAnswer(bytes: Uint8Array<ArrayBuffer>): boolean {
  return hasPayload(decodeMessage(bytes).message.kind);
}

/** With a bit of its last byte flipped: of a payload, not of the message's head. */
function flipped(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const changed = bytes.slice();
  changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
  return changed;
}

function clockTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${String(ms % 1000).padStart(3, '0')}`;
}
