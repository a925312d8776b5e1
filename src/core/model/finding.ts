// What the connection doctor found: one finding for each thing that it looks at. The sentences are in
// src/ui/text/en/doctor.ts. Nothing here names a device, a file, an address or a key, so that all of it may
// stand in a report that people pass on.

export const SUBJECTS = [
  'relay',
  'socket',
  'trust',
  'worker',
  'name',
  'candidates',
  'loopback',
  'links',
  'vpn',
  'local-network',
  'mac',
  'camera',
  'storage',
  'clock',
] as const;
/** What is looked at. */
export type Subject = (typeof SUBJECTS)[number];

/**
 * 'works': it was tried, and worked. 'limited': it works, but not as it could. 'blocked': something is in the
 * way. 'untried': it could not be tried, so nothing is known.
 */
export type FindingState = 'works' | 'limited' | 'blocked' | 'untried';

/** Why nothing is known of something. */
export type WhyUntried =
  /** This platform gives no way to try it. */
  | { readonly kind: 'unable' }
  /** No answer came in time. */
  | { readonly kind: 'late' }
  /** The try itself failed. `error`: the kind of the error; '' when it has none that is known. */
  | { readonly kind: 'failed'; readonly error: string }
  /** It needs the relay, which does not answer. */
  | { readonly kind: 'needs-relay' };

export type Reason =
  | WhyUntried
  | { readonly kind: 'relay-answers' }
  | { readonly kind: 'relay-offline' }
  | { readonly kind: 'relay-silent' }
  /** `mayBeCertificate`: connections that the certificate prevents look the same. */
  | { readonly kind: 'relay-refused'; readonly mayBeCertificate: boolean }
  | { readonly kind: 'relay-not-palm' }
  | { readonly kind: 'relay-other-name' }
  | { readonly kind: 'socket-works' }
  /** The same goes by server-sent events. */
  | { readonly kind: 'socket-by-events' }
  | { readonly kind: 'socket-refused' }
  | { readonly kind: 'socket-closed' }
  | { readonly kind: 'trust-own-machine' }
  | { readonly kind: 'trust-given' }
  /** The person went past the browser's warning. */
  | { readonly kind: 'trust-excepted' }
  | { readonly kind: 'trust-insecure' }
  | { readonly kind: 'trust-unseen' }
  | { readonly kind: 'worker-controls' }
  | { readonly kind: 'worker-next-time' }
  | { readonly kind: 'worker-refused' }
  | { readonly kind: 'worker-insecure' }
  | { readonly kind: 'worker-unsupported' }
  | { readonly kind: 'name-resolves' }
  | { readonly kind: 'name-not-found' }
  | { readonly kind: 'name-own' }
  | { readonly kind: 'name-own-machine' }
  /** The page is at an address. `resolves`: whether the relay's name leads there too, if that is known. */
  | { readonly kind: 'name-address'; readonly resolves: boolean | undefined }
  | { readonly kind: 'candidates-plain'; readonly count: number }
  | { readonly kind: 'candidates-masked'; readonly count: number }
  | { readonly kind: 'candidates-none' }
  | { readonly kind: 'loopback-works' }
  | { readonly kind: 'loopback-fails' }
  | { readonly kind: 'links-work'; readonly count: number }
  | { readonly kind: 'links-some'; readonly count: number; readonly blockedCount: number }
  /** Some are linked through the relay only. */
  | { readonly kind: 'links-relayed'; readonly count: number }
  /** Devices that answer at the relay, of which none can be linked. */
  | { readonly kind: 'links-isolated'; readonly blockedCount: number }
  | { readonly kind: 'links-trying'; readonly count: number }
  | { readonly kind: 'links-quiet' }
  | { readonly kind: 'links-no-pool' }
  | { readonly kind: 'links-alone' }
  /** Interfaces that are up and named as those of VPNs, without their numbers. */
  | { readonly kind: 'vpn-interface'; readonly names: readonly string[] }
  | { readonly kind: 'vpn-suspected' }
  | { readonly kind: 'vpn-no-interface' }
  | { readonly kind: 'vpn-unseen' }
  | { readonly kind: 'lan-granted' }
  | { readonly kind: 'lan-denied' }
  | { readonly kind: 'lan-would-ask' }
  | { readonly kind: 'lan-no-permission' }
  | { readonly kind: 'mac-lets' }
  | { readonly kind: 'mac-unseen' }
  | { readonly kind: 'camera-works' }
  | { readonly kind: 'camera-there'; readonly isAllowed: boolean }
  | { readonly kind: 'camera-none' }
  | { readonly kind: 'camera-denied' }
  | { readonly kind: 'camera-busy' }
  | { readonly kind: 'camera-insecure' }
  | { readonly kind: 'storage-kept'; readonly freeBytes: number }
  | { readonly kind: 'storage-evictable'; readonly freeBytes: number }
  | { readonly kind: 'storage-little'; readonly freeBytes: number }
  /** The browser gives no files that can be overwritten. */
  | { readonly kind: 'storage-no-files' }
  | { readonly kind: 'storage-insecure' }
  | { readonly kind: 'storage-unwritable' }
  /** `atMostMs`: how far the clocks are apart at most, as far as it can be measured. */
  | { readonly kind: 'clock-agrees'; readonly atMostMs: number }
  /** The other clock is ahead of this device's by so much; negative: behind. */
  | { readonly kind: 'clock-differs'; readonly aheadMs: number }
  | { readonly kind: 'clock-same-machine' };

export interface Finding {
  readonly what: Subject;
  readonly state: FindingState;
  readonly reason: Reason;
}
