// How this device meets one that it has no link with, besides by an invite that somebody opens: by codes, and
// by an ask to join a nearby pool. Neither goes on when the device is closed, locked, or leaves.

import { Nearby, type NearbyRuntime } from './nearby/nearby.ts';
import { pairingOf } from './pairing/pairing-device.ts';
import type { Pairing } from './pairing/pairing.ts';
import { present } from './status.ts';
import type { WordlessNearby, WordlessStatus } from './worded-palm.ts';

export class Meetings {
  readonly pairing: Pairing;
  readonly lobby: Nearby;

  constructor(runtime: NearbyRuntime) {
    this.pairing = pairingOf({ ...runtime, join: (...given) => runtime.entrance.join(...given) });
    this.lobby = new Nearby(runtime);
  }

  get status(): Pick<WordlessStatus, 'pairing'> & WordlessNearby {
    return { ...present('pairing', this.pairing.status), ...this.lobby.status };
  }

  end(): void {
    this.pairing.cancel();
    this.lobby.close();
  }

  /** Something of the device has changed. */
  look(): void {
    this.pairing.look();
    this.lobby.changed();
  }
}
