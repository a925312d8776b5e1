// What people are told without asking: a kind and its parameters. The sentences belong to the screens
// (src/ui/text/en.ts) and reach the runtime as `Texts`; notices leave `window.palm` as sentences.

import { bugDetail, isBug } from '../core/model/bug.ts';
import { isPalmError } from '../core/model/errors.ts';
import type { Failure, Rejection } from '../core/model/failures.ts';
import type { DeviceId } from '../core/model/ids.ts';
import type { Misdeed } from '../core/peer/misdeeds.ts';

/** A device, as sentences name it. */
export interface QuotedDevice {
  readonly id: DeviceId;
  /** The name that the device gives itself; '' for none. */
  readonly name: string;
  /** Another member looks the same, or the device has no name: its id must be shown too. */
  readonly isAmbiguous: boolean;
}

export type Notice =
  /** Something failed that nobody waits for. */
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** Palm threw something other than a PalmError. */
  | { readonly kind: 'bug'; readonly detail: string }
  | { readonly kind: 'rejection'; readonly rejection: Rejection }
  /** No device answered after a join. */
  | { readonly kind: 'nobody-answers' }
  /** The journal of an interrupted store is damaged. */
  | { readonly kind: 'unfinished-damaged' }
  /** Rows about other devices and damaged fragments are unreadable. */
  | { readonly kind: 'rows-left-out'; readonly count: number }
  | { readonly kind: 'catalogue-damaged' }
  /** This device was shut out. `reason`: as the other one gave it; '' for none. */
  | { readonly kind: 'shut-out'; readonly by: QuotedDevice; readonly reason: string }
  /** This device's part of the pool was taken in by that which `by` upgraded. `isMember`: or a reader. */
  | { readonly kind: 'taken-in'; readonly by: QuotedDevice; readonly isMember: boolean }
  /** A store was continued with a different file. */
  | { readonly kind: 'another-file'; readonly interrupted: string; readonly chosen: string }
  /** `file`: its name; undefined for a private file. */
  | { readonly kind: 'damaged-here'; readonly what: 'block' | 'index'; readonly file: string | undefined }
  | { readonly kind: 'damaged-offer'; readonly from: QuotedDevice }
  | { readonly kind: 'damaged-block'; readonly from: QuotedDevice }
  /** The device has a lock now, and a key of an earlier version, which the lock does not cover. */
  | { readonly kind: 'key-not-locked' }
  /** This device stopped taking fragments. */
  | { readonly kind: 'device-full' }
  | { readonly kind: 'unreadable-message' }
  | { readonly kind: 'other-version'; readonly device: QuotedDevice; readonly isOlder: boolean }
  /** `count`: the total since this page began. */
  | {
      readonly kind: 'misdeed';
      readonly what: Misdeed;
      readonly device: QuotedDevice;
      readonly count: number;
    }
  /** Covers all devices beyond those that have notices of their own. */
  | {
      readonly kind: 'misdeed-of-others';
      readonly what: Misdeed;
      readonly deviceCount: number;
      readonly count: number;
    };

/** The notice for an error that nobody waits for. */
export function noticeOf(error: unknown): Notice {
  if (isPalmError(error) && !isBug(error)) return { kind: 'failure', failure: error.failure };
  return { kind: 'bug', detail: bugDetail(error) };
}
