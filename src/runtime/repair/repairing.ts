// Runs this device's repairs: drives core's plan, rebuilds what it asks for, keeps this device's own share
// and hands the rest over.
//
// What a repair staged outlives it, unless the repair is done, needed no longer, or failed on this device
// itself. The next repair of the file, perhaps on a later page, goes on with it, or the plan has it
// discarded.

import { MachineDriver } from '../../core/machine-driver.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { fragmentBytesOf, heldBytesOf } from '../../core/model/geometry.ts';
import {
  fileOfRepair,
  ownerOfRepair,
  type BlockOwner,
  type DeviceId,
  type FileId,
} from '../../core/model/ids.ts';
import { fragmentCap } from '../../core/model/limits.ts';
import type { SparingReason } from '../../core/model/sparing.ts';
import {
  lackingFiles,
  RepairPlan,
  type Lacking,
  type RepairEffect,
  type RepairInput,
  type RepairView,
} from '../../core/repair/repair-plan.ts';
import type { RuntimePorts } from '../runtime-ports.ts';
import { storedFragmentOf } from '../stored-fragment.ts';
import { LinkShare } from './link-share.ts';
import { Auditing } from './auditing.ts';
import { Scrubbing } from './scrubbing.ts';
import { notWanted, rebuildFragments, type RebuildPorts, type RebuiltFragment } from './rebuilding.ts';

type RepairPorts = Omit<RebuildPorts, 'share'> &
  Pick<RuntimePorts, 'sparing' | 'random' | 'cryptography' | 'audited'>;

export interface RepairEvents {
  /** What `repairs` returns has changed. */
  changed(): void;
  /** So many fragments of a file have new homes; these devices, which are gone, had them. */
  repaired(file: FileId, fragmentCount: number, lostWith: readonly DeviceId[]): void;
  /** A repair failed on this device itself: its disk or its workers. */
  failed(error: unknown): void;
}

/** A repair under way on this device. */
export interface Repair {
  readonly fileId: FileId;
  /** How many fragments are rebuilt. */
  readonly fragments: number;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

interface Running {
  readonly controller: AbortController;
  /** Whether it goes on later with what it staged. */
  isPaused: boolean;
  repair: Repair;
}

type Rebuild = Extract<RepairEffect, { kind: 'rebuild' }>;

export class Repairing {
  readonly #ports: RepairPorts;
  readonly #events: RepairEvents;
  /** What background work may use of the links. */
  readonly share: LinkShare;
  readonly #view: RepairView;
  readonly #scrubbing: Scrubbing;
  readonly #auditing: Auditing;
  readonly #plan: MachineDriver<RepairInput, RepairEffect>;
  readonly #running = new Map<FileId, Running>();
  readonly #working = new Map<FileId, Promise<void>>();
  readonly #stopWatching: readonly (() => void)[];
  #hasStopped = false;
  #heldBackCount = 0;

  constructor(ports: RepairPorts, events: RepairEvents) {
    this.#ports = ports;
    this.#events = events;
    const { catalogue } = ports.driver.peer;
    this.share = new LinkShare(ports.clock, ports.driver.rates, () => catalogue.policy.repairShare);
    const { held, peer } = ports.driver;
    this.#view = { ...peer.repairView, hasDamaged: (file) => held.hasDamaged(file) };
    this.#plan = new MachineDriver<RepairInput, RepairEffect>({
      machine: new RepairPlan(this.#view),
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
    });
    this.#scrubbing = new Scrubbing(ports, (error) => events.failed(error));
    this.#auditing = new Auditing({ ...ports, share: this.share }, (error) => events.failed(error));
    const { driver } = ports;
    this.#stopWatching = [
      driver.watch(() => this.#plan.input({ kind: 'changed' })),
      ports.sparing.watch(() => this.#spare()),
      driver.watchServed((to, hash, bytes) => {
        if (driver.staged.hasBlock(hash)) this.share.spend(to, bytes);
      }),
    ];
  }

