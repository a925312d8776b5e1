// Keeps names that were only suggested apart: of devices with such a name that look alike, the later ones
// take a number. A name that a person chose is never changed.

import type { Catalogue } from '../core/catalogue/catalogue.ts';
import { compareTimes } from '../core/catalogue/clock.ts';
import { freeName, isSuggestedName, lookOf } from '../core/model/device-label.ts';
import type { DeviceId } from '../core/model/ids.ts';
import type { PeerDriver } from './peer/peer-driver.ts';

export class NameApart {
  readonly #suggested: string;
  /** The catalogue in which the name was last found to be free, or was about to be changed. */
  #lookedAt = '';

  constructor(suggested: string) {
    this.#suggested = suggested;
  }

  /** The name that this device should take instead of its `name`; undefined if it can keep that. */
  other(driver: PeerDriver | undefined, name: string): string | undefined {
    if (driver === undefined) return undefined;
    const { catalogue } = driver.peer;
    const digest = catalogue.digest();
    if (digest === this.#lookedAt) return undefined;
    this.#lookedAt = digest;
    return otherOwnName(catalogue, driver.deviceId, name, this.#suggested);
  }
}

function otherOwnName(
  catalogue: Catalogue,
  self: DeviceId,
  name: string,
  suggested: string,
): string | undefined {
  const ownAt = catalogue.namedAt(self);
  if (ownAt === undefined || !isSuggestedName(name, suggested)) return undefined;
  const others = catalogue.members().filter((device) => device !== self);
  const look = lookOf(name);
  const isTaken = others.some((device) => {
    const at = catalogue.namedAt(device);
    if (at === undefined || lookOf(catalogue.deviceName(device)) !== look) return false;
    // The same on both, so that only one of the two gives way.
    return compareTimes(at, ownAt) < 0 || (compareTimes(at, ownAt) === 0 && device < self);
  });
  return isTaken
    ? freeName(
        suggested,
        others.map((device) => catalogue.deviceName(device)),
      )
    : undefined;
}
