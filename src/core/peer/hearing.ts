// What this device hears of another's holdings and catalogue, and what it asks for when it missed something.

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { HoldingsDelta } from '../placement/holdings.ts';
import type { Digests } from '../wire/digests.ts';
import type { CatalogueSync } from './catalogue-sync.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import type { PeerLink } from './peer-links.ts';
import type { PeerState } from './peer-state.ts';

export class Hearing {
  readonly #state: PeerState;
  readonly #sync: CatalogueSync;

  constructor(state: PeerState, sync: CatalogueSync) {
    this.#state = state;
    this.#sync = sync;
  }

  /** What a device says that it holds. */
  holdings(nowMs: MonotonicMs, from: DeviceId, link: PeerLink, delta: HoldingsDelta): PeerEffect[] {
    const hadBytes = this.#state.holdings.of(from)?.freeBytes ?? 0;
    const before = delta.base === 0 ? [...(this.#state.holdings.of(from)?.files.keys() ?? [])] : [];
    if (!this.#state.holdings.apply(from, delta, this.#state.wallAt(nowMs)))
      return [send(from, { kind: 'holdings-wanted' })];
    this.#state.doubts.told(from);
    // Until now it could not be offered anything.
    if (!link.heardHoldings) this.#state.touch();
    link.heardHoldings = true;
    if (delta.freeBytes > hadBytes) this.#state.outbox.madeRoom(from);
    if (this.#state.catalogue.isMember(from)) this.#state.moving.spaceTold(from);
    for (const file of [...before, ...delta.held.map((holding) => holding.file)]) this.#state.touch(file);
    return [];
  }

  /** What it should have of this device by now, and this device of it. */
  pulse(from: DeviceId, { catalogue, holdings: version }: Digests): PeerEffect[] {
    const { catalogue: own, grace, holdings } = this.#state;
    const effects: PeerEffect[] = [];
    if (own.isMember(from) && this.#sync.isSame(from, catalogue)) grace.hasAll(from);
    const ask = this.#sync.askUnlikeOurs(from, catalogue);
    if (ask !== undefined) effects.push(send(from, ask));
    if (version !== holdings.of(from)?.version) effects.push(send(from, { kind: 'holdings-wanted' }));
    return effects;
  }
}
