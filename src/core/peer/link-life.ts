// What the parts of a peer do when a link begins to count, and when it ends.

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { CatalogueSync } from './catalogue-sync.ts';
import type { Foretelling } from './foretelling.ts';
import type { HoldingsTelling } from './holdings-telling.ts';
import type { Judging } from './judging.ts';
import { inControl, send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import type { PeerLink } from './peer-links.ts';
import type { PeerState } from './peer-state.ts';
import type { Requests } from './requests.ts';
import type { Taking } from './taking.ts';
import type { VouchingPart } from './vouching-part.ts';

export interface LinkLifeParts {
  readonly sync: CatalogueSync;
  readonly telling: HoldingsTelling;
  readonly taking: Taking;
  readonly vouching: VouchingPart;
  readonly judging: Judging;
  readonly requests: Requests;
  readonly foretelling: Foretelling;
}

export class LinkLife {
  readonly #state: PeerState;
  readonly #parts: LinkLifeParts;

  constructor(state: PeerState, parts: LinkLifeParts) {
    this.#state = state;
    this.#parts = parts;
  }

  greeted(device: DeviceId, link: PeerLink): PeerEffect[] {
    const { sync, telling, foretelling } = this.#parts;
    this.#state.membership.greeted(device);
    this.#state.touch();
    return [
      send(device, { kind: 'features', features: this.#state.features() }),
      send(device, sync.ask(device)),
      ...telling.snapshotFor(device, link),
      ...inControl(foretelling.greeted(device)),
    ];
  }

  down(nowMs: MonotonicMs, device: DeviceId): PeerEffect[] {
    const { sync, taking, vouching, judging, requests } = this.#parts;
    const link = this.#state.links.down(nowMs, device);
    if (link === undefined) return [];
    this.#state.linkDown(device);
    this.#state.touch();
    sync.linkDown(device);
    taking.linkDown(device);
    vouching.linkDown(nowMs, device);
    this.#state.holdings.linkDown(device);
    return [
      ...judging.judge(nowMs, this.#state.challenges.linkDown(nowMs, device)),
      ...[...link.serving].map((id) => ({ kind: 'stop-serving', to: device, id }) as const),
      ...inControl(requests.linkDown(device)),
    ];
  }
}
