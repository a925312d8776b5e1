// One tab of a browser runs the device; the others wait for it to close. Over Web Locks, which the browser
// gives back when a tab closes or crashes. A browser without Web Locks goes on: two tabs there are the
// person's own care.

import { PalmError } from '../../../core/model/errors.ts';

const LOCK_NAME = 'palm/device';

export interface DeviceLock {
  /** Lets the next tab take over. */
  release(): void;
}

export interface AcquireOptions {
  /** Another tab has the device; this one waits from now on. Called once at most. */
  readonly onWaiting?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when this tab has the device, at once if no other tab has it.
 * @throws PalmError 'cancelled' when `signal` aborts first.
 */
export async function acquireDevice({ onWaiting, signal }: AcquireOptions = {}): Promise<DeviceLock> {
  // The DOM library types it as always there; older browsers and insecure pages differ.
  const locks: LockManager | undefined = navigator.locks;
  if (locks === undefined) return { release: () => undefined };
  if (signal?.aborted === true) throw cancelled(signal.reason);
  return (await hold(locks, { ifAvailable: true })) ?? (await wait(locks, onWaiting, signal));
}

async function wait(
  locks: LockManager,
  onWaiting: (() => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<DeviceLock> {
  onWaiting?.();
  try {
    const lock = await hold(locks, signal === undefined ? {} : { signal });
    if (lock !== undefined) return lock;
  } catch (cause) {
    if (signal?.aborted === true) throw cancelled(cause);
    throw cause;
  }
  throw new PalmError({ code: 'other-tab', reason: 'has-device' });
}

/** Holds the lock until `release`; undefined when `ifAvailable` found it taken. */
function hold(locks: LockManager, options: LockOptions): Promise<DeviceLock | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(LOCK_NAME, options, (lock) => {
        if (lock === null) {
          resolve(undefined);
          return undefined;
        }
        return new Promise<void>((release) => resolve({ release }));
      })
      .catch(reject);
  });
}

function cancelled(cause: unknown): PalmError {
  return new PalmError({ code: 'cancelled', reason: 'not-wanted' }, { cause });
}
