// How this device meets one that it has no link with, besides by the relay: by codes, by an ask to join a
// nearby pool, and by calls at the direct address in an invite. None goes on when the device is closed,
// locked, or leaves.

import { directAddressIn } from '../core/pairing/direct-address.ts';
import { Nearby, type NearbyRuntime } from './nearby/nearby.ts';
import { DirectCalls } from './pairing/direct-calls.ts';
import { pairingOf } from './pairing/pairing-device.ts';
import type { Pairing } from './pairing/pairing.ts';
import { present } from './status.ts';
import type { WordlessNearby } from './nearby-run.ts';
import type { WordlessStatus } from './worded-palm.ts';

export class Meetings {
  readonly pairing: Pairing;
  readonly lobby: Nearby;
  readonly #runtime: NearbyRuntime;
  readonly #calls: DirectCalls;

  constructor(runtime: NearbyRuntime) {
    this.pairing = pairingOf({ ...runtime, join: (...given) => runtime.entrance.join(...given) });
    this.lobby = new Nearby(runtime);
    this.#runtime = runtime;
    const isLinked = (): boolean => {
      return (runtime.session()?.driver.peer.reachableDevices().length ?? 0) > 1; // itself is one
    };
    this.#calls = new DirectCalls({
      clock: runtime.clock,
      opened: () => runtime.opened(),
      background: (work) => runtime.background(work),
      isLinked,
      isAlone: () => {
        const isIn = runtime.session() !== undefined || runtime.entrance.joining !== undefined;
        return isIn && !isLinked();
      },
    });
  }

  /** By an invite, which may say where a device answers by itself. */
  async join(url: string, deviceName: string | undefined): Promise<{ answered: boolean }> {
    const runtime = this.#runtime;
    if (runtime.session() === undefined) this.#calls.join(directAddressIn(url));
    try {
      return await runtime.entrance.join(url, deviceName);
    } catch (error) {
      if (runtime.session() === undefined) this.#calls.stop();
      throw error;
    }
  }

  get status(): Pick<WordlessStatus, 'pairing'> & WordlessNearby {
    return { ...present('pairing', this.pairing.status), ...this.lobby.status };
  }

  end(): void {
    this.pairing.cancel();
    this.lobby.close();
    this.#calls.stop();
  }

  /** Something of the device has changed. */
  look(): void {
    this.pairing.look();
    this.lobby.changed();
    this.#calls.look();
  }
}
