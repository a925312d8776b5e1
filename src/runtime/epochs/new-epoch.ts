// Writes a new epoch: a new secret, sealed to every device that is in and has an exchange key. Others that
// are in get it over a link. The keys are bound to what the act says, so what was sealed in vain, because
// acts came meanwhile, is sealed again.

import type { ActBody, SealedKey } from '../../core/catalogue/grants/act-body.ts';
import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import type { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { nextEpoch, type Epochs } from '../../core/catalogue/grants/epoch-chain.ts';
import { epochCheckOf, sealEpochKey } from '../../core/catalogue/grants/epoch-keys.ts';
import { exchangeKeysOf } from '../../core/catalogue/grants/exchange-keys.ts';
import type { ExchangePair } from '../../core/model/exchange-key.ts';
import type { DeviceId, EntryId } from '../../core/model/ids.ts';
import { EXCHANGE_START_BYTES, MAX_NAMED_BY_ACT } from '../../core/model/limits.ts';
import { POOL_SECRET_BYTES } from '../../core/model/pool-keys.ts';
import type { Cryptography, Random } from '../../core/ports.ts';

/** An act without what its writer has seen. */
type EpochDeed =
  | Omit<ActBody & { readonly kind: 'epoch' }, 'seen'>
  | Omit<ActBody & { readonly kind: 'epoch-keys' }, 'seen'>;

export interface NewEpochPorts {
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly acts: ActSet;
  readonly self: DeviceId;
  epochs(): Epochs;
  /** Writes an act. `deed` is asked when its turn has come, and may throw. */
  write(deed: () => EpochDeed): Promise<CheckedAct>;
}

/** How often it is sealed again before it is given up: acts do not come faster than that. */
const MAX_TRIES = 8;

/** What the keys are bound to. */
interface Plan {
  readonly rank: number;
  readonly number: number;
  readonly parents: readonly EntryId[];
  /** Those that are in, and have an exchange key. */
  readonly devices: readonly DeviceId[];
}

/** Undefined when this device is no admin of a pool with a charter: then it may not. */
export async function writeEpoch(ports: NewEpochPorts): Promise<CheckedAct | undefined> {
  const secret = ports.random.bytes(POOL_SECRET_BYTES);
  const sender = await ports.cryptography.newExchangePair();
  for (let tries = 1; ; tries++) {
    const plan = planOf(ports);
    if (plan === undefined) return undefined;
    const keys = await sealed(secret, sender, plan, ports);
    const [first, ...further] = portionsOf(keys);
    const { rank, number, parents } = plan;
    const check = epochCheckOf(secret);
    const written = await ports
      .write(() => {
        if (!isSame(plan, planOf(ports))) throw new OutOfDate();
        return {
          kind: 'epoch',
          as: rank,
          number,
          parents,
          check,
          sender: sender.publicKey,
          keys: first ?? [],
        };
      })
      .catch((error: unknown) => {
        if (error instanceof OutOfDate && tries < MAX_TRIES) return undefined;
        throw error;
      });
    if (written === undefined) continue;
    const epoch = written.record.id;
    for (const portion of further) {
      await ports.write(() => ({ kind: 'epoch-keys', epoch, sender: sender.publicKey, keys: portion }));
    }
    return written;
  }
}

/** Acts came between sealing and writing. */
class OutOfDate extends Error {}

function planOf(ports: NewEpochPorts): Plan | undefined {
  const { acts, self } = ports;
  if (acts.charter === undefined || acts.roleOf(self) !== 'admin') return undefined;
  const devices = [...exchangeKeysOf(acts.placed).keys()].filter((device) => acts.isIn(device));
  return {
    rank: acts.rankOf(self),
    ...nextEpoch(ports.epochs()),
    devices: devices.toSorted(),
  };
}

function isSame(a: Plan, b: Plan | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function sealed(
  secret: Uint8Array,
  sender: ExchangePair,
  { parents, devices }: Plan,
  { acts, cryptography }: NewEpochPorts,
): Promise<SealedKey[]> {
  const { charter } = acts;
  const exchangeKeys = exchangeKeysOf(acts.placed);
  const check = epochCheckOf(secret);
  const keys = devices.map(async (device): Promise<SealedKey[]> => {
    const exchangeKey = exchangeKeys.get(device);
    if (charter === undefined || exchangeKey === undefined) return [];
    const binding = { charter, parents, check };
    const item = await sealEpochKey(secret, binding, device, exchangeKey, sender, cryptography);
    return [{ device, exchange: exchangeKey.slice(0, EXCHANGE_START_BYTES), sealed: item }];
  });
  return (await Promise.all(keys)).flat();
}

function portionsOf(keys: readonly SealedKey[]): SealedKey[][] {
  const portions: SealedKey[][] = [];
  for (let at = 0; at < keys.length; at += MAX_NAMED_BY_ACT)
    portions.push(keys.slice(at, at + MAX_NAMED_BY_ACT));
  return portions;
}
