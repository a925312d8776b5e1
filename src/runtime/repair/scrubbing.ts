// Scrubbing: reads this device's own fragments through while it is open, and checks each block against its
// hash. Damage that nobody would meet for months is found while others still have the fragment's file. It is
// treated as when a read finds it: the fragment is withdrawn, and repaired.
//
// Each pass takes the fragments in an order of its own, some blocks of each at a time from a place of its
// own. So short visits of a page come to everything in the end, and it need not be kept how far they came.
//
// Invariants: one block at a time, at most BYTES_PER_MS and one part in REST_PARTS + 1 of the time; one
// pass in PASS_EVERY_MS; nothing while the device spares itself. An index, which has a key share, is let go
// of with its visit.

import type { Clock, Memory, StoredFragment } from '../../core/ports.ts';
import { decodeFragmentIndex } from '../../core/coding/fragment-index.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { BlockHash, DeviceId, FileId } from '../../core/model/ids.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import type { FragmentSet } from '../../core/placement/fragment-set.ts';
import { mixed } from '../../core/repair/repair-need.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { Sparing } from '../runtime-ports.ts';

export interface ScrubbingPorts {
  readonly clock: Clock;
  readonly memory: Memory;
  readonly sparing: Sparing;
  readonly driver: {
    readonly deviceId: DeviceId;
    readonly peer: { readonly own: { of(file: FileId): FragmentSet } };
    /** Fragments that count as held. */
    readonly held: { all(): Iterable<StoredFragment> };
    /** From this device's own store. @throws PalmError 'corrupt' once the damage was noted. */
    readonly serving: { loadHeld(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> };
  };
}

/** A page that opens has other things to do, and a device that stopped sparing itself may start again, ms. */
const FIRST_AFTER_MS = 15_000;
/** Some 500 kB/s: a meeting of four minutes reads 100 MB. */
const BYTES_PER_MS = 500;
/** After each read it rests for so many times as long as that took: a busy disk is left to others. */
const REST_PARTS = 9;
/** Between two reads, ms: small blocks cost calls, not bytes. */
const MIN_GAP_MS = 20;
/** Blocks of one fragment before it is another's turn: its index is read once for them. */
const BLOCKS_A_VISIT = 16;
/** From the beginning of a pass to that of the next at the earliest, ms. */
const PASS_EVERY_MS = 24 * 3_600_000;

/** A fragment of this pass. */
interface Unread {
  readonly stored: StoredFragment;
  /** Where its reading begins, of all of its blocks, at least 0 and below 1. */
  readonly startPart: number;
  readCount: number;
}

interface Visit {
  readonly unread: Unread;
  readonly blocks: readonly BlockHash[];
  leftCount: number;
}

export class Scrubbing {
  readonly #ports: ScrubbingPorts;
  readonly #failed: (error: unknown) => void;
  #pass: Unread[] | undefined;
  #passEndsMs: MonotonicMs = -Infinity;
  #visit: Visit | undefined;
  #drawCount = 0;
  #isResting = false;
  #stopTimer: () => void = () => undefined;
  #stopWatching: () => void = () => undefined;
  #reading: Promise<void> | undefined;
  #hasStopped = false;

  /** `failed` is told of bugs only: what the disk cannot give now is met by whoever needs it. */
  constructor(ports: ScrubbingPorts, failed: (error: unknown) => void) {
    this.#ports = ports;
    this.#failed = failed;
  }

  start(): void {
    this.#stopWatching = this.#ports.sparing.watch(() => {
      if (this.#isResting && this.#ports.sparing.reason === undefined) this.#later(FIRST_AFTER_MS);
    });
    this.#later(FIRST_AFTER_MS);
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    this.#stopTimer();
    this.#stopWatching();
    await this.#reading;
  }

