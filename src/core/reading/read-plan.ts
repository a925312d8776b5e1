// How one file is read: which fragment's block of which segment is asked of which device. Any k of n will do,
// block by block, so a holder that fails, lags or leaves delays one block and never stops the read.
//
// A machine: told the time and what happened, it returns what to ask, what to stop asking, and which segments
// are complete. It holds numbers only; the caller holds the bytes.

import type { DeviceId } from '../model/ids.ts';
import type { ReadEffect, ReadInput } from './read-events.ts';
import { HolderPace } from './holder-pace.ts';
import { SourceChoosing, type Allowed, type AskedSource, type Source } from './source-choosing.ts';
import type { MonotonicMs } from '../model/time.ts';

export interface ReadPlanOptions {
  readonly self: DeviceId;
  readonly k: number;
  readonly n: number;
  readonly firstSegment: number;
  /** One past the last. */
  readonly endSegment: number;
  /** Segments asked for ahead of the reader. */
  readonly windowSegments: number;
}

interface Asked extends AskedSource {
  /** Its device was marked as lagging because of it. */
  noted: boolean;
}

interface SegmentState {
  readonly got: Set<number>;
  readonly asked: Map<number, Asked>;
  /** By 'fragment@device': how often it failed. */
  readonly failures: Map<string, number>;
  complete: boolean;
}

/**
 * How long a stuck read waits for devices to come back, ms, once first links had their chance: rebuilding a
 * link takes about a second.
 */
const PATIENCE_MS = 3_000;
/** A linked device that failed this often with one block is not asked for it again: no endless reads. */
const MAX_FAILURES = 5;

export class ReadPlan {
  readonly #options: ReadPlanOptions;
  #sources: ReadonlyMap<number, readonly DeviceId[]> = new Map();
  #silent: ReadonlySet<DeviceId> = new Set();
  readonly #indexed = new Set<number>();
  readonly #askedIndexes = new Map<number, Asked>();
  /** By 'fragment@device': how often its index failed. */
  readonly #indexFailures = new Map<string, number>();
  readonly #segments = new Map<number, SegmentState>();
  readonly #pace = new HolderPace();
  readonly #choosing: SourceChoosing;
  #nextTaken: number;
  #starving: { readonly sinceMs: number; told: boolean } | undefined;
  #awaitedUntilMs: MonotonicMs = -Infinity;
  #nowMs = 0;

  constructor(options: ReadPlanOptions) {
    this.#options = options;
    this.#choosing = new SourceChoosing(options.self, options.k, this.#pace);
    this.#nextTaken = options.firstSegment;
  }

