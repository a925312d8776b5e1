// One tab of a browser runs the device; the others wait until it closes. Uses Web Locks, which the browser
// releases when a tab closes or crashes. Without Web Locks, people must take care themselves not to use two
// tabs.

import { PalmError } from '../../../core/model/errors.ts';

const LOCK_NAME = 'palm/device';

export interface DeviceLock {
  /** Lets the next tab take over. */
  release(): void;
}

export interface AcquireOptions {
  /** Another tab has the device; this one waits from now on. Called at most once. */
  readonly onWaiting?: () => void;
  readonly signal?: AbortSignal;
}

/**
 * Resolves when this tab has the device, immediately if no other tab has it.
 * @throws PalmError 'cancelled' when `signal` aborts first.
 */
export async function acquireDevice({ onWaiting, signal }: AcquireOptions = {}): Promise<DeviceLock> {
  // The DOM library declares it always present; older browsers and insecure pages lack it.
  const locks: LockManager | undefined = navigator.locks;
  if (locks === undefined) return { release: () => undefined };
  if (signal?.aborted === true) throw cancelled(signal.reason);
  let lock: DeviceLock | undefined;
  try {
    lock = await hold(locks, { ifAvailable: true });
  } catch {
    return { release: () => undefined }; // an engine that refuses its locks is like one without
  }
  return lock ?? (await wait(locks, onWaiting, signal));
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
