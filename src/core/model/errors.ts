// Every failure that a person or a caller is expected to meet carries one of these codes. Any other error is
// a bug.

import type { Failure } from './failures.ts';

export type PalmErrorCode =
  /**
   * The invite or file link cannot be read: cut short, mistyped, of another version. Or the invite lets this
   * device in no more.
   */
  | 'bad-invite'
  | 'not-in-pool'
  | 'already-in-pool'
  /** What this device is in its pool does not give it the right. */
  | 'not-allowed'
  | 'unknown-file'
  | 'removed-file'
  /** The file is private and its link was not given, or does not fit. */
  | 'link-needed'
  /** An unfinished store can continue only with its file, which the person must choose again. */
  | 'file-needed'
  /** Fewer than k fragments can be reached now. */
  | 'not-enough-fragments'
  /** The range, geometry, name or another argument is not acceptable. */
  | 'bad-argument'
  | 'link-closed'
  | 'deadline'
  | 'cancelled'
  /** A peer declined: no space, cap reached, unknown file, busy. */
  | 'refused'
  | 'storage-full'
  /** This device's log has no room for more records. */
  | 'log-full'
  | 'over-quota'
  | 'storage-failed'
  /** Bytes on disk or from a peer do not match their hash. */
  | 'corrupt'
  /** The file to be stored changed while it was read, is gone, or cannot be read. */
  | 'source-changed'
  /** A message or record from outside fails its decoder. */
  | 'bad-message'
  /** The browser lacks something Palm needs. */
  | 'unsupported'
  /** Another tab of this browser runs the device. */
  | 'other-tab'
  /** The device has a lock, and waits for its passphrase. */
  | 'locked'
  | 'wrong-passphrase'
  /** A passkey was not used, or is not one that opens this device. */
  | 'passkey-failed'
  /** A recovery code is mistyped, of another pool, or was used. */
  | 'bad-recovery-code'
  /** A pairing code cannot be read, or is not the one that is wanted now. */
  | 'bad-pair-code'
  /** Two devices that exchanged codes did not get to one another, or cannot be in one pool. */
  | 'pairing-failed'
  /** An ask to join a nearby pool ended, or what was entered is not what the other screen shows. */
  | 'asking-failed'
  | 'worker-failed';

export interface PalmErrorOptions {
  readonly cause?: unknown;
  /** For people: set on failures that leave `window.palm`. Otherwise the failure itself, for logs. */
  readonly message?: string;
}

/** A failure that callers are expected to meet; the screens have a sentence for each. */
export class PalmError extends Error {
  readonly code: PalmErrorCode;
  readonly failure: Failure;

  constructor(failure: Failure, { cause, message = traceOf(failure) }: PalmErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PalmError';
    this.code = failure.code;
    this.failure = failure;
  }
}

/** Such as `corrupt {"reason":"block-length"}`. */
function traceOf({ code, ...parameters }: Failure): string {
  return Object.keys(parameters).length === 0 ? code : `${code} ${JSON.stringify(parameters)}`;
}

/** Whether `error` is a PalmError, of the given code where one is given. */
export function isPalmError(error: unknown, code?: PalmErrorCode): error is PalmError {
  return error instanceof PalmError && (code === undefined || error.code === code);
}
