// A pool, a device that asks to join it, and what people do at the two.

import { expect } from 'vitest';
import type { AskingStatus, AskStatus } from '../../src/runtime/nearby-api.ts';
import { followCharter } from './chartered.ts';
import { formPool, SimDevice } from './device.ts';
import { LinkedNetwork } from './linked-network.ts';
import { type Guest, MiddleLobby } from './middle-lobby.ts';
import { World } from './world.ts';

export const LONG_MS = 400_000;

export class Stage {
  readonly world: World;
  readonly network: LinkedNetwork;

  constructor(seed: number) {
    this.world = new World(seed);
    this.network = new LinkedNetwork(this.world);
  }

  /** A pool whose first device is its admin. */
  async pool(count = 2): Promise<readonly [SimDevice, SimDevice]> {
    const devices = await formPool(this.world, this.network, count);
    await followCharter(this.world, devices);
    const [admin, member] = devices;
    if (admin === undefined || member === undefined) throw new Error('there are two');
    return [admin, member];
  }

  async newcomer(name = 'newcomer'): Promise<SimDevice> {
    const device = new SimDevice(name, this.world, this.network);
    await this.world.settled('it is open', device.pool.ready);
    return device;
  }

  async list(device: SimDevice): Promise<void> {
    await this.world.settled('it lists', device.pool.setListed(true));
    await this.world.until('it is listed', () => device.pool.status().listing?.relay === 'connected');
  }

  /** The device looks, and asks the first pool. What becomes of it is in `asked.outcome`. */
  async ask(device: SimDevice, deviceName?: string): Promise<{ outcome: string }> {
    const pools = await this.world.settled('it looks', device.pool.nearby());
    const [pool] = pools;
    if (pool === undefined) throw new Error('no pool is listed');
    const asked = { outcome: '' };
    device.pool.askToJoin(pool.id, deviceName === undefined ? {} : { deviceName }).then(
      () => (asked.outcome = 'in'),
      (error: { failure?: { reason?: string } }) => (asked.outcome = error.failure?.reason ?? 'a bug'),
    );
    return asked;
  }

  async compare(admin: SimDevice, index = 0): Promise<AskStatus> {
    await this.world.until('somebody asks', () => asksOf(admin).length > index);
    const { id } = askOf(admin, index);
    await this.world.settled('it compares', admin.pool.compareAsk(id));
    return askOf(admin, index);
  }

  /** Both screens have their codes. */
  async shown(admin: SimDevice, newcomer: SimDevice): Promise<readonly [AskStatus, AskingStatus]> {
    await this.compare(admin);
    await this.world.until('both have codes', () => askOf(admin).step === 'comparing' && codeOf(newcomer));
    const asking = newcomer.pool.status().asking;
    if (asking === undefined) throw new Error('it asks');
    return [askOf(admin), asking];
  }
}

export function asksOf(device: SimDevice): readonly AskStatus[] {
  return device.pool.status().listing?.asks ?? [];
}

export function askOf(device: SimDevice, index = 0): AskStatus {
  const ask = asksOf(device)[index];
  if (ask === undefined) throw new Error('there is an ask');
  return ask;
}

export function codeOf(device: SimDevice): boolean {
  return device.pool.status().asking?.step === 'comparing';
}

export function failing(reason: string): unknown {
  return expect.objectContaining({ failure: { code: 'asking-failed', reason } });
}

/** A pool that is listed, and a device that asks it, with a hostile relay between them. */
export async function between(seed: number) {
  const stage = new Stage(seed);
  const [first] = await stage.pool();
  const lobby = new MiddleLobby(stage.world);
  stage.network.lobby = lobby;
  first.kill();
  await first.reopen();
  const newcomer = await stage.newcomer();
  await stage.list(first);
  const host = (): Guest => lobby.guest(first.pool.status().pool?.name);
  return { stage, admin: first, newcomer, lobby, host };
}