  #later(ms: number): void {
    this.#isResting = false;
    this.#stopTimer();
    this.#stopTimer = this.#ports.clock.after(ms, () => {
      this.#isResting = this.#ports.sparing.reason !== undefined;
      if (!this.#isResting) this.#reading = this.#step();
    });
  }

  /** Never rejects. */
  async #step(): Promise<void> {
    const { clock } = this.#ports;
    const beganMs = clock.monotonicMs();
    let waitMs = FIRST_AFTER_MS;
    try {
      const byteCount = await this.#readOne(beganMs);
      const tookMs = clock.monotonicMs() - beganMs;
      waitMs =
        byteCount === undefined
          ? Math.max(FIRST_AFTER_MS, this.#passEndsMs - beganMs)
          : Math.max(MIN_GAP_MS, byteCount / BYTES_PER_MS, tookMs * REST_PARTS);
    } catch (error) {
      this.#visit = undefined;
      if (!isPalmError(error)) this.#failed(error);
    }
    if (!this.#hasStopped) this.#later(waitMs);
  }

  /** How many bytes it read; undefined once the pass is over. */
  async #readOne(nowMs: MonotonicMs): Promise<number | undefined> {
    if (this.#visit === undefined || this.#visit.leftCount === 0) {
      this.#visit = undefined;
      return this.#begin(nowMs);
    }
    const { unread, blocks } = this.#visit;
    if (!this.#isHeld(unread.stored)) {
      this.#visit = undefined;
      return 0;
    }
    const at = (Math.floor(unread.startPart * blocks.length) + unread.readCount) % blocks.length;
    unread.readCount += 1;
    this.#visit.leftCount -= 1;
    // Until it is read: what then fails is damaged, and not read again.
    if (unread.readCount < blocks.length && this.#visit.leftCount === 0) this.#pass?.push(unread);
    const hash = blocks[at];
    if (hash === undefined) return 0;
    const block = await this.#load({ kind: 'get-block', hash });
    if (block === undefined) {
      this.#visit = undefined;
      return 0;
    }
    const { length } = block;
    this.#ports.memory.give(block);
    return length;
  }

  /** Reads the index of the next fragment. */
  async #begin(nowMs: MonotonicMs): Promise<number | undefined> {
    if (this.#pass === undefined) {
      if (nowMs < this.#passEndsMs) return undefined;
      this.#passEndsMs = nowMs + PASS_EVERY_MS;
      this.#pass = Array.from(this.#ports.driver.held.all(), (stored) => ({
        stored,
        startPart: this.#draw() / 2 ** 32,
        readCount: 0,
      }));
    }
    const unread = this.#next(this.#pass);
    if (unread === undefined) {
      this.#pass = undefined;
      return undefined;
    }
    const { stored } = unread;
    if (!this.#isHeld(stored)) return 0;
    const { fileId: file, fragment } = stored;
    const index = await this.#load({ kind: 'get-index', file, fragment });
    if (index === undefined) return 0;
    const { blocks } = decodeFragmentIndex(index);
    const leftCount = Math.min(BLOCKS_A_VISIT, blocks.length - unread.readCount);
    if (leftCount > 0) this.#visit = { unread, blocks, leftCount };
    return index.length;
  }

  /** Any of the rest. */
  #next(pass: Unread[]): Unread | undefined {
    const last = pass.pop();
    if (last === undefined) return undefined;
    const at = this.#draw() % (pass.length + 1);
    const drawn = pass[at];
    if (drawn === undefined) return last;
    pass[at] = last;
    return drawn;
  }

  /** Undefined if it is damaged, which is noted, or missing. */
  async #load(ask: Ask): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      return await this.#ports.driver.serving.loadHeld(ask);
    } catch (error) {
      if (isPalmError(error, 'corrupt')) return undefined;
      throw error;
    }
  }

  #isHeld({ fileId, fragment }: StoredFragment): boolean {
    return this.#ports.driver.peer.own.of(fileId).has(fragment);
  }

  /** Another whole number below 2^32 each time, and on each page: nobody gains by knowing it. */
  #draw(): number {
    this.#drawCount += 1;
    return mixed(`${this.#drawCount}/${this.#ports.clock.wallMs()}/${this.#ports.driver.deviceId}`);
  }
}
