// How linked devices vouch for themselves: page, fragment worker and disk, and that either has what the other
// told it (core/membership/vouching.ts decides whom this device asks, and when).
//
// Invariant: this device vouches for itself only after its disk was read, and never for another.

import { EVICTABLE_FEATURE } from '../wire/greetings.ts';
import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { Vouching } from '../membership/vouching.ts';
import type { Digests } from '../wire/digests.ts';
import type { Message } from '../wire/messages.ts';
import type { CatalogueSync } from './catalogue-sync.ts';
import type { Hearing } from './hearing.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import type { PeerState } from './peer-state.ts';

type VouchMessage = Extract<Message, { kind: 'vouch' | 'vouch-wanted' }>;

export class VouchingPart {
  readonly #state: PeerState;
  readonly #sync: CatalogueSync;
  readonly #hearing: Hearing;
  readonly #vouching: Vouching;
  /** Devices that wait until this one has read its disk. */
  readonly #askers = new Set<DeviceId>();
  #absenceCount = 0;
  #digest = '';

  constructor(state: PeerState, sync: CatalogueSync, hearing: Hearing) {
    this.#state = state;
    this.#sync = sync;
    this.#hearing = hearing;
    this.#vouching = new Vouching(state.self);
  }

  /** What the linked device can do. */
  speaks(nowMs: MonotonicMs, device: DeviceId, features: ReadonlySet<string>): void {
    this.#state.membership.saysEvictable(device, features.has(EVICTABLE_FEATURE));
    if (features.has('membership')) this.#state.membership.speaks(device);
    if (features.has('vouch')) this.#vouching.speaks(nowMs, device);
  }

  linkDown(nowMs: MonotonicMs, device: DeviceId): void {
    this.#vouching.linkDown(nowMs, device);
    this.#askers.delete(device);
  }

  heard(nowMs: MonotonicMs, from: DeviceId, message: VouchMessage): PeerEffect[] {
    return message.kind === 'vouch' ? this.#vouched(nowMs, from, message) : this.#wanted(from, message);
  }

  storeTried(works: boolean): PeerEffect[] {
    const effects = works ? [...this.#askers].flatMap((device) => this.#send('vouch', device)) : [];
    this.#askers.clear();
    return effects;
  }

  /** `from` gave what only a device can give whose disk works. */
  works(nowMs: MonotonicMs, from: DeviceId): void {
    if (!this.#vouching.works(nowMs, from)) return;
    this.#state.membership.worksAgain(from);
    this.#state.touch();
  }

  /** After each input, which had these effects. */
  advance(nowMs: MonotonicMs, effects: readonly PeerEffect[]): PeerEffect[] {
    const { membership, catalogue } = this.#state;
    for (const effect of effects) {
      if (effect.kind === 'keep-entries' || effect.kind === 'forget-entries') this.#vouching.changed(nowMs);
      if (effect.kind !== 'send') continue;
      // Its own entries, or an answer: only these need the digest, which costs a hash over all logs.
      if (effect.message.kind === 'entries' && catalogue.digest() !== this.#digest) {
        this.#digest = catalogue.digest();
        this.#vouching.changed(nowMs);
      }
      if (effect.message.kind !== 'holdings') continue;
      if (effect.message.base === 0) this.#vouching.toldAnew(nowMs, effect.to);
      else this.#vouching.changed(nowMs);
    }
    if (membership.absenceCount !== this.#absenceCount) this.#vouching.slept(nowMs);
    this.#absenceCount = membership.absenceCount;
    const { ask, overdue, silent } = this.#vouching.advance(nowMs, membership.mayAccuse);
    for (const device of silent) membership.silent(device);
    if (silent.length > 0) this.#state.touch();
    return [
      ...overdue.map((device): PeerEffect => ({ kind: 'doubt-link', device })),
      ...(ask === undefined ? [] : this.#send('vouch-wanted', ask)),
    ];
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#vouching.nextDeadlineMs();
  }

  /** `from` asks this device to vouch for itself, and tells what it should have of `from`. */
  #wanted(from: DeviceId, digests: Digests): PeerEffect[] {
    const effects = this.#hearing.pulse(from, digests);
    const isFirst = this.#askers.size === 0;
    this.#askers.add(from);
    return isFirst ? [...effects, { kind: 'try-store' }] : effects;
  }

  /** `from` vouches for itself. Only answers count. */
  #vouched(nowMs: MonotonicMs, from: DeviceId, digests: Digests): PeerEffect[] {
    if (!this.#vouching.owesAnswer(from)) return [];
    this.works(nowMs, from);
    const effects = this.#hearing.pulse(from, digests);
    const isCatalogueSame = this.#sync.digestFor(from) === digests.catalogue;
    const isHeard = this.#state.holdings.of(from)?.version === digests.holdings;
    if (isCatalogueSame && isHeard) this.#vouching.agrees(from);
    return effects;
  }

  #send(kind: 'vouch' | 'vouch-wanted', to: DeviceId): PeerEffect[] {
    const link = this.#state.links.get(to);
    if (link?.greeted !== true) return [];
    return [send(to, { kind, catalogue: this.#sync.digestFor(to), holdings: link.sentVersion })];
  }
}
