// The lock's calls that ask for a passkey: what each asks, and what it leaves undone when a prompt fails.

import { expect, it } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import type { OpenPasskey, Passkeys, StoredPasskey } from '../../../src/core/lock-port.ts';
import { PasskeyLock } from '../../../src/runtime/passkey-lock.ts';
import { Locking } from '../../../src/runtime/locking.ts';
import type { LockRun } from '../../../src/runtime/lock-run.ts';
import type { RuntimePorts } from '../../../src/runtime/runtime-ports.ts';
import { MemoryLock } from '../../sim/memory-lock.ts';

const WORDS = 'eleven quiet otters';
const OTHER_WORDS = 'a door of brass';
const NOT_USED = new PalmError({ code: 'passkey-failed', reason: 'not-used' });

it('locks and opens with a passkey alone', async () => {
  const { device, lock, authenticator } = setUp();
  await device.lockWithPasskey();
  expect(await lock.state()).toBe('locked');
  await expect(device.unlock(WORDS)).rejects.toMatchObject({ code: 'wrong-passphrase' });
  await device.unlockWithPasskey();
  expect(await lock.state()).toBe('unlocked');
  await device.unlockWithPasskey({ remove: true });
  expect(await lock.state()).toBe('none');
  expect(authenticator.retired).toEqual([1]);
});

it('keeps a passphrase beside a new passkey, and a passkey beside a new passphrase', async () => {
  const { device, lock, authenticator } = setUp();
  await device.lock(WORDS);
  await device.unlock(WORDS);
  await device.lockWithPasskey();
  await device.unlock(WORDS);
  authenticator.asked = [];
  await device.lock(OTHER_WORDS);
  expect(authenticator.asked).toEqual([1]);
  await expect(device.unlock(WORDS)).rejects.toMatchObject({ code: 'wrong-passphrase' });
  await device.unlockWithPasskey();
  await device.lock();
  await device.unlock(OTHER_WORDS);
  expect(await lock.ways()).toMatchObject({ passphrase: true, passkey: { credentialId: idOf(1) } });
  expect(authenticator.retired).toEqual([]);
});

it('changes nothing when a prompt is closed', async () => {
  const { device, lock, authenticator } = setUp();
  const failed = { code: 'passkey-failed', failure: { reason: 'not-used' } };
  authenticator.failsWith = NOT_USED;
  await expect(device.lockWithPasskey()).rejects.toMatchObject(failed);
  expect(await lock.state()).toBe('none');
  authenticator.failsWith = undefined;
  await device.lock(WORDS);
  await device.unlock(WORDS);
  await device.lockWithPasskey();
  authenticator.failsWith = NOT_USED;
  await expect(device.unlockWithPasskey()).rejects.toMatchObject(failed);
  expect(await lock.state()).toBe('locked');
  await device.unlock(WORDS);
  await expect(device.lock(OTHER_WORDS)).rejects.toMatchObject(failed);
  expect(await lock.state()).toBe('unlocked');
  await device.lock();
  await device.unlock(WORDS);
});

it('makes no second passkey beside a passphrase: the first must go before', async () => {
  const { device, authenticator } = setUp();
  await device.lock(WORDS);
  await device.unlock(WORDS);
  await device.lockWithPasskey();
  await device.unlock(WORDS);
  await expect(device.lockWithPasskey()).rejects.toMatchObject({ failure: { reason: 'has-passkey' } });
  expect(authenticator.count).toBe(1);
  await device.lock(WORDS, { only: true });
  expect(authenticator.retired).toEqual([1]);
  await device.unlock(WORDS);
  await expect(device.unlockWithPasskey()).rejects.toMatchObject({ failure: { reason: 'no-passkey' } });
});

it('shuts the passphrase out when only the passkey is to open it', async () => {
  const { device } = setUp();
  await device.lock(WORDS);
  await device.unlock(WORDS);
  await device.lockWithPasskey({ only: true });
  await expect(device.unlock(WORDS)).rejects.toMatchObject({ code: 'wrong-passphrase' });
  await device.unlockWithPasskey();
});

it('retires a passkey that the lock refused, and none that it may have', async () => {
  const refused = setUp();
  refused.lock.close = async () => {
    throw new PalmError({ code: 'unsupported', reason: 'no-passkeys' });
  };
  await expect(refused.device.lockWithPasskey()).rejects.toMatchObject({ code: 'unsupported' });
  expect(refused.authenticator.retired).toEqual([1]);

  // Its row is written, and the old slots cannot be erased before the next start.
  const { device, lock, authenticator } = setUp();
  const close = lock.close.bind(lock);
  lock.close = async (change) => {
    await close(change);
    throw new PalmError({ code: 'storage-failed', reason: 'gone' });
  };
  await expect(device.lockWithPasskey()).rejects.toMatchObject({ code: 'storage-failed' });
  expect(authenticator.retired).toEqual([]);
  await device.unlockWithPasskey();
  expect(await lock.state()).toBe('unlocked');
});

it.each(['passkey-address', 'no-passkeys', 'passkey-prf'] as const)(
  'says why there are none (%s), and asks for none',
  async (reason) => {
    const { device, authenticator } = setUp();
    authenticator.none = reason;
    await expect(device.lockWithPasskey()).rejects.toMatchObject({
      code: 'unsupported',
      failure: { reason },
    });
    expect(authenticator.count).toBe(0);
  },
);

it('says that a device without passkeys, as one of Node, has none', async () => {
  const { run } = setUp();
  const device = new PasskeyLock(run, undefined);
  expect(await device.whyNone()).toBe('no-passkeys');
  await expect(device.lockWithPasskey()).rejects.toMatchObject({
    code: 'unsupported',
    failure: { reason: 'no-passkeys' },
  });
});

class Authenticator implements Passkeys {
  none: Awaited<ReturnType<Passkeys['whyNone']>>;
  failsWith: Error | undefined;
  count = 0;
  asked: number[] = [];
  retired: number[] = [];

  async whyNone() {
    return this.none;
  }

  async make(): Promise<OpenPasskey> {
    this.#mayFail();
    this.count += 1;
    return this.#opened({ credentialId: idOf(this.count), salt: new Uint8Array(32) });
  }

  async open(passkey: StoredPasskey): Promise<OpenPasskey> {
    this.#mayFail();
    this.asked.push(passkey.credentialId[0] ?? 0);
    return this.#opened(passkey);
  }

  async retire({ credentialId }: StoredPasskey): Promise<void> {
    this.retired.push(credentialId[0] ?? 0);
  }

  #opened({ credentialId, salt }: StoredPasskey): OpenPasskey {
    return { credentialId, salt, secret: new Uint8Array(32).fill(credentialId[0] ?? 0) };
  }

  #mayFail(): void {
    if (this.failsWith !== undefined) throw this.failsWith;
  }
}

function setUp() {
  const lock = new MemoryLock();
  const nothing = async (): Promise<void> => undefined;
  const locking = new Locking({
    stop: nothing,
    start: async () => locking.look(lock),
    changed: () => undefined,
  });
  // The lock asks for no other port.
  const ports = { lock } as unknown as RuntimePorts;
  const run: LockRun = {
    lockWays: () => lock.ways(),
    lock: (...given) => locking.lock(ports, ...given),
    unlock: (...given) => locking.unlock(ports, ...given),
  };
  const authenticator = new Authenticator();
  return { lock, run, authenticator, device: new PasskeyLock(run, authenticator) };
}

function idOf(number: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array([number]);
}
