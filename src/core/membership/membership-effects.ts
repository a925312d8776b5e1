// What membership wants done.

import type { DeviceId } from '../model/ids.ts';
import type { AliveRecord, Belief } from './alive-record.ts';
import type { Signing } from './own-life.ts';

/** Sign such a record of this device, once its incarnation is on the disk; answer with 'alive-signed'. */
export interface SignAliveEffect extends Signing {
  readonly kind: 'sign-alive';
}

/** Check the signatures of these; answer with 'alive-checked'. */
export interface CheckAliveEffect {
  readonly kind: 'check-alive';
  readonly from: DeviceId;
  readonly records: readonly AliveRecord[];
}

export type MembershipEffect =
  /** Tell `to` what this device believes of these, so that it tells what it knows better. */
  | { readonly kind: 'probe'; readonly to: DeviceId; readonly beliefs: readonly Belief[] }
  | { readonly kind: 'alive'; readonly to: DeviceId; readonly records: readonly AliveRecord[] }
  | SignAliveEffect
  | CheckAliveEffect
  | { readonly kind: 'close-link'; readonly device: DeviceId; readonly reason: string };
