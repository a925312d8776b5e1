// Whoever used a recovery code gets the next one, whatever fails after the act that used it up.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../src/adapters/portable/webcrypto.ts';
import { PalmError } from '../../../src/core/model/errors.ts';
import { encodeRecoveryCode } from '../../../src/core/model/recovery-code.ts';
import type { Deed } from '../../../src/runtime/acts/act-writer.ts';
import type { OpenPool } from '../../../src/runtime/open-pool.ts';
import type { PeerDriver } from '../../../src/runtime/peer/peer-driver.ts';
import { PoolCalls } from '../../../src/runtime/pool-calls.ts';
import { Recovery } from '../../../src/runtime/recovery.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';
import { charterBy, following, writeAct } from '../../fixtures/signed-acts.ts';

const FAILURE = new PalmError({ code: 'log-full', reason: 'nothing-more' });

class Calls extends PoolCalls {
  readonly told: unknown[] = [];
  readonly #pool: OpenPool;

  constructor(pool: OpenPool) {
    super();
    this.#pool = pool;
  }

  protected async pool(): Promise<OpenPool> {
    return this.#pool;
  }

  protected inPool(): OpenPool {
    return this.#pool;
  }

  protected lockable(): Promise<never> {
    return Promise.reject(new Error('Not in this test.'));
  }

  protected background(work: Promise<unknown>): void {
    work.catch((error: unknown) => this.told.push(error));
  }
}

it('the next code is there although an invite could not be withdrawn', async () => {
  const pool = {
    roles: { recovery: { use: async () => ({ code: 'NEXT' }) } },
    invites: { withdrawBehind: async () => Promise.reject(FAILURE) },
  } as unknown as OpenPool; // the members that this call uses
  const calls = new Calls(pool);
  expect(await calls.recover('OLD', { shutOut: ['lost'] })).toEqual({ code: 'NEXT' });
  expect(calls.told).toEqual([FAILURE]);
});

it.each([true, false])(
  'keys that cannot be changed after the act lose no code (written: %s)',
  async (isWritten) => {
    const acts = following(await charterBy(deviceAt(0)));
    const { privateKey, publicKey } = await webCryptography.newSigningPair();
    acts.add([await writeAct(deviceAt(0), acts, { kind: 'code', as: 0, recovery: publicKey })]);
    const told: unknown[] = [];
    const write = async (deed: () => Deed): Promise<void> => {
      deed();
      if (!isWritten) throw FAILURE;
    };
    const driver = {
      peer: { acts },
      acts: {
        shuttingOut: async (work: (write_: typeof write) => Promise<void>) => {
          await work(write);
          throw FAILURE;
        },
        background: (work: Promise<unknown>) => work.catch((error: unknown) => told.push(error)),
      },
    } as unknown as PeerDriver; // the members that recovery uses
    const recovery = new Recovery({
      driver,
      identity: deviceAt(0),
      cryptography: webCryptography,
      headOf: () => undefined,
      otherEndsOf: () => [],
    });
    const used = recovery.use(encodeRecoveryCode(privateKey), {});
    if (!isWritten) return expect(used).rejects.toBe(FAILURE);
    expect((await used).code).not.toBe(encodeRecoveryCode(privateKey));
    expect(told).toEqual([FAILURE]);
  },
);
