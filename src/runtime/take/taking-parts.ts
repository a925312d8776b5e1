// What carries out core's wish to take: fragments that others place here, and blocks that they foretold.

import type { DeviceId } from '../../core/model/ids.ts';
import type { Peer } from '../../core/peer/peer.ts';
import type { PeerEffect, PeerInput } from '../../core/peer/peer-events.ts';
import type { Ask } from '../../core/wire/asks.ts';
import { FragmentTaker, type FragmentTakerPorts } from './fragment-taker.ts';
import { Prefetcher } from './prefetcher.ts';
import { damagedOffer } from './pulling.ts';

export interface TakingPorts extends Omit<
  FragmentTakerPorts,
  'manifestOf' | 'request' | 'settled' | 'ended'
> {
  readonly peer: Peer;
  readonly request: (from: DeviceId, ask: Ask, signal: AbortSignal) => Promise<Uint8Array<ArrayBuffer>>;
  /** Aborts when the device leaves its pool. */
  readonly lifetime: AbortSignal;
  readonly input: (input: PeerInput) => void;
}

export class TakingParts {
  readonly #taker: FragmentTaker;
  readonly #prefetcher: Prefetcher;

  constructor(ports: TakingPorts) {
    const { peer, request, lifetime, input } = ports;
    const prefetcher = new Prefetcher({
      fragments: ports.fragments,
      requestBlock: (from, hash, signal) => request(from, { kind: 'get-block', hash }, signal),
      damaged: (from) => ports.warn(damagedOffer(ports.quoted(from))),
      input,
    });
    this.#prefetcher = prefetcher;
    this.#taker = new FragmentTaker({
      ...ports,
      manifestOf: (file) => peer.catalogue.files().get(file),
      request: (from, ask) => request(from, ask, lifetime),
      settled: (wanted) => {
        if (peer.isPrefetching) input({ kind: 'pulling', blocks: wanted });
        return prefetcher.settled(wanted);
      },
      ended: (place, from, outcome, blocks) => input({ kind: 'pulled', place, from, outcome, blocks }),
    });
  }

  perform(effect: PeerEffect & { readonly kind: 'pull' | 'prefetch' | 'soon-over' }): Promise<void> {
    switch (effect.kind) {
      case 'pull':
        return this.#taker.take(effect);
      case 'prefetch':
        return this.#prefetcher.prefetch(effect);
      case 'soon-over':
        return this.#prefetcher.over(effect.from, effect.job);
    }
  }
}
