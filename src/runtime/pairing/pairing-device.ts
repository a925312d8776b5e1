// What pairing needs of the runtime: its pool, if it is in one, and the way into one.

import { PalmError } from '../../core/model/errors.ts';
import type { Clock, Identity } from '../../core/ports.ts';
import type { OpenPool } from '../open-pool.ts';
import type { RuntimePorts } from '../runtime-ports.ts';
import type { InviteOptions } from '../invite-api.ts';
import { Pairing, type PairInvite } from './pairing.ts';

export interface PairingRuntime {
  readonly clock: Clock;
  /** @throws PalmError while the device is locked or cannot be opened. */
  opened(): Promise<RuntimePorts>;
  session(): OpenPool | undefined;
  identity(): Identity | undefined;
  join(invite: string, deviceName: string | undefined): Promise<unknown>;
  changed(): void;
  /** Takes work that nobody waits for, and its failure. */
  background(work: Promise<unknown>): void;
}

/** The pairing of this device. */
export function pairingOf(runtime: PairingRuntime): Pairing {
  const isAdmin = (): boolean => {
    const acts = runtime.session()?.driver.peer.acts;
    const self = runtime.identity()?.deviceId;
    if (acts === undefined || self === undefined) return false;
    // Without a charter, whoever is in a pool may show its one invite.
    return acts.charter === undefined || acts.roleOf(self) === 'admin';
  };
  return new Pairing({
    clock: runtime.clock,
    join: (...given) => runtime.join(...given),
    changed: () => runtime.changed(),
    background: (work) => runtime.background(work),
    ports: async () => {
      const { pairing } = await runtime.opened();
      if (pairing === undefined) throw new PalmError({ code: 'unsupported', reason: 'no-pairing' });
      return pairing;
    },
    id: () => {
      const self = runtime.identity();
      if (self === undefined) throw new PalmError({ code: 'locked' });
      return self.deviceId;
    },
    pool: () => runtime.session()?.keys.poolId,
    mayInvite: isAdmin,
    invite: () => inviteForOne(() => runtime.session(), {}),
    isLinked: (device) => runtime.session()?.driver.peer.reachableDevices().includes(device) === true,
  });
}

/** An invite for one device, of the pool that this one is in. */
export async function inviteForOne(
  session: () => OpenPool | undefined,
  options: InviteOptions,
): Promise<PairInvite> {
  const pool = session();
  if (pool === undefined) throw new PalmError({ code: 'not-in-pool', reason: 'left' });
  const { invites } = pool;
  const { url, id } = await invites.make(options);
  if (id === undefined) return { url, admitted: () => undefined, withdraw: async () => undefined };
  return {
    url,
    admitted: () => invites.admittedBy(id),
    withdraw: async () => {
      if (session() !== pool) return; // this device left the pool
      if (invites.admittedBy(id).length === 0) await invites.withdraw(id);
    },
  };
}
