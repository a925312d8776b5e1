// What people are told without having asked: a kind and its parameters. The sentences are in the screens
// (src/ui/text/en.ts), and reach the runtime as `Texts`: what leaves `window.palm` has them.

import { isPalmError } from '../core/model/errors.ts';
import type { Failure, Rejection } from '../core/model/failures.ts';
import type { DeviceId } from '../core/model/ids.ts';
import type { Misdeed } from '../core/peer/misdeeds.ts';

/** A device as a sentence names it. */
export interface QuotedDevice {
  readonly id: DeviceId;
  /** Whatever the device calls itself; '' for none. */
  readonly name: string;
  /** Another member looks the same, or the device has no name: its id must be shown too. */
  readonly isAmbiguous: boolean;
}

export type Notice =
  /** Something failed that nobody waits for. */
  | { readonly kind: 'failure'; readonly failure: Failure }
  /** Palm threw what is no PalmError. */
  | { readonly kind: 'bug'; readonly detail: string }
  | { readonly kind: 'rejection'; readonly rejection: Rejection }
  /** Nobody answered a device that joined. */
  | { readonly kind: 'nobody-answers' }
  /** What was journaled of an interrupted store is damaged. */
  | { readonly kind: 'unfinished-damaged' }
  /** Rows about other devices and damaged fragments that cannot be read. */
  | { readonly kind: 'rows-left-out'; readonly count: number }
  | { readonly kind: 'catalogue-damaged' }
  /** A store was continued with another file than it began with. */
  | { readonly kind: 'another-file'; readonly interrupted: string; readonly chosen: string }
  /** `file`: its name; undefined for a private file. */
  | { readonly kind: 'damaged-here'; readonly what: 'block' | 'index'; readonly file: string | undefined }
  | { readonly kind: 'damaged-offer'; readonly from: QuotedDevice }
  | { readonly kind: 'damaged-block'; readonly from: QuotedDevice }
  /** This device took no more fragments. */
  | { readonly kind: 'device-full' }
  | { readonly kind: 'unreadable-message' }
  | { readonly kind: 'other-version'; readonly device: QuotedDevice; readonly isOlder: boolean }
  /** `count`: how often in all, since this page began. */
  | {
      readonly kind: 'misdeed';
      readonly what: Misdeed;
      readonly device: QuotedDevice;
      readonly count: number;
    }
  /** Of all devices beyond those that have notices of their own. */
  | {
      readonly kind: 'misdeed-of-others';
      readonly what: Misdeed;
      readonly deviceCount: number;
      readonly count: number;
    };

/** What is told of an error that nobody waits for. */
export function noticeOf(error: unknown): Notice {
  if (isPalmError(error)) return { kind: 'failure', failure: error.failure };
  return { kind: 'bug', detail: String(error) };
}

/** The sentences of one language. */
export interface Texts {
  errorText(failure: Failure): string;
  noticeText(notice: Notice): string;
}
