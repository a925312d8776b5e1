// Runs this device's repairs: drives core's plan, rebuilds what it asks for, keeps this device's own share
// and hands the rest over.
//
// A repair is not resumed after its page ended: its blocks lose their claim with the page, so the next start
// finds none of them, and the plan begins again where it is still needed.

import { MachineDriver } from '../../core/machine-driver.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { fragmentBytesOf, heldBytesOf } from '../../core/model/geometry.ts';
import { ownerOfRepair, type DeviceId, type FileId } from '../../core/model/ids.ts';
import { fragmentCap } from '../../core/model/limits.ts';
import { RepairPlan, type RepairEffect, type RepairInput } from '../../core/repair/repair-plan.ts';
import { storedFragmentOf } from '../stored-fragment.ts';
import { LinkShare } from './link-share.ts';
import { notWanted, rebuildFragments, type RebuildPorts, type RebuiltFragment } from './rebuilding.ts';

type RepairPorts = Omit<RebuildPorts, 'share'>;

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
  repair: Repair;
}

type Rebuild = Extract<RepairEffect, { kind: 'rebuild' }>;

export class Repairing {
  readonly #ports: RepairPorts;
  readonly #events: RepairEvents;
  readonly #share: LinkShare;
  readonly #plan: MachineDriver<RepairInput, RepairEffect>;
  readonly #running = new Map<FileId, Running>();
  readonly #working = new Set<Promise<void>>();
  readonly #stopWatching: readonly (() => void)[];
  #nextOwner = 0;

  constructor(ports: RepairPorts, events: RepairEvents) {
    this.#ports = ports;
    this.#events = events;
    const { catalogue } = ports.driver.peer;
    this.#share = new LinkShare(ports.clock, () => catalogue.policy.repairShare);
    this.#plan = new MachineDriver<RepairInput, RepairEffect>({
      machine: new RepairPlan(ports.driver.peer.repairView),
      clock: ports.clock,
      tick: { kind: 'tick' },
      perform: (effect) => this.#perform(effect),
    });
    const { driver } = ports;
    this.#stopWatching = [
      driver.watch(() => this.#plan.input({ kind: 'changed' })),
      driver.watchServed((_to, hash, bytes) => {
        if (driver.staged.hasBlock(hash)) this.#share.spend(bytes);
      }),
    ];
  }

  repairs(): readonly Repair[] {
    return Array.from(this.#running.values(), ({ repair }) => repair);
  }

  /** Repair must stop for now, or may go on: the platform asks to spare battery or data. */
  pause(isPaused: boolean): void {
    this.#plan.input({ kind: 'paused', isPaused });
  }

  /** Ends every repair. Resolves when nothing more is written. */
  async stop(): Promise<void> {
    this.#plan.stop();
    for (const stop of this.#stopWatching) stop();
    for (const { controller } of this.#running.values()) controller.abort(notWanted());
    await Promise.allSettled(this.#working);
  }

  #perform(effect: RepairEffect): void {
    switch (effect.kind) {
      case 'rebuild': {
        const work = this.#repair(effect);
        this.#working.add(work);
        void work.finally(() => this.#working.delete(work));
        break;
      }
      case 'cancel':
        this.#running.get(effect.file)?.controller.abort(notWanted());
        break;
    }
  }

  /** Never rejects. */
  async #repair(effect: Rebuild): Promise<void> {
    const { file, homes, lostWith } = effect;
    const { driver, fragments } = this.#ports;
    const owner = ownerOfRepair(this.#nextOwner++);
    const controller = new AbortController();
    let outcome: 'done' | 'failed' | 'cancelled' = 'failed';
    try {
      const isDone = await this.#rebuildAndHandOver(effect, owner, controller);
      outcome = isDone ? 'done' : 'failed';
      if (isDone) this.#events.repaired(file, homes.size, lostWith);
    } catch (error) {
      outcome = controller.signal.aborted ? 'cancelled' : 'failed';
      if (outcome === 'failed' && !isOfOthers(error)) this.#events.failed(error);
    } finally {
      driver.staged.delete(file);
      this.#running.delete(file);
      await fragments.release(owner).catch((error: unknown) => this.#events.failed(error));
      driver.input({ kind: 'repair-over', file });
      this.#plan.input({ kind: 'ended', file, outcome });
      this.#events.changed();
    }
  }

  /** Whether all fragments have homes. */
  async #rebuildAndHandOver(
    { file, homes }: Rebuild,
    owner: ReturnType<typeof ownerOfRepair>,
    controller: AbortController,
  ): Promise<boolean> {
    const { driver } = this.#ports;
    const manifest = driver.peer.catalogue.files().get(file);
    if (manifest === undefined) return false;
    const wanted = [...homes.keys()];
    const totalBytes = wanted.length * fragmentBytesOf(manifest);
    const running: Running = {
      controller,
      repair: { fileId: file, fragments: wanted.length, doneBytes: 0, totalBytes },
    };
    this.#running.set(file, running);
    driver.input({ kind: 'rebuilding', file, bytes: wanted.length * heldBytesOf(manifest) });
    const { signal } = controller;
    const advanced = (bytes: number): void => {
      running.repair = { ...running.repair, doneBytes: running.repair.doneBytes + bytes };
      this.#events.changed();
    };
    const job = { fileId: file, manifest, fragments: wanted, owner, signal, advanced };
    const rebuilt = await rebuildFragments(job, { ...this.#ports, share: this.#share });
    signal.throwIfAborted();
    this.#plan.input({ kind: 'rebuilt', file });
    const kept = await this.#keepOwn(file, rebuilt, homes);
    const others = rebuilt.filter(({ fragment }) => !kept.has(fragment));
    if (others.length === 0) return true;
    return this.#handOver(file, others, homes, signal);
  }

  /** This device's share becomes durable here, as far as the cap allows it by now. Returns it. */
  async #keepOwn(
    file: FileId,
    rebuilt: readonly RebuiltFragment[],
    homes: ReadonlyMap<number, DeviceId>,
  ): Promise<ReadonlySet<number>> {
    const { driver, fragments } = this.#ports;
    const manifest = driver.peer.catalogue.files().get(file);
    if (manifest === undefined) return new Set();
    const room = fragmentCap(manifest.k) - driver.peer.own.of(file).size;
    const own = rebuilt.filter(({ fragment }) => homes.get(fragment) === driver.deviceId).slice(0, room);
    const stored = own.flatMap(({ fragment, indexBytes, hashes }) => {
      const fragmentOf = storedFragmentOf(file, manifest, fragment);
      return fragmentOf === undefined ? [] : [{ stored: fragmentOf, indexBytes, hashes }];
    });
    if (stored.length === 0) return new Set();
    for (const { fragment } of own) await driver.dropDamaged(file, fragment);
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
    isPalmError(error, 'not-enough-fragments') ||
    isPalmError(error, 'removed-file') ||
    isPalmError(error, 'corrupt') ||
    isPalmError(error, 'bad-message')
  );
}
