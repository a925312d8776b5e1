// Fetches the fragments that core's peer takes from a device: a large one by itself, small ones together.
//
// Invariant: each fragment that `take` is given is told of once as `ended`, however that went.

import type { Manifest } from '../core/catalogue/manifest.ts';
import { isPalmError } from '../core/model/errors.ts';
import type { BlockHash, DeviceId, FileId } from '../core/model/ids.ts';
import type { Ask } from '../core/peer/requests.ts';
import type { FragmentStore, StoredFragment } from '../core/ports.ts';
import type { Place, Refusal } from '../core/wire/messages.ts';
import { hasSmallFragments } from '../core/wire/small-fragments.ts';
import {
  pullFragment,
  pullTogether,
  type PulledFragment,
  type PullOutcome,
  type PullPorts,
} from './pulling.ts';

export interface FragmentTakerPorts {
  readonly fragments: FragmentStore;
  readonly manifestOf: (file: FileId) => Manifest | undefined;
  /** A device as people know it. */
  readonly nameOf: (device: DeviceId) => string;
  readonly request: (from: DeviceId, ask: Ask) => Promise<Uint8Array<ArrayBuffer>>;
  /** See PullPorts. */
  readonly settled: (blocks: readonly BlockHash[]) => Promise<void>;
  /** Resolves when the catalogue's entry of the file is durable. */
  readonly fileKept: (file: FileId) => Promise<void>;
  /** The fragment is durable. */
  readonly held: (stored: StoredFragment) => Promise<void>;
  readonly warn: (text: string) => void;
  readonly ended: (
    place: Place,
    from: DeviceId,
    outcome: 'held' | Refusal,
    blocks: readonly BlockHash[],
  ) => void;
}

export class FragmentTaker {
  readonly #ports: FragmentTakerPorts;
  /** Devices that answered when they were asked for several fragments at once. */
  readonly #answered = new Set<DeviceId>();
  /** Devices that are not asked so any more. */
  readonly #oneByOne = new Set<DeviceId>();

  constructor(ports: FragmentTakerPorts) {
    this.#ports = ports;
  }

  /** Fragments that did not come together are fetched one by one. */
  async take(places: readonly Place[], from: DeviceId): Promise<void> {
    const ports: PullPorts = { ...this.#ports, request: (ask) => this.#ports.request(from, ask) };
    const together = this.#together(places, from, ports);
    const taking = places.map((place) =>
      this.#takeOne(place, from, async () => {
        const pulled = (await together).get(place);
        if (pulled !== undefined) return pulled;
        await this.#ports.fileKept(place.file);
        return pullFragment(place, this.#ports.nameOf(from), ports);
      }),
    );
    await Promise.all(taking);
  }

  /** Those that are durable now; none where fragments are large, or something went wrong. */
  async #together(
    places: readonly Place[],
    from: DeviceId,
    ports: PullPorts,
  ): Promise<ReadonlyMap<Place, PulledFragment>> {
    const manifests = places.map(({ file }) => ports.manifestOf(file));
    const areSmall = manifests.every((manifest) => manifest !== undefined && hasSmallFragments(manifest));
    if (!areSmall || this.#oneByOne.has(from)) return new Map();
    await Promise.all(places.map(({ file }) => this.#ports.fileKept(file)));
    try {
      const pulled = await pullTogether(places, ports);
      this.#answered.add(from);
      return pulled;
    } catch (error) {
      if (!isPalmError(error)) throw error;
      // A Palm of before ends its link over a question that it does not know.
      if (error.code === 'link-closed' && !this.#answered.has(from)) this.#oneByOne.add(from);
      return new Map();
    }
  }

  async #takeOne(place: Place, from: DeviceId, pull: () => Promise<PullOutcome>): Promise<void> {
    let outcome: 'held' | Refusal = 'failed';
    let blocks: readonly BlockHash[] = [];
    try {
      const pulled = await pull();
      outcome = pulled.kind === 'held' ? 'held' : pulled.reason;
      if (pulled.kind === 'held') {
        blocks = pulled.blocks;
        await this.#ports.held(pulled.stored);
      } else if (pulled.notice !== undefined) {
        this.#ports.warn(pulled.notice);
      }
    } finally {
      // Whatever happened: the next fragment that waits must get its turn.
      this.#ports.ended(place, from, outcome, blocks);
    }
  }
}
