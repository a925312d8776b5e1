// Whether this device may store one more file, by the pool's policy. Takers check the same by what they know;
// a device that keeps to it is never refused.

import { storedBytesOf } from '../../core/catalogue/stored-bytes.ts';
import type { Geometry } from '../../core/model/geometry.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { Peer } from '../../core/peer/peer.ts';

export class StoreQuota {
  readonly #peer: Peer;
  readonly #self: DeviceId;
  /** Of stores that have begun and are not published. */
  #begunBytes = 0;

  constructor(peer: Peer, self: DeviceId) {
    this.#peer = peer;
    this.#self = self;
  }

  /**
   * Counts a store that begins. Returns what ends that: once it is published it counts as stored.
   * @throws PalmError 'over-quota'.
   */
  begin(geometry: Geometry): () => void {
    const neededBytes = storedBytesOf(geometry);
    this.#check(neededBytes);
    this.#begunBytes += neededBytes;
    return () => {
      this.#begunBytes -= neededBytes;
    };
  }

  #check(neededBytes: number): void {
    const { catalogue, own } = this.#peer;
    const { storeBytes, giveBytes = 0 } = catalogue.policy;
    const givenBytes = own.heldBytes + own.freeBytes;
    if (givenBytes < giveBytes)
      throw new PalmError({ code: 'over-quota', reason: 'gives', wantedBytes: giveBytes, givenBytes });
    if (storeBytes === undefined) return;
    const usedBytes = catalogue.stored.of(this.#self) + this.#begunBytes;
    const beyondBytes = usedBytes + neededBytes - storeBytes;
    if (beyondBytes <= 0) return;
    throw new PalmError({
      code: 'over-quota',
      reason: 'stores',
      limitBytes: storeBytes,
      usedBytes,
      neededBytes,
      // Nothing makes room for what is larger than the limit.
      removable: neededBytes > storeBytes ? undefined : this.#removable(beyondBytes),
    });
  }

  /** The smallest file that makes the room alone, or else the largest; by name, so no private ones. */
  #removable(bytes: number): { readonly name: string; readonly bytes: number } | undefined {
    const own = [...this.#peer.catalogue.listed()].flatMap(({ fileId, contentId, manifest, details }) => {
      const name = manifest.by === this.#self && fileId === contentId ? details()?.name : undefined;
      return name === undefined ? [] : [{ name, bytes: storedBytesOf(manifest) }];
    });
    const inOrder = own.toSorted((a, b) => a.bytes - b.bytes);
    return inOrder.find((file) => file.bytes >= bytes) ?? inOrder.at(-1);
  }
}
