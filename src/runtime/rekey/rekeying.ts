// Re-keys files in the background: stores each content anew under new keys, waits until it is as safe as the
// old one, and moves the names (swapping.ts). One content is read and sealed at a time, with the part of the
// links that repairs may use; several may wait for their places.
//
// Invariants: the old content keeps its names, and so its fragments, until the new one is as safe. What was
// asked for, and which contents belong together, is durable before anything depends on it.

import type { CheckedEntry } from '../../core/catalogue/check.ts';
import type { ListedFile } from '../../core/catalogue/file-index.ts';
import type { Failure } from '../../core/model/failures.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import { blockKey, type FileId } from '../../core/model/ids.ts';
import type { Clock } from '../../core/ports.ts';
import type { MonotonicMs } from '../../core/model/time.ts';
import { isUnlisted } from '../../core/catalogue/renewals.ts';
import { askedFile } from '../asked-file.ts';
import type { Roles } from '../roles.ts';
import type { RuntimePorts } from '../runtime-ports.ts';
import { Slices } from '../slices.ts';
import { Exposure } from './exposure.ts';
import { renew, type RenewPorts } from './renewing.ts';
import {
  loadRekeying,
  MAX_WANTED_FILES,
  NOTHING,
  saveRekeying,
  withMoved,
  type RekeyState,
} from './rekey-journal.ts';
import type { WordlessRekey, WordlessRekeyRun } from './worded-rekey.ts';
import {
  dropUnlisted,
  followRemovals,
  isAsSafe,
  settleTwin,
  swap,
  type SwapPorts,
  type Twin,
} from './swapping.ts';

export interface RekeyPorts extends RenewPorts, Pick<RuntimePorts, 'sparing' | 'pauses'> {
  readonly clock: Clock;
  readonly roles: Pick<Roles, 'checkedRemoval' | 'checkStore'>;
}

export interface RekeyEvents {
  changed(): void;
  /** It failed on this device itself. */
  failed(error: unknown): void;
}

/** How long after a change this device looks what there is to do, ms: changes come in crowds. */
const LOOK_AFTER_MS = 500;
/** Contents that may wait for their places: each takes the room of all its fragments here until then. */
const MAX_PLACING = 16;
/** A content that could not be stored anew waits so long, ms, twice as long after each time. */
const RETRY_MS = { first: 60_000, last: 3_600_000 } as const;

interface Retry {
  readonly atMs: MonotonicMs;
  readonly waitedMs: number;
}

interface Counts {
  readonly own: readonly FileId[];
  readonly bytes: number;
  readonly ofOthers: number;
  readonly privateFiles: number;
}

const NO_COUNTS: Counts = { own: [], bytes: 0, ofOthers: 0, privateFiles: 0 };

export class Rekeying {
  readonly #ports: RekeyPorts;
  readonly #events: RekeyEvents;
  readonly #exposure: Exposure;
  readonly #swapping: SwapPorts;
  readonly #retries = new Map<FileId, Retry>();
  readonly #working = new Set<Promise<unknown>>();
  /** Blocks of contents that were stored anew and are not placed. */
  readonly #sealed = new Set<string>();
  #state: RekeyState = NOTHING;
  #saving: Promise<void> = Promise.resolve();
  #twins: readonly Twin[] = [];
  #counts = NO_COUNTS;
  #stopWatching: readonly (() => void)[] = [];
  #cancelTimer: (() => void) | undefined;
  #isLooking = false;
  /** Since the last look. */
  #isChanged = false;
  #renewing: { readonly content: FileId; readonly abort: AbortController } | undefined;
  #progress = { doneBytes: 0, totalBytes: 0 };
  #doneCount = 0;
  #failure: Failure | undefined;
  #hasStopped = false;

