// How a member of the pool stands, as this device sees it.

import type { DeviceClass } from '../model/device-class.ts';
import type { WallMs } from '../model/time.ts';

export const MEMBER_STATES = ['reachable', 'away', 'suspect', 'gone'] as const;

/**
 * `reachable`: linked with this device. `suspect`: its link broke a moment ago, without a goodbye, and nobody
 * has heard of it since. `away`: it is expected back. `gone`: nobody heard of it for longer than the grace of
 * its class, so what it holds no longer counts.
 */
export type MemberState = (typeof MEMBER_STATES)[number];

export interface MemberStatus {
  readonly state: MemberState;
  readonly class: DeviceClass;
  /** When the state began, by this device's wall clock. */
  readonly sinceMs: WallMs;
  /** How long it may be silent before it is gone, ms. */
  readonly graceMs: number;
}
