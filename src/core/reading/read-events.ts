// What a read plan is told, and what it asks for (read-plan.ts).

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';

export type ReadInput =
  /** Which devices can be asked for which fragment now. Replaces the previous sources. */
  | { readonly kind: 'sources'; readonly sources: ReadonlyMap<number, readonly DeviceId[]> }
  /** A fragment's index arrived and fits its id. */
  | { readonly kind: 'index'; readonly fragment: number }
  | {
      readonly kind: 'index-failed';
      readonly fragment: number;
      readonly device: DeviceId;
      readonly forGood: boolean;
    }
  /** A block arrived. */
  | { readonly kind: 'block'; readonly segment: number; readonly fragment: number }
  | {
      readonly kind: 'block-failed';
      readonly segment: number;
      readonly fragment: number;
      readonly device: DeviceId;
      /** The device will never deliver this block (absent, corrupt). */
      readonly forGood: boolean;
    }
  /** A block of a complete segment does not fit its hash: its device cannot deliver it. The others stay. */
  | {
      readonly kind: 'unsound';
      readonly segment: number;
      readonly fragment: number;
      readonly device: DeviceId;
    }
  /** A complete segment's blocks were lost before it was opened: all are asked for again. */
  | { readonly kind: 'lost'; readonly segment: number }
  /** Devices that owe something and give nothing of it. Replaces the previous ones. */
  | { readonly kind: 'silent'; readonly devices: ReadonlySet<DeviceId> }
  /** Links may still come up until then, for a page that has only begun. Replaces the previous time. */
  | { readonly kind: 'awaited'; readonly untilMs: MonotonicMs }
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
  /**
   * Too few fragments could be reached for PATIENCE_MS: `reach` of the k needed. If `silent` devices are
   * needed, the wait for them was long enough.
   */
  | { readonly kind: 'starved'; readonly reach: number; readonly silent: readonly DeviceId[] };