  constructor(ports: RekeyPorts, events: RekeyEvents) {
    this.#ports = ports;
    this.#events = events;
    const { driver, keys, cryptography } = ports;
    this.#exposure = new Exposure({
      catalogue: driver.peer.catalogue,
      acts: driver.peer.acts,
      keys,
      cryptography,
      slices: new Slices(ports),
      cleanKeys: () => driver.acts.epochs.cleanKeys(),
    });
    this.#swapping = {
      ...ports,
      noteMoved: (name) => this.#save({ moved: withMoved(this.#state.moved, name) }),
      movedName: (old) => this.#state.moved.find((name) => name.old === old),
    };
  }

  /** The pool is open: goes on with what earlier pages began. */
  async start(): Promise<void> {
    const { driver, records, sparing } = this.#ports;
    this.#state = await loadRekeying(records);
    this.#stopWatching = [
      driver.watch(() => this.#lookSoon()),
      sparing.watch(() => this.#lookSoon()),
      // What others fetch of a new content is background work, as what was read for it.
      driver.watchServed((to, hash, bytes) => {
        if (this.#sealed.has(blockKey(hash))) this.#ports.share.spend(to, bytes);
      }),
    ];
    this.#lookSoon();
  }

  /** Ends what is under way. Resolves when nothing more is written. */
  async stop(): Promise<void> {
    this.#hasStopped = true;
    for (const stop of this.#stopWatching) stop();
    this.#cancelTimer?.();
    this.#renewing?.abort.abort(notWanted());
    await Promise.allSettled([...this.#working, this.#saving]);
  }

  /** @throws PalmError 'not-allowed', 'unknown-file', 'removed-file', 'bad-argument'. */
  async rekey(fileIds: readonly string[] | undefined): Promise<void> {
    const { driver, roles } = this.#ports;
    if (driver.peer.acts.charter === undefined)
      throw new PalmError({ code: 'not-allowed', reason: 'no-roles' });
    roles.checkStore();
    if (await this.#exposure.look()) this.#count();
    if (!this.#exposure.isCurrentClean) throw new PalmError({ code: 'not-allowed', reason: 'keys-known' });
    if (fileIds !== undefined && fileIds.length > MAX_WANTED_FILES) throw tooMany();
    const asked = fileIds?.map((id) => this.#asked(id));
    const { wanted } = this.#state;
    const together = [...new Set([...(wanted === 'all' ? [] : wanted), ...(asked ?? [])])];
    if (together.length > MAX_WANTED_FILES) throw tooMany();
    this.#retries.clear();
    this.#failure = undefined;
    if (asked === undefined) await this.#save({ wanted: 'all' });
    else if (wanted !== 'all') await this.#save({ wanted: together });
    this.#lookSoon(0);
  }

  async cancel(): Promise<void> {
    await this.#save({ wanted: [] });
    this.#renewing?.abort.abort(notWanted());
    this.#failure = undefined;
    this.#events.changed();
  }

  /** Entries that are new here. */
  entries(entries: readonly CheckedEntry[]): void {
    if (this.#state.moved.length === 0) return;
    this.#work(
      followRemovals(entries, this.#swapping).then((twins) => (this.#twins = [...this.#twins, ...twins])),
    );
  }

  /** Undefined while there is nothing to say. */
  status(): WordlessRekey | undefined {
    const { own, bytes, ofOthers, privateFiles } = this.#counts;
    const run = this.#run();
    if (own.length === 0 && ofOthers === 0 && privateFiles === 0 && run === undefined) return undefined;
    return { files: own.length, bytes, ofOthers, privateFiles, ...(run === undefined ? {} : { run }) };
  }

  #run(): WordlessRekeyRun | undefined {
    const { pairs } = this.#state;
    const left = this.#wanted();
    const leftFiles = left.length + pairs.size;
    if (leftFiles === 0) return undefined;
    const { reason } = this.#ports.sparing;
    const isSpared = this.#renewing === undefined && left.length > 0 && reason !== undefined;
    const doing = pairs.size > 0 ? 'placing' : 'waiting';
    return {
      state: this.#renewing !== undefined ? 'storing' : isSpared ? 'spared' : doing,
      doneFiles: this.#doneCount,
      leftFiles,
      ...this.#progress,
      ...(isSpared ? { spares: reason } : {}),
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }

  #asked(id: string): FileId {
    const { driver, roles } = this.#ports;
    const { contentId, manifest } = askedFile(driver.peer.catalogue, id);
    if (manifest.access.kind !== 'pool') throw new PalmError({ code: 'not-allowed', reason: 'private-file' });
    for (const name of this.#namesOf(contentId)) roles.checkedRemoval(name);
    return contentId;
  }

  /** Contents that are still to be stored anew, in the order in which that happens. */
  #wanted(): FileId[] {
    const { wanted, pairs } = this.#state;
    const files = wanted === 'all' ? this.#counts.own : wanted;
    const { catalogue } = this.#ports.driver.peer;
    return files.filter((content) => !pairs.has(content) && catalogue.files().has(content));
  }

  /** Never more often than every LOOK_AFTER_MS. */
  #lookSoon(afterMs = LOOK_AFTER_MS): void {
    this.#isChanged = true;
    if (this.#hasStopped || this.#isLooking) return;
    this.#isLooking = true;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#ports.clock.after(afterMs, () => {
      this.#work(
        this.#look().finally(() => {
          this.#isLooking = false;
          if (this.#isChanged) this.#lookSoon();
        }),
      );
    });
  }

  async #look(): Promise<void> {
    this.#isChanged = false;
    const hasChanged = await this.#exposure.look();
    if (hasChanged) this.#count();
    await this.#settle();
    this.#renewNext();
    if (hasChanged) this.#events.changed();
  }

  /** What there is to re-key, for the screens. */
  #count(): void {
    const { driver } = this.#ports;
    const own: FileId[] = [];
    let [bytes, ofOthers, privateFiles] = [0, 0, 0];
    for (const content of this.#exposure.exposed) {
      const manifest = driver.peer.catalogue.files().get(content);
      const names = this.#namesOf(content);
      if (manifest === undefined || names.every(isUnlisted)) continue;
      if (manifest.access.kind !== 'pool') privateFiles += 1;
      else if (!this.#mayRenew(names)) ofOthers += 1;
      else {
        own.push(content);
        bytes += manifest.size;
      }
    }
    this.#counts = { own, bytes, ofOthers, privateFiles };
  }

  #namesOf(content: FileId): ListedFile[] {
    const { catalogue } = this.#ports.driver.peer;
    return catalogue.namesOf(content).flatMap((name) => catalogue.listedFile(name) ?? []);
  }

  #mayRenew(names: readonly ListedFile[]): boolean {
    try {
      for (const name of names) this.#ports.roles.checkedRemoval(name);
      return names.length > 0;
    } catch (error) {
      if (isPalmError(error, 'not-allowed')) return false;
      throw error;
    }
  }

  /** Moves the names of contents that are as safe as the old ones, and lets go of what nobody needs. */
  async #settle(): Promise<void> {
    const { driver } = this.#ports;
    const { catalogue } = driver.peer;
    for (const [from, to] of this.#state.pairs) {
      if (this.#hasStopped) return;
      const isThere = catalogue.files().has(to);
      const names = this.#namesOf(from);
      // Removed meanwhile, or stored anew by somebody else; or this device may do it no longer.
      const isOver = !isThere || names.length === 0 || !this.#mayRenew(names);
      if (!isOver && !isAsSafe(driver.peer, to, from)) continue;
      if (isOver) await dropUnlisted(to, this.#swapping);
      else if (await swap(from, to, this.#swapping)) this.#doneCount += 1;
      await this.#ended(from);
    }
    const open: Twin[] = [];
    for (const twin of this.#twins) if (!(await settleTwin(twin, this.#swapping))) open.push(twin);
    this.#twins = open;
  }

  async #ended(from: FileId): Promise<void> {
    const { wanted, pairs } = this.#state;
    const left = wanted === 'all' ? wanted : wanted.filter((content) => content !== from);
    await this.#save({ wanted: left, pairs: new Map([...pairs].filter(([old]) => old !== from)) });
    if (this.#state.wanted.length === 0 && this.#state.pairs.size === 0) this.#doneCount = 0;
    if (this.#state.pairs.size === 0) this.#sealed.clear();
    this.#events.changed();
  }

  #renewNext(): void {
    const { clock, sparing } = this.#ports;
    if (this.#renewing !== undefined || this.#hasStopped || sparing.reason !== undefined) return;
    if (!this.#exposure.isCurrentClean || this.#state.pairs.size >= MAX_PLACING) return;
    const nowMs = clock.monotonicMs();
    const left = this.#wanted();
    const next = left.find((content) => (this.#retries.get(content)?.atMs ?? 0) <= nowMs);
    if (next !== undefined) {
      this.#work(this.#renew(next));
      return;
    }
    if (left.length === 0) {
      if (this.#state.wanted === 'all') this.#work(this.#allDone());
      return;
    }
    const soonest = Math.min(...left.map((content) => this.#retries.get(content)?.atMs ?? nowMs));
    this.#cancelTimer?.();
    this.#cancelTimer = clock.after(soonest - nowMs, () => this.#lookSoon(0));
  }

  /** Files that come later under keys of before are offered anew. */
  async #allDone(): Promise<void> {
    await this.#save({ wanted: [] });
    this.#events.changed();
  }

  async #renew(content: FileId): Promise<void> {
    const { driver } = this.#ports;
    const abort = new AbortController();
    this.#renewing = { content, abort };
    this.#events.changed();
    try {
      const names = this.#namesOf(content);
      const [first] = names;
      if (first === undefined || !this.#mayRenew(names)) {
        await this.#ended(content);
        return;
      }
      const isOld = (each: FileId): boolean => each === content || this.#exposure.exposed.has(each);
      const to = await renew(
        { first, isOld, signal: abort.signal, sealed: this.#sealed, advanced: this.#advanced },
        this.#ports,
      );
      await this.#save({ pairs: new Map([...this.#state.pairs, [content, to]]) });
      this.#retries.delete(content);
      this.#failure = undefined;
    } catch (error) {
      if (abort.signal.aborted) return;
      if (!isPalmError(error)) throw error;
      const waitedMs = this.#retries.get(content)?.waitedMs ?? 0;
      const waitMs = Math.min(RETRY_MS.last, Math.max(RETRY_MS.first, 2 * waitedMs));
      this.#retries.set(content, { atMs: this.#ports.clock.monotonicMs() + waitMs, waitedMs: waitMs });
      this.#failure = error.failure;
    } finally {
      this.#renewing = undefined;
      this.#progress = { doneBytes: 0, totalBytes: 0 };
      this.#events.changed();
      if (driver.peer.catalogue.files().size > 0) this.#lookSoon();
    }
  }

  readonly #advanced = (doneBytes: number, totalBytes: number): void => {
    this.#progress = { doneBytes, totalBytes };
    this.#events.changed();
  };

  /** One after another, so that none undoes what another saved. */
  #save(change: Partial<RekeyState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    const saving = this.#saving.then(() => saveRekeying(this.#ports.records, this.#state));
    this.#saving = saving.catch(() => undefined); // the caller gets the failure
    return saving;
  }

  #work(work: Promise<unknown>): void {
    this.#working.add(work);
    const ended = work.finally(() => this.#working.delete(work));
    ended.catch((error: unknown) => {
      if (!this.#hasStopped) this.#events.failed(error);
    });
  }
}

function tooMany(): PalmError {
  return new PalmError({ code: 'bad-argument', reason: 'too-many-files', max: MAX_WANTED_FILES });
}

function notWanted(): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' });
}