  repairs(): readonly Repair[] {
    return Array.from(this.#running.values(), ({ repair }) => repair);
  }

  /** Begins with everything that is missing, without waiting. Returns the files that lack fragments. */
  repairNow(): readonly Lacking[] {
    const lacking = lackingFiles(this.#view);
    this.#plan.input({ kind: 'asked' });
    return lacking;
  }

  /** The pool is open: what earlier pages left waits for its repair, or goes. */
  async start(): Promise<void> {
    const { driver, fragments } = this.#ports;
    for (const owner of await fragments.owners()) {
      const file = fileOfRepair(owner);
      if (file === undefined) continue;
      if (driver.peer.catalogue.files().has(file)) this.#plan.input({ kind: 'left-over', file });
      else await fragments.release(owner);
    }
    this.#spare();
    this.#scrubbing.start();
    this.#auditing.start();
  }

  /** Why files that need repair wait on this device; undefined when none does. */
  get pauseReason(): SparingReason | undefined {
    return this.#heldBackCount > 0 ? this.#ports.sparing.reason : undefined;
  }

  /** Ends every repair. Resolves when nothing more is written. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    this.#plan.stop();
    for (const stop of this.#stopWatching) stop();
    for (const { controller } of this.#running.values()) controller.abort(notWanted());
    await Promise.allSettled([...this.#working.values(), this.#scrubbing.stop(), this.#auditing.stop()]);
  }

  #perform(effect: RepairEffect): void {
    switch (effect.kind) {
      case 'rebuild':
        this.#inOrder(effect.file, () => this.#repair(effect));
        break;
      case 'held-back':
        this.#heldBackCount = effect.fileCount;
        this.#events.changed();
        break;
      case 'discard':
        this.#inOrder(effect.file, () => this.#discard(effect.file));
        break;
      case 'cancel': {
        const running = this.#running.get(effect.file);
        if (running === undefined) break;
        running.isPaused = effect.isPause;
        running.controller.abort(notWanted());
        break;
      }
    }
  }

  /** The platform may ask to spare battery or data, or no longer. */
  #spare(): void {
    this.#plan.input({ kind: 'paused', isPaused: this.#ports.sparing.reason !== undefined });
  }

  /** Works on one file one after the other: they share the claim on its blocks. `work` never rejects. */
  #inOrder(file: FileId, work: () => Promise<void>): void {
    const before = this.#working.get(file) ?? Promise.resolve();
    const working = before.then(() => (this.#hasStopped ? undefined : work()));
    this.#working.set(file, working);
    void working.finally(() => {
      if (this.#working.get(file) === working) this.#working.delete(file);
    });
  }

  /** Never rejects. */
  async #discard(file: FileId): Promise<void> {
    const { fragments } = this.#ports;
    await fragments.release(ownerOfRepair(file)).catch((error: unknown) => this.#events.failed(error));
  }

  /** Never rejects. */
  async #repair(effect: Rebuild): Promise<void> {
    const { file, homes, lostWith } = effect;
    const { driver } = this.#ports;
    const running: Running = {
      controller: new AbortController(),
      isPaused: false,
      repair: { fileId: file, fragments: homes.size, doneBytes: 0, totalBytes: 0 },
    };
    this.#running.set(file, running);
    let outcome: 'done' | 'failed' | 'cancelled' = 'failed';
    // What it staged is of use for the next try, if others were to blame or it was told to wait.
    let goesOn = true;
    try {
      const isDone = await this.#rebuildAndHandOver(effect, running);
      outcome = isDone ? 'done' : 'failed';
      goesOn = !isDone;
      if (isDone) {
        // What was damaged here has homes now. The rebuilt blocks made it whole by the way: a second copy.
        await driver.dropDamaged(file, []);
        this.#events.repaired(file, homes.size, lostWith);
      }
    } catch (error) {
      const isCancelled = running.controller.signal.aborted;
      outcome = isCancelled ? 'cancelled' : 'failed';
      goesOn = isCancelled ? running.isPaused || this.#hasStopped : isForLackOfOthers(error);
      if (!isCancelled && !isOfOthers(error)) this.#events.failed(error);
    } finally {
      driver.staged.delete(file);
      this.#running.delete(file);
      if (!goesOn) await this.#discard(file);
      driver.input({ kind: 'repair-over', file });
      this.#plan.input({ kind: 'ended', file, outcome });
      if (goesOn) this.#plan.input({ kind: 'left-over', file });
      this.#events.changed();
    }
  }

  /** Whether all fragments have homes. */
  async #rebuildAndHandOver({ file, homes }: Rebuild, running: Running): Promise<boolean> {
    const { driver } = this.#ports;
    const manifest = driver.peer.catalogue.files().get(file);
    if (manifest === undefined) return false;
    const wanted = [...homes.keys()];
    running.repair = { ...running.repair, totalBytes: wanted.length * fragmentBytesOf(manifest) };
    driver.input({ kind: 'rebuilding', file, bytes: wanted.length * heldBytesOf(manifest) });
    const { signal } = running.controller;
    const advanced = (bytes: number): void => {
      running.repair = { ...running.repair, doneBytes: running.repair.doneBytes + bytes };
      this.#events.changed();
    };
    const job = { fileId: file, manifest, fragments: wanted, signal, advanced };
    const rebuilt = await rebuildFragments(job, { ...this.#ports, share: this.share });
    signal.throwIfAborted();
    this.#plan.input({ kind: 'rebuilt', file });
    const kept = await this.#keepOwn(file, rebuilt, homes);
    const others = rebuilt.filter(({ fragment }) => !kept.has(fragment));
    if (others.length === 0) return true;
    return this.#handOver(file, others, homes, signal);
  }

  /**
   * This device's share becomes durable here, as far as the cap allows it by now: everything while it places
   * the file. Returns it.
   */
  async #keepOwn(
    file: FileId,
    rebuilt: readonly RebuiltFragment[],
    homes: ReadonlyMap<number, DeviceId>,
  ): Promise<ReadonlySet<number>> {
    const { driver, fragments } = this.#ports;
    const manifest = driver.peer.catalogue.files().get(file);
    if (manifest === undefined) return new Set();
    const most = driver.peer.inOutbox(file) ? manifest.n : fragmentCap(manifest.k);
    const room = most - driver.peer.own.of(file).size;
    const own = rebuilt.filter(({ fragment }) => homes.get(fragment) === driver.deviceId).slice(0, room);
    const stored = own.flatMap(({ fragment, indexBytes, hashes }) => {
      const fragmentOf = storedFragmentOf(file, manifest, fragment);
      return fragmentOf === undefined ? [] : [{ stored: fragmentOf, indexBytes, hashes }];
    });
    if (stored.length === 0) return new Set();
    await driver.dropDamaged(
      file,
      own.map(({ fragment }) => fragment),
    );
    await fragments.commit(stored);
    for (const each of stored) await driver.fragmentFetched(each.stored);
    return new Set(own.map(({ fragment }) => fragment));
  }

  /** Whether all of these found homes. */
  async #handOver(
    file: FileId,
    rebuilt: readonly RebuiltFragment[],
    homes: ReadonlyMap<number, DeviceId>,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { driver } = this.#ports;
    signal.throwIfAborted();
    const indexes = new Map(rebuilt.map(({ fragment, indexBytes }) => [fragment, indexBytes]));
    const over = driver.staged.add(
      file,
      indexes,
      rebuilt.flatMap(({ hashes }) => hashes),
    );
    const planned = new Map([...homes].filter(([fragment]) => indexes.has(fragment)));
    driver.input({ kind: 'rebuilt', file, homes: planned });
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    return Promise.race([over, aborted]);
  }
}

/** Failures that lie with others, or with too few of them being there: the plan tries again. */
function isOfOthers(error: unknown): boolean {
  return (
    isForLackOfOthers(error) ||
    isPalmError(error, 'removed-file') ||
    isPalmError(error, 'corrupt') ||
    isPalmError(error, 'bad-message')
  );
}

/** Too few devices could be asked: what is staged stays right. */
function isForLackOfOthers(error: unknown): boolean {
  return isPalmError(error, 'not-enough-fragments');
}

/** Whether a repair claims these blocks: such claims outlive a page. */
export function isOfRepair(owner: BlockOwner): boolean {
  return fileOfRepair(owner) !== undefined;
}
