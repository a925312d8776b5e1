// How one file is read: which fragment's block of which segment is asked of whom. Any k of n will do, block by block, so
// a holder that fails, lags or leaves costs one block's delay and never the read.
//
// A machine: told the time and what happened, it answers what to ask, what to stop asking, and which segments are
// complete. It holds numbers only; the bytes are the caller's.

import type { DeviceId } from '../model/ids.ts';

export type ReadInput =
  /** Who can be asked for which fragment now. Replaces what was known. */
  | { readonly kind: 'sources'; readonly sources: ReadonlyMap<number, readonly DeviceId[]> }
  /** A fragment's index arrived and fits its id. */
  | { readonly kind: 'index'; readonly fragment: number }
  | {
      readonly kind: 'index-failed';
      readonly fragment: number;
      readonly device: DeviceId;
      readonly forGood: boolean;
    }
  /** A block arrived and fits its hash. */
  | { readonly kind: 'block'; readonly segment: number; readonly fragment: number }
  | {
      readonly kind: 'block-failed';
      readonly segment: number;
      readonly fragment: number;
      readonly device: DeviceId;
      /** The device cannot deliver this block (absent, corrupt), now or later. */
      readonly forGood: boolean;
    }
  /** The reader took the first segment of the window. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'tick' };

export type ReadEffect =
  | { readonly kind: 'ask-index'; readonly fragment: number; readonly device: DeviceId }
  | {
      readonly kind: 'ask-block';
      readonly segment: number;
      readonly fragment: number;
      readonly device: DeviceId;
    }
  | { readonly kind: 'stop-block'; readonly segment: number; readonly fragment: number }
  /** k blocks of the segment are in. */
  | { readonly kind: 'complete'; readonly segment: number }
  /** Too few fragments could be reached for PATIENCE_MS: `reach` of the k needed. */
  | { readonly kind: 'starved'; readonly reach: number };

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

interface Asked {
  readonly device: DeviceId;
  readonly sinceMs: number;
}

interface SegmentState {
  readonly got: Set<number>;
  readonly asked: Map<number, Asked>;
  complete: boolean;
}

/** A read that cannot go on waits this long for devices to come back, ms: a link that is being rebuilt takes about one. */
const PATIENCE_MS = 3_000;
/** A block that takes this long, ms, or this many times its device's usual time, is asked elsewhere as well. */
const HEDGE_FLOOR_MS = 1_500;
const HEDGE_FACTOR = 4;
/** Blocks asked of one device at once: 4 MiB under way keeps a LAN link busy. */
const MAX_ASKED_PER_DEVICE = 16;

export class ReadPlan {
  readonly #options: ReadPlanOptions;
  #sources: ReadonlyMap<number, readonly DeviceId[]> = new Map();
  readonly #indexed = new Set<number>();
  readonly #askedIndexes = new Map<number, Asked>();
  /** 'i@device' and 's/i@device': what failed for good, and is not asked again. */
  readonly #hopeless = new Set<string>();
  readonly #segments = new Map<number, SegmentState>();
  readonly #usualMs = new Map<DeviceId, number>();
  #nextTaken: number;
  #starvedSinceMs: number | undefined;
  #nowMs = 0;

  constructor(options: ReadPlanOptions) {
    this.#options = options;
    this.#nextTaken = options.firstSegment;
  }

