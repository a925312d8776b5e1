// The lock of this device, as the runtime sees it: its state, and one change at a time.
//
// A locked device opens nothing, and so neither links nor serves: linking takes the device's key, and knowing
// what it holds takes the catalogue's. Deleting takes none, so a locked device can still leave its pool.

import { PalmError } from '../core/model/errors.ts';
import { MAX_PASSPHRASE_BYTES, MIN_PASSPHRASE_CHARS } from '../core/model/limits.ts';
import type { DeviceLock, LockChange, LockOpener, LockState, LockWays } from '../core/lock-port.ts';
import { utf8Length } from '../core/encoding/decode.ts';
import type { LockParts, LockWay, UnlockOptions } from './lock-api.ts';
import type { LockRunOptions } from './lock-run.ts';
import type { RuntimePorts } from './runtime-ports.ts';

interface LockedDevice {
  /** Gives up whatever this page knows of the pool. */
  stop(reason: PalmError): Promise<void>;
  /** Opens what can be opened now. */
  start(ports: RuntimePorts): Promise<unknown>;
  changed(): void;
}

export class Locking {
  readonly #device: LockedDevice;
  /** One change at a time. */
  #before: Promise<unknown> = Promise.resolve();
  #isClosing = false;
  state: LockState = 'none';
  #ways: readonly LockWay[] = [];

  constructor(device: LockedDevice) {
    this.#device = device;
  }

  /** Finds out whether a lock is in the way. */
  async look(lock: DeviceLock): Promise<LockState> {
    this.state = await lock.state();
    // A lock that cannot be read says nothing of its ways, until somebody tries to open it.
    const { passphrase, passkey }: LockWays = await lock.ways().catch(() => ({ passphrase: true }));
    this.#ways = [
      ...(passphrase ? (['passphrase'] as const) : []),
      ...(passkey === undefined ? [] : (['passkey'] as const)),
    ];
    return this.state;
  }

  /** For the status. */
  get parts(): LockParts {
    return this.state === 'none' ? { lock: 'none' } : { lock: this.state, lockWays: this.#ways };
  }

  /** @throws PalmError 'locked'. */
  checkOpen(): void {
    if (this.state === 'locked' || this.#isClosing) throw new PalmError({ code: 'locked' });
  }

  /** What a start resolves to; rejects while the device is locked. */
  unlessLocked<Value>(started: Promise<Value>): Promise<Value> {
    const opened = started.then((value) => {
      this.checkOpen();
      return value;
    });
    opened.catch(() => undefined); // every call that awaits it reports it
    return opened;
  }

  /** As Palm's; the device is open. */
  lock(ports: RuntimePorts, passphrase?: string, options: LockRunOptions = {}): Promise<void> {
    return this.#next(async () => {
      this.checkOpen();
      checkPassphrase(passphrase);
      const change = changeOf(await ports.lock.ways(), passphrase, options);
      if (change === undefined && this.state === 'none')
        throw new PalmError({ code: 'bad-argument', reason: 'no-passphrase' });
      this.#isClosing = true;
      try {
        await this.#device.stop(new PalmError({ code: 'locked' }));
        await ports.lock.close(change);
      } finally {
        this.#isClosing = false;
        // The pool opens again if the lock did not close.
        await this.#device.start(ports);
        this.#device.changed();
      }
    });
  }

  /** As Palm's; the device is open or locked. */
  unlock(ports: RuntimePorts, opener: LockOpener, { remove = false }: UnlockOptions = {}): Promise<void> {
    return this.#next(async () => {
      const wasLocked = this.state === 'locked';
      try {
        await ports.lock.open(opener, remove);
      } finally {
        // It may be open even if it could not be removed.
        if (wasLocked && (await ports.lock.state()) !== 'locked') await this.#device.start(ports);
        else await this.look(ports.lock);
        this.#device.changed();
      }
    });
  }

  #next(work: () => Promise<void>): Promise<void> {
    const done = this.#before.then(work);
    this.#before = done.catch(() => undefined); // the caller gets the failure
    return done;
  }
}

/**
 * A way that is new joins the others under the present keys. Where one changes or goes, all that stay are
 * sealed under new keys, which takes each of them. @throws PalmError 'bad-argument'.
 */
function changeOf(
  present: LockWays,
  passphrase: string | undefined,
  { passkey, only = false }: LockRunOptions,
): LockChange | undefined {
  if (passphrase === undefined && passkey === undefined) return undefined;
  const hasPasskey = present.passkey !== undefined;
  if (passphrase !== undefined) {
    const isNew = !present.passphrase && hasPasskey;
    if (isNew || only || !hasPasskey) return { passphrase, keeps: isNew && !only };
    if (passkey === undefined) throw new PalmError({ code: 'bad-argument', reason: 'passkey-asked' });
    return { passphrase, passkey, keeps: false };
  }
  if (present.passphrase && hasPasskey && !only)
    throw new PalmError({ code: 'bad-argument', reason: 'has-passkey' });
  return { passkey, keeps: present.passphrase && !only };
}

/** Whether a new lock may have it; undefined stands for the present one. @throws PalmError 'bad-argument'. */
function checkPassphrase(passphrase: string | undefined): void {
  if (passphrase === undefined) return;
  // Characters as people count them: those outside the first plane are two units.
  if (Array.from(passphrase.normalize('NFKC')).length < MIN_PASSPHRASE_CHARS) {
    const minChars = MIN_PASSPHRASE_CHARS;
    throw new PalmError({ code: 'bad-argument', reason: 'short-passphrase', minChars });
  }
  if (utf8Length(passphrase) > MAX_PASSPHRASE_BYTES) {
    const maxBytes = MAX_PASSPHRASE_BYTES;
    throw new PalmError({ code: 'bad-argument', reason: 'long-passphrase', maxBytes });
  }
}
