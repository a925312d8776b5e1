// Pools with a charter in the simulator. Devices form a pool as ever, and then all follow a charter of the
// first one, which names the others as members, as if they had been asked.

import type { CheckedAct } from '../../src/core/catalogue/grants/act.ts';
import { KeyRing } from '../../src/core/model/key-ring.ts';
import { derivePoolKeys } from '../../src/core/model/pool-keys.ts';
import { followPool, foundPool, type FoundingPorts } from '../../src/runtime/acts/founding.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { poolSecretOf } from './open-invite.ts';
import { synchronousCryptography } from './synchronous-cryptography.ts';
import type { World } from './world.ts';

/** Returns the charter. All devices see each other again. */
export async function followCharter(world: World, devices: readonly SimDevice[]): Promise<CheckedAct> {
  const [founder, ...others] = devices;
  if (founder === undefined) throw new Error('nobody founds a pool');
  const { secret, epoch } = poolSecretOf(founder);
  const keys = new KeyRing(derivePoolKeys(secret, epoch));
  for (const device of devices) device.kill();
  const members = others.map(({ id }) => ({ device: id, point: undefined }));
  const terms = { members, recovery: undefined, exchange: undefined };
  const charter = await foundPool(portsOf(world, founder), founder.identity, keys, terms);
  for (const device of others) await followPool(portsOf(world, device), keys, charter.record.id, [charter]);
  for (const device of devices) await device.reopen();
  await world.until('all see each other under the charter', () =>
    devices.every((device) => reachableCount(device) === devices.length),
  );
  return charter;
}

function portsOf(world: World, { store }: SimDevice): FoundingPorts {
  return {
    clock: { monotonicMs: () => world.nowMs, wallMs: () => world.nowMs, after: () => () => undefined },
    cryptography: synchronousCryptography,
    random: { bytes: (length) => world.random.bytes(length) },
    records: store.records,
    secrets: store.secrets,
  };
}