  handle(nowMs: number, input: ReadInput): ReadEffect[] {
    this.#nowMs = nowMs;
    this.#learn(input);
    const effects = [...this.#completeSegments(), ...this.#askBlocks()];
    effects.push(...this.#askIndexes());
    return [...effects, ...this.#starvation()];
  }

  /** When something may be overdue: a block to hedge, or the end of patience. */
  nextDeadlineMs(): number {
    let next = this.#starvedSinceMs === undefined ? Infinity : this.#starvedSinceMs + PATIENCE_MS;
    const pending = [...this.#askedIndexes.values()];
    for (const { asked } of this.#segments.values()) pending.push(...asked.values());
    for (const ask of pending) {
      const hedgeAtMs = ask.sinceMs + this.#hedgeAfterMs(ask.device);
      if (hedgeAtMs > this.#nowMs) next = Math.min(next, hedgeAtMs);
    }
    return next;
  }

  #learn(input: ReadInput): void {
    switch (input.kind) {
      case 'sources':
        this.#sources = input.sources;
        break;
      case 'index':
        this.#askedIndexes.delete(input.fragment);
        this.#indexed.add(input.fragment);
        break;
      case 'index-failed':
        this.#askedIndexes.delete(input.fragment);
        if (input.forGood) this.#hopeless.add(`${input.fragment}@${input.device}`);
        break;
      case 'block':
        this.#blockArrived(input.segment, input.fragment);
        break;
      case 'block-failed':
        this.#segments.get(input.segment)?.asked.delete(input.fragment);
        if (input.forGood) this.#hopeless.add(`${input.segment}/${input.fragment}@${input.device}`);
        break;
      case 'taken':
        this.#segments.delete(this.#nextTaken);
        this.#nextTaken += 1;
        break;
      case 'tick':
        break;
    }
  }

  #blockArrived(segment: number, fragment: number): void {
    const state = this.#segments.get(segment);
    const asked = state?.asked.get(fragment);
    if (state === undefined || asked === undefined) return;
    const tookMs = this.#nowMs - asked.sinceMs;
    this.#usualMs.set(asked.device, (this.#usualMs.get(asked.device) ?? tookMs) * 0.8 + tookMs * 0.2);
    state.asked.delete(fragment);
    state.got.add(fragment);
  }

  /** Segments with k blocks; what is still asked for them is not needed. */
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
    const { endSegment, windowSegments } = this.#options;
    for (
      let segment = this.#nextTaken;
      segment < Math.min(endSegment, this.#nextTaken + windowSegments);
      segment++
    ) {
      const state = this.#segments.get(segment) ?? { got: new Set(), asked: new Map(), complete: false };
      this.#segments.set(segment, state);
      if (!state.complete) effects.push(...this.#askSegment(segment, state));
    }
    return effects;
  }

  #askSegment(segment: number, state: SegmentState): ReadEffect[] {
    const effects: ReadEffect[] = [];
    const prompt = [...state.asked.values()].filter((ask) => !this.#isOverdue(ask)).length;
    for (let missing = this.#options.k - state.got.size - prompt; missing > 0; missing--) {
      const choice = this.#bestChoice((fragment, device) => {
        if (!this.#indexed.has(fragment) || state.got.has(fragment) || state.asked.has(fragment))
          return false;
        return (
          !this.#hopeless.has(`${segment}/${fragment}@${device}`) &&
          this.#askedOf(device) < MAX_ASKED_PER_DEVICE
        );
      });
      if (choice === undefined) break;
      state.asked.set(choice.fragment, { device: choice.device, sinceMs: this.#nowMs });
      effects.push({ kind: 'ask-block', segment, ...choice });
    }
    return effects;
  }

  /** Indexes of k fragments, and of one more for each that no longer serves some segment of the window. */
  #askIndexes(): ReadEffect[] {
    const effects: ReadEffect[] = [];
    const usable = [...this.#indexed].filter(
      (fragment) => (this.#sources.get(fragment)?.length ?? 0) > 0,
    ).length;
    const prompt = [...this.#askedIndexes.values()].filter((ask) => !this.#isOverdue(ask)).length;
    let wanted = Math.max(this.#options.k - usable, this.#shortfall()) - prompt;
    for (; wanted > 0; wanted--) {
      const choice = this.#bestChoice(
        (fragment, device) =>
          !this.#indexed.has(fragment) &&
          !this.#askedIndexes.has(fragment) &&
          !this.#hopeless.has(`${fragment}@${device}`),
      );
      if (choice === undefined) break;
      this.#askedIndexes.set(choice.fragment, { device: choice.device, sinceMs: this.#nowMs });
      effects.push({ kind: 'ask-index', ...choice });
    }
    return effects;
  }

  /** How many more fragments the neediest segment of the window could use: it lacks blocks, and has nobody prompt to ask. */
  #shortfall(): number {
    let worst = 0;
    for (const [segment, state] of this.#segments) {
      if (state.complete) continue;
      const prompt = [...state.asked.values()].filter((ask) => !this.#isOverdue(ask)).length;
      const open = [...this.#indexed].filter(
        (fragment) =>
          !state.got.has(fragment) && !state.asked.has(fragment) && this.#canServe(segment, fragment),
      );
      worst = Math.max(worst, this.#options.k - state.got.size - prompt - open.length);
    }
    return worst;
  }

  #starvation(): ReadEffect[] {
    const reach = this.#starvedReach();
    if (reach === undefined) {
      this.#starvedSinceMs = undefined;
      return [];
    }
    this.#starvedSinceMs ??= this.#nowMs;
    return this.#nowMs >= this.#starvedSinceMs + PATIENCE_MS ? [{ kind: 'starved', reach }] : [];
  }

  /** The reach of a segment that nothing under way can complete; undefined when none is stuck. */
  #starvedReach(): number | undefined {
    if (this.#askedIndexes.size > 0) return undefined;
    for (const [segment, state] of this.#segments) {
      if (state.complete || state.asked.size > 0) continue;
      let reach = state.got.size;
      for (const fragment of this.#sources.keys()) {
        if (!state.got.has(fragment) && this.#canServe(segment, fragment)) reach += 1;
      }
      if (reach < this.#options.k) return reach;
    }
    return undefined;
  }

  #canServe(segment: number, fragment: number): boolean {
    const devices = this.#sources.get(fragment) ?? [];
    return devices.some(
      (device) =>
        !this.#hopeless.has(`${segment}/${fragment}@${device}`) &&
        (this.#indexed.has(fragment) || !this.#hopeless.has(`${fragment}@${device}`)),
    );
  }

  /** This device first, then the least burdened and fastest; data fragments before parity, for they need no decoding. */
  #bestChoice(
    allowed: (fragment: number, device: DeviceId) => boolean,
  ): { fragment: number; device: DeviceId } | undefined {
    let best: { fragment: number; device: DeviceId; cost: number } | undefined;
    for (const [fragment, devices] of this.#sources) {
      for (const device of devices) {
        if (!allowed(fragment, device)) continue;
        const cost = this.#costOf(fragment, device);
        if (best === undefined || cost < best.cost) best = { fragment, device, cost };
      }
    }
    return best && { fragment: best.fragment, device: best.device };
  }

  #costOf(fragment: number, device: DeviceId): number {
    const parity = fragment >= this.#options.k ? 0.5 : 0;
    if (device === this.#options.self) return parity - 1_000;
    const usualMs = this.#usualMs.get(device) ?? 50;
    return (1 + this.#askedOf(device)) * (1 + usualMs / 1_000) + parity;
  }

  #askedOf(device: DeviceId): number {
    let askedCount = 0;
    for (const { asked } of this.#segments.values()) {
      for (const ask of asked.values()) if (ask.device === device) askedCount += 1;
    }
    for (const ask of this.#askedIndexes.values()) if (ask.device === device) askedCount += 1;
    return askedCount;
  }

  #hedgeAfterMs(device: DeviceId): number {
    return Math.max(HEDGE_FLOOR_MS, HEDGE_FACTOR * (this.#usualMs.get(device) ?? 0));
  }

  #isOverdue(ask: Asked): boolean {
    return this.#nowMs - ask.sinceMs >= this.#hedgeAfterMs(ask.device);
  }
}