  handle(nowMs: MonotonicMs, input: ReadInput): ReadEffect[] {
    this.#nowMs = nowMs;
    this.#learn(input);
    for (const ask of this.#pending()) {
      if (ask.noted || !this.#choosing.isOverdue(this.#nowMs, ask)) continue;
      ask.noted = true;
      this.#pace.overdue(ask.device);
    }
    const effects = this.#completeSegments();
    this.#choosing.countBurdens(this.#pending());
    effects.push(...this.#askBlocks(), ...this.#askIndexes());
    return [...effects, ...this.#tellStarvation()];
  }

  /** When something may be overdue: a block to hedge, a rest, or patience. */
  nextDeadlineMs(): MonotonicMs {
    let next = this.#pace.nextRestEndMs(this.#nowMs);
    if (this.#starving?.told === false) next = Math.min(next, this.#patientUntilMs(this.#starving));
    for (const ask of this.#pending()) {
      const hedgeAtMs = ask.sinceMs + this.#pace.hedgeAfterMs(ask.device);
      if (hedgeAtMs > this.#nowMs) next = Math.min(next, hedgeAtMs);
    }
    return next;
  }

  *#pending(): Generator<Asked> {
    yield* this.#askedIndexes.values();
    for (const { asked } of this.#segments.values()) yield* asked.values();
  }

  #learn(input: ReadInput): void {
    switch (input.kind) {
      case 'sources':
        this.#sources = input.sources;
        break;
      case 'index': {
        const asked = this.#askedIndexes.get(input.fragment);
        if (asked !== undefined) this.#pace.delivered(asked.device);
        this.#askedIndexes.delete(input.fragment);
        this.#indexed.add(input.fragment);
        break;
      }
      case 'index-failed':
        this.#noteFailure(input, this.#askedIndexes, this.#indexFailures);
        break;
      case 'block':
        this.#blockArrived(input.segment, input.fragment);
        break;
      case 'block-failed': {
        const state = this.#segments.get(input.segment);
        if (state !== undefined) this.#noteFailure(input, state.asked, state.failures);
        break;
      }
      case 'unsound': {
        const state = this.#segments.get(input.segment);
        if (state === undefined) break;
        state.complete = false;
        state.got.delete(input.fragment);
        this.#noteFailure({ ...input, forGood: true }, state.asked, state.failures);
        break;
      }
      case 'lost': {
        const state = this.#segments.get(input.segment);
        // A device that cannot deliver a block still cannot.
        if (state !== undefined)
          this.#segments.set(input.segment, { ...newSegment(), failures: state.failures });
        break;
      }
      case 'silent':
        this.#silent = input.devices;
        for (const device of input.devices) this.#pace.overdue(device);
        break;
      case 'awaited':
        this.#awaitedUntilMs = input.untilMs;
        break;
      case 'taken':
        this.#segments.delete(this.#nextTaken);
        this.#nextTaken += 1;
        break;
      case 'tick':
        break;
    }
  }

  /** A failure that its device's lost link explains does not count against the device. */
  #noteFailure(
    { fragment, device, forGood }: Source & { readonly forGood: boolean },
    asked: Map<number, Asked>,
    failures: Map<string, number>,
  ): void {
    if (asked.get(fragment)?.device === device) asked.delete(fragment);
    const key = `${fragment}@${device}`;
    if (forGood) failures.set(key, MAX_FAILURES);
    else if (this.#sources.get(fragment)?.includes(device) === true) {
      failures.set(key, (failures.get(key) ?? 0) + 1);
      this.#pace.failed(this.#nowMs, device);
    }
  }

  #blockArrived(segment: number, fragment: number): void {
    const state = this.#segments.get(segment);
    const asked = state?.asked.get(fragment);
    if (state === undefined || asked === undefined) return;
    this.#pace.delivered(asked.device, this.#nowMs - asked.sinceMs);
    state.asked.delete(fragment);
    state.got.add(fragment);
  }

  /** Segments with k blocks; their remaining requests are not needed. */
  #completeSegments(): ReadEffect[] {
    const effects: ReadEffect[] = [];
    for (const [segment, state] of this.#segments) {
      if (state.complete || state.got.size < this.#options.k) continue;
      state.complete = true;
      for (const fragment of state.asked.keys()) effects.push({ kind: 'stop-block', segment, fragment });
      state.asked.clear();
      effects.push({ kind: 'complete', segment });
    }
    return effects;
  }

  #askBlocks(): ReadEffect[] {
    const effects: ReadEffect[] = [];
    const windowEnd = Math.min(this.#options.endSegment, this.#nextTaken + this.#options.windowSegments);
    for (let segment = this.#nextTaken; segment < windowEnd; segment++) {
      const state = this.#segments.get(segment) ?? newSegment();
      this.#segments.set(segment, state);
      if (!state.complete) effects.push(...this.#askSegment(segment, state));
    }
    return effects;
  }

  #askSegment(segment: number, state: SegmentState): ReadEffect[] {
    const effects: ReadEffect[] = [];
    const isOpen: Allowed = (fragment, device) =>
      this.#indexed.has(fragment) &&
      !state.got.has(fragment) &&
      !this.#silent.has(device) &&
      !isHopeless(state.failures, fragment, device);
    for (let missing = this.#missingCount(state); missing > 0; missing--) {
      const choice = this.#choosing.choose(
        this.#nowMs,
        this.#sources,
        isOpen,
        this.#withoutSilent(state.asked),
      );
      if (choice === undefined) break;
      const { fragment, device } = choice;
      if (state.asked.has(fragment)) effects.push({ kind: 'stop-block', segment, fragment });
      this.#ask(state.asked, choice);
      effects.push({ kind: 'ask-block', segment, fragment, device });
    }
    return effects;
  }

  /** Indexes of k fragments, plus one for each that no longer serves some segment of the window. */
  #askIndexes(): ReadEffect[] {
    const effects: ReadEffect[] = [];
    const isOpen: Allowed = (fragment, device) =>
      !this.#indexed.has(fragment) &&
      !this.#silent.has(device) &&
      !isHopeless(this.#indexFailures, fragment, device);
    const usable = [...this.#indexed].filter((fragment) => this.#sources.has(fragment)).length;
    const lacking = Math.max(this.#options.k - usable, this.#shortfall());
    const spare = lacking > 0 ? this.#spareCount(this.#askedIndexes) : 0;
    for (let wanted = lacking + spare - this.#promptCount(this.#askedIndexes); wanted > 0; wanted--) {
      const choice = this.#choosing.choose(
        this.#nowMs,
        this.#sources,
        isOpen,
        this.#withoutSilent(this.#askedIndexes),
      );
      if (choice === undefined) break;
      this.#ask(this.#askedIndexes, choice);
      effects.push({ kind: 'ask-index', ...choice });
    }
    return effects;
  }

  /**
   * How many more fragments the neediest segment of the window could use: it lacks blocks and has no prompt
   * device left to ask.
   */
  #shortfall(): number {
    let worst = 0;
    for (const state of this.#segments.values()) {
      if (state.complete) continue;
      const openCount = [...this.#indexed].filter(
        (fragment) =>
          !state.got.has(fragment) &&
          !state.asked.has(fragment) &&
          this.#sources
            .get(fragment)
            ?.some(
              (device) => !this.#pace.isLagging(device) && !isHopeless(state.failures, fragment, device),
            ) === true,
      ).length;
      worst = Math.max(worst, this.#missingCount(state) - openCount);
    }
    return worst;
  }

  #tellStarvation(): ReadEffect[] {
    const stuck = this.#stuck();
    if (stuck === undefined) {
      this.#starving = undefined;
      return [];
    }
    this.#starving ??= { sinceMs: this.#nowMs, told: false };
    const isOver = stuck.silent.length > 0 || this.#nowMs >= this.#patientUntilMs(this.#starving);
    if (this.#starving.told || !isOver) return [];
    this.#starving.told = true;
    return [{ kind: 'starved', ...stuck }];
  }

  #patientUntilMs({ sinceMs }: { readonly sinceMs: MonotonicMs }): MonotonicMs {
    return Math.max(sinceMs, this.#awaitedUntilMs) + PATIENCE_MS;
  }

  /** A segment that nothing under way can complete; undefined when none is stuck. */
  #stuck(): { readonly reach: number; readonly silent: readonly DeviceId[] } | undefined {
    if (this.#isUnderWay(this.#askedIndexes)) return undefined;
    for (const state of this.#segments.values()) {
      if (state.complete || this.#isUnderWay(state.asked)) continue;
      let reach = state.got.size;
      const silent = new Set<DeviceId>();
      for (const [fragment, devices] of this.#sources) {
        if (state.got.has(fragment)) continue;
        const speaking = devices.filter((device) => !this.#silent.has(device));
        if (this.#canServe(state, fragment, speaking)) reach += 1;
        else if (this.#canServe(state, fragment, devices))
          for (const device of devices) if (this.#silent.has(device)) silent.add(device);
      }
      if (reach < this.#options.k) return { reach, silent: [...silent] };
    }
    return undefined;
  }

  #isUnderWay(asked: ReadonlyMap<number, Asked>): boolean {
    return this.#withoutSilent(asked).size > 0;
  }

  /** What silent devices were asked for can be asked of others. */
  #withoutSilent(asked: ReadonlyMap<number, Asked>): ReadonlyMap<number, Asked> {
    if (this.#silent.size === 0) return asked;
    return new Map([...asked].filter(([, { device }]) => !this.#silent.has(device)));
  }

  #canServe(state: SegmentState, fragment: number, devices: readonly DeviceId[]): boolean {
    const canHave = (failures: ReadonlyMap<string, number>): boolean =>
      devices.some((device) => !isHopeless(failures, fragment, device));
    return canHave(state.failures) && (this.#indexed.has(fragment) || canHave(this.#indexFailures));
  }

  #ask(asked: Map<number, Asked>, { fragment, device }: Source): void {
    this.#choosing.asked(device, asked.get(fragment)?.device);
    asked.set(fragment, { device, sinceMs: this.#nowMs, noted: false });
  }

  /** How many more blocks to ask for. */
  #missingCount({ got, asked }: SegmentState): number {
    return this.#options.k + this.#spareCount(asked) - got.size - this.#promptCount(asked);
  }

  /**
   * Once something is overdue, one more is asked for than needed: where one device is at fault the next may
   * be too, and waiting for each in turn would take long.
   */
  #spareCount(asked: ReadonlyMap<number, Asked>): number {
    return this.#promptCount(asked) < asked.size ? 1 : 0;
  }

  #promptCount(asked: ReadonlyMap<number, Asked>): number {
    return [...this.#withoutSilent(asked).values()].filter(
      (ask) => !this.#choosing.isOverdue(this.#nowMs, ask),
    ).length;
  }
}

function newSegment(): SegmentState {
  return { got: new Set(), asked: new Map(), failures: new Map(), complete: false };
}

function isHopeless(failures: ReadonlyMap<string, number>, fragment: number, device: DeviceId): boolean {
  return (failures.get(`${fragment}@${device}`) ?? 0) >= MAX_FAILURES;
}
