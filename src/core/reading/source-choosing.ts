// Chooses which fragment to ask of which device next, by what each device is asked for already and how it
// behaved.

import type { DeviceId } from '../model/ids.ts';
import type { HolderPace } from './holder-pace.ts';
import type { MonotonicMs } from '../model/time.ts';

/** By fragment, the devices that can be asked for it. */
export type Sources = ReadonlyMap<number, readonly DeviceId[]>;

export interface Source {
  readonly fragment: number;
  readonly device: DeviceId;
}

export interface AskedSource {
  readonly device: DeviceId;
  readonly sinceMs: number;
}

export type Allowed = (fragment: number, device: DeviceId) => boolean;

/** Blocks and indexes asked of one device at the same time: 4 MiB under way keeps a LAN link busy. */
const MAX_ASKED_PER_DEVICE = 16;

export class SourceChoosing {
  readonly #self: DeviceId;
  readonly #k: number;
  readonly #pace: HolderPace;
  /** How much is asked of each device now. */
  readonly #burdens = new Map<DeviceId, number>();

  constructor(self: DeviceId, k: number, pace: HolderPace) {
    this.#self = self;
    this.#k = k;
    this.#pace = pace;
  }

  /** `pending` is everything that is asked now. */
  countBurdens(pending: Iterable<AskedSource>): void {
    this.#burdens.clear();
    for (const { device } of pending) this.#burdens.set(device, this.#burdenOf(device) + 1);
  }

  /** `device` is asked for one more, instead of `replaced`. */
  asked(device: DeviceId, replaced: DeviceId | undefined): void {
    if (replaced !== undefined) this.#burdens.set(replaced, this.#burdenOf(replaced) - 1);
    this.#burdens.set(device, this.#burdenOf(device) + 1);
  }

  isOverdue(nowMs: MonotonicMs, { device, sinceMs }: AskedSource): boolean {
    return nowMs - sinceMs >= this.#pace.hedgeAfterMs(device);
  }

  /**
   * The next source to ask: a fragment not asked for yet, from a device that does not lag; else an overdue
   * fragment from another such device; else one from a device that lags. Returns undefined when the better
   * kind exists but is busy: then it is worth waiting for.
   */
  choose(
    nowMs: MonotonicMs,
    sources: Sources,
    isOpen: Allowed,
    asked: ReadonlyMap<number, AskedSource>,
  ): Source | undefined {
    const isLate = (fragment: number, device: DeviceId): boolean => {
      const ask = asked.get(fragment);
      return ask !== undefined && ask.device !== device && this.isOverdue(nowMs, ask);
    };
    const kinds: readonly Allowed[] = [
      (fragment, device) => !asked.has(fragment) && !this.#pace.isLagging(device),
      (fragment, device) => isLate(fragment, device) && !this.#pace.isLagging(device),
      (fragment, device) => !asked.has(fragment) && this.#pace.isLagging(device),
    ];
    for (const isKind of kinds) {
      const choices = choicesOf(
        sources,
        (fragment, device) => isOpen(fragment, device) && isKind(fragment, device),
      );
      if (choices.length > 0) return this.#best(choices.filter(({ device }) => this.#isFree(nowMs, device)));
    }
    return undefined;
  }

  /**
   * This device first, then the least burdened and fastest. Data fragments come before parity: they need no
   * decoding.
   */
  #best(choices: readonly Source[]): Source | undefined {
    let best: { choice: Source; cost: number } | undefined;
    for (const choice of choices) {
      const cost = this.#costOf(choice);
      if (best === undefined || cost < best.cost) best = { choice, cost };
    }
    return best?.choice;
  }

  #costOf({ fragment, device }: Source): number {
    const parity = fragment >= this.#k ? 0.5 : 0;
    if (device === this.#self) return parity - 1_000;
    return (1 + this.#burdenOf(device)) * (1 + this.#pace.usualMs(device) / 1_000) + parity;
  }

  #isFree(nowMs: MonotonicMs, device: DeviceId): boolean {
    return this.#burdenOf(device) < MAX_ASKED_PER_DEVICE && !this.#pace.isResting(nowMs, device);
  }

  #burdenOf(device: DeviceId): number {
    return this.#burdens.get(device) ?? 0;
  }
}

function choicesOf(sources: Sources, allowed: Allowed): Source[] {
  const choices: Source[] = [];
  for (const [fragment, devices] of sources) {
    for (const device of devices) if (allowed(fragment, device)) choices.push({ fragment, device });
  }
  return choices;
}
