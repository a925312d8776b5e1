// One tab of a browser runs the device. Uses Web Locks, which the browser releases when a tab closes or
// crashes. Without Web Locks, people must take care themselves not to use two tabs.

const LOCK_NAME = 'palm/device';

export interface HeldDevice {
  /** Lets the next tab have the device. */
  release(): void;
}

export interface DeviceRequest {
  /** Resolves when this tab has the device. Rejects only with what the engine's locks fail with. */
  readonly held: Promise<HeldDevice>;
  /** Whether another tab has it at the moment of the request. */
  readonly isElsewhere: Promise<boolean>;
  /** Withdraws the request: `held` never settles. No effect on what is held. */
  withdraw(): void;
}

/** Asks for the device, and waits for it in line. */
export function requestDevice(): DeviceRequest {
  // The DOM library declares it always present; older browsers and insecure pages lack it.
  const locks: LockManager | undefined = navigator.locks;
  const withdrawn = new AbortController();
  const atOnce = locks === undefined ? Promise.resolve(NO_LOCK) : tryNow(locks);
  const held = atOnce.then((lock) => lock ?? holdLock(locks, { signal: withdrawn.signal }, LOCK_NAME));
  const neverIfWithdrawn = new Promise<HeldDevice>((resolve, reject) => {
    held.then(
      (lock) => (withdrawn.signal.aborted ? lock?.release() : resolve(lock ?? NO_LOCK)),
      (error: unknown) => (withdrawn.signal.aborted ? undefined : reject(error)),
    );
  });
  return {
    held: neverIfWithdrawn,
    isElsewhere: atOnce.then((lock) => lock === undefined),
    withdraw: () => withdrawn.abort(),
  };
}

const NO_LOCK: HeldDevice = { release: () => undefined };

/** Undefined when another tab has it. */
async function tryNow(locks: LockManager): Promise<HeldDevice | undefined> {
  try {
    return await holdLock(locks, { ifAvailable: true }, LOCK_NAME);
  } catch {
    return NO_LOCK; // an engine that refuses its locks is like one without
  }
}

/** Holds the lock `name` until `release`; undefined when `ifAvailable` found it taken. */
export function holdLock(
  locks: LockManager,
  options: LockOptions,
  name: string,
): Promise<HeldDevice | undefined> {
  return new Promise((resolve, reject) => {
    locks
      .request(name, options, (lock) => {
        if (lock === null) {
          resolve(undefined);
          return undefined;
        }
        return new Promise<void>((release) => resolve({ release }));
      })
      .catch(reject);
  });
}

/** The presence of each tab is a lock of its own. */
function presenceOf(tabId: string): string {
  return `palm/tab/${tabId}`;
}

/** Shows that the tab is there, until `hide` is called or this page ends. */
export async function showPresence(tabId: string): Promise<{ hide(): void }> {
  const lock = await holdLock(navigator.locks, {}, presenceOf(tabId));
  return { hide: () => lock?.release() };
}

/** Resolves when that tab is there no more. */
export async function absenceOf(tabId: string): Promise<void> {
  const lock = await holdLock(navigator.locks, {}, presenceOf(tabId));
  lock?.release();
}
