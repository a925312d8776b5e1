// Fetches the fragments that core's peer takes from a device: a large one on its own, small ones together.
//
// Invariant: each fragment given to `take` is reported once as `ended`, whatever happened.

import type { Manifest } from '../../core/catalogue/manifest.ts';
import { isPalmError } from '../../core/model/errors.ts';
import { type BlockHash, type DeviceId, type FileId, ownerOfTaking } from '../../core/model/ids.ts';
import type { Ask } from '../../core/wire/asks.ts';
import type { Fetch } from '../../core/peer/taking.ts';
import type { Clock, FragmentStore, StoredFragment } from '../../core/ports.ts';
import type { Refusal } from '../../core/wire/messages.ts';
import type { Place } from '../../core/wire/places.ts';
import type { Notice, QuotedDevice } from '../notice.ts';
import { pullFragment, pullTogether, type PullOutcome, type PullPorts } from './pulling.ts';

export interface FragmentTakerPorts {
  readonly clock: Clock;
  readonly fragments: FragmentStore;
  readonly manifestOf: (file: FileId) => Manifest | undefined;
  /** The device, as notices name it. */
  readonly quoted: (device: DeviceId) => QuotedDevice;
  readonly request: (from: DeviceId, ask: Ask) => Promise<Uint8Array<ArrayBuffer>>;
  /** See PullPorts. */
  readonly settled: (blocks: readonly BlockHash[]) => Promise<void>;
  /** Resolves when the catalogue's entry of the file is durable. */
  readonly fileKept: (file: FileId) => Promise<void>;
  /** Drops what is left of damaged fragments of the file, except this one: it would exceed the cap. */
  readonly dropDamaged: (file: FileId, except: readonly number[]) => Promise<void>;
  /** The fragment is durable. */
  readonly held: (stored: StoredFragment) => Promise<void>;
  readonly warn: (notice: Notice) => void;
  readonly ended: (
    place: Place,
    from: DeviceId,
    outcome: 'held' | Refusal,
    blocks: readonly BlockHash[],
  ) => void;
}

const NOTHING: ReadonlyMap<Place, PullOutcome> = new Map();
const BUSY: PullOutcome = { kind: 'refused', reason: 'busy' };

/** How long a device whose link broke over the question is asked for one fragment at a time, ms. */
const ONE_BY_ONE_MS = 30 * 60_000;

export class FragmentTaker {
  readonly #ports: FragmentTakerPorts;
  /** Devices that know the question for several fragments: they answered it. */
  readonly #knowing = new Set<DeviceId>();
  /** Devices that may not know it: until when they are not asked it. */
  readonly #oneByOne = new Map<DeviceId, number>();
  #jobCount = 0;

  constructor(ports: FragmentTakerPorts) {
    this.#ports = ports;
  }

  /**
   * Fragments that did not come together are fetched one by one. @throws the first failure, once all have
   * ended.
   */
  async take({ places, from, areSmall }: Fetch): Promise<void> {
    const together = areSmall ? this.#together(places, from) : Promise.resolve(NOTHING);
    const taking = places.map((place) =>
      this.#takeOne(place, from, async () => {
        const outcome = (await together).get(place);
        if (outcome !== undefined) return outcome;
        await this.#prepare(place);
        return pullFragment(place, this.#ports.quoted(from), this.#job(from));
      }),
    );
    const failed = (await Promise.allSettled(taking)).find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
  }

  /** The results of fragments that need not be fetched one by one. */
  async #together(places: readonly Place[], from: DeviceId): Promise<ReadonlyMap<Place, PullOutcome>> {
    const nowMs = this.#ports.clock.monotonicMs();
    if ((this.#oneByOne.get(from) ?? nowMs) > nowMs) return NOTHING;
    try {
      await Promise.all(places.map((place) => this.#prepare(place)));
      const pulled = await pullTogether(places, this.#job(from));
      this.#knowing.add(from);
      return pulled;
    } catch (error) {
      if (!isPalmError(error)) throw error;
      // It is slow or silent: asking for more would not help.
      if (error.code === 'deadline') return new Map(places.map((place) => [place, BUSY]));
      // An older version of Palm closes its link over an unknown question.
      if (error.code === 'link-closed' && !this.#knowing.has(from))
        this.#oneByOne.set(from, nowMs + ONE_BY_ONE_MS);
      return NOTHING;
    }
  }

  async #prepare({ file, fragment }: Place): Promise<void> {
    await this.#ports.dropDamaged(file, [fragment]);
    await this.#ports.fileKept(file);
  }

  /** Each job has blocks of its own, so the end of one frees none of another's. */
  #job(from: DeviceId): PullPorts {
    this.#jobCount += 1;
    return {
      ...this.#ports,
      owner: ownerOfTaking(this.#jobCount),
      request: (ask) => this.#ports.request(from, ask),
    };
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
      // In every case the next waiting fragment must get its turn.
      this.#ports.ended(place, from, outcome, blocks);
    }
  }
}
