// The links of a peer: which devices are linked, which have greeted, and what is under way on each link.
//
// Invariants: until the other side has said hello in our protocol and epoch, it is told nothing but our
// hello. What one link can make this device do at a time is bounded.

import type { DeviceId } from '../model/ids.ts';
import { MAX_DEVICE_COUNT, MAX_OPEN_PROOFS, MAX_OPEN_REQUESTS } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import { CHARTERED_PROTOCOL_VERSION, PROTOCOL_VERSION, type Message } from '../wire/messages.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import type { Ask } from '../wire/asks.ts';

export interface PeerLink {
  readonly upAtMs: MonotonicMs;
  /** How long earlier links with the device lasted, ms. */
  readonly earlierMs: number;
  /** Whether the other side has said hello in our protocol and epoch. */
  hasSaidHello: boolean;
  /** Whether the sides follow different charters, or one none yet: charters are told, and nothing else. */
  isAcrossUpgrade: boolean;
  /** Whether the link takes part in everything: acts-exchange.ts. */
  greeted: boolean;
  /** Which acts the other side said that it has, and of which others it was told. */
  theirActs: { readonly marks: Uint8Array; readonly told: 'nothing' | 'own' | 'all' } | undefined;
  /** How often the other side said which acts it has. */
  summaryCount: number;
  /** The digest of the acts that were here when the other side was last asked for more. */
  askedActs: string | undefined;
  /** How often the other side asked for keys, and was asked. */
  givenKeysCount: number;
  wantedKeysCount: number;
  /** When the link is closed, because the other side was shut out. */
  endsAtMs: MonotonicMs | undefined;
  /** What the other side can do beyond what the protocol promises. */
  features: ReadonlySet<string>;
  /** Version of our holdings as sent on this link. */
  sentVersion: number;
  /** Whether it told us its holdings on this link. Before that, its free space is not known. */
  heardHoldings: boolean;
  readonly serving: Set<number>;
  /** Challenges of the other side that are being answered. */
  readonly proving: Set<number>;
  pulseAtMs: number;
  /** Whether its next pulse is wanted out of turn, also by a device that otherwise gets none. */
  isPulseDue: boolean;
}

/**
 * How often devices that cannot vouch are sent pulses, ms. Also how often this device looks at the clock
 * while it is linked: whoever looks much later was asleep.
 */
export const PULSE_MS = 5_000;

export class PeerLinks {
  readonly #epoch: number;
  readonly #protocol: () => number;
  readonly #links = new Map<DeviceId, PeerLink>();
  /** How long links lasted that are down, of devices that had greeted. */
  readonly #earlierMs = new Map<DeviceId, number>();

  /** `protocol`: what this pool speaks. */
  constructor(epoch: number, protocol: () => number) {
    this.#epoch = epoch;
    this.#protocol = protocol;
  }

  up(nowMs: MonotonicMs, device: DeviceId): PeerEffect[] {
    this.#links.set(device, {
      upAtMs: nowMs,
      earlierMs: this.#earlierMs.get(device) ?? 0,
      hasSaidHello: false,
      isAcrossUpgrade: false,
      greeted: false,
      theirActs: undefined,
      summaryCount: 0,
      askedActs: undefined,
      givenKeysCount: 0,
      wantedKeysCount: 0,
      endsAtMs: undefined,
      features: new Set(),
      sentVersion: 0,
      heardHoldings: false,
      serving: new Set(),
      proving: new Set(),
      pulseAtMs: nextPulseMs(nowMs),
      isPulseDue: false,
    });
    return [send(device, { kind: 'hello', protocol: this.#protocol(), epoch: this.#epoch })];
  }

  /** Undefined when there was no such link. */
  down(nowMs: MonotonicMs, device: DeviceId): PeerLink | undefined {
    const link = this.#links.get(device);
    this.#links.delete(device);
    if (link?.greeted === true) this.#remember(device, link.earlierMs + nowMs - link.upAtMs);
    return link;
  }

  get(device: DeviceId): PeerLink | undefined {
    return this.#links.get(device);
  }

  has(device: DeviceId): boolean {
    return this.#links.has(device);
  }

  all(): IterableIterator<[DeviceId, PeerLink]> {
    return this.#links.entries();
  }

  greeted(): [DeviceId, PeerLink][] {
    return [...this.#links].filter(([, link]) => link.greeted);
  }

  greetedDevices(): DeviceId[] {
    return this.greeted().map(([device]) => device);
  }

  isGreeted(device: DeviceId): boolean {
    return this.#links.get(device)?.greeted === true;
  }

  /** The other side said hello. The effects close the link if it cannot be used. */
  hello(from: DeviceId, link: PeerLink, protocol: number, epoch: number): PeerEffect[] {
    link.isAcrossUpgrade =
      protocol !== this.#protocol() &&
      (protocol === PROTOCOL_VERSION || protocol === CHARTERED_PROTOCOL_VERSION);
    const isOther = protocol !== this.#protocol() && !link.isAcrossUpgrade;
    const refused: PeerEffect[] = isOther ? [{ kind: 'other-protocol', device: from, protocol }] : [];
    if (isOther || epoch !== this.#epoch)
      return [...refused, closing(from, `speaks protocol ${protocol}, epoch ${epoch}`)];
    if (link.hasSaidHello) return [closing(from, 'said hello twice')];
    link.hasSaidHello = true;
    return [];
  }

  /** Of strangers there may be many: who was not here for longest is forgotten first. */
  #remember(device: DeviceId, linkedMs: number): void {
    this.#earlierMs.delete(device);
    this.#earlierMs.set(device, linkedMs);
    const [oldest] = this.#earlierMs.keys();
    if (this.#earlierMs.size > MAX_DEVICE_COUNT && oldest !== undefined) this.#earlierMs.delete(oldest);
  }

  /** The other side asks for something. */
  serve(to: DeviceId, link: PeerLink, ask: Ask & { readonly id: number }): PeerEffect[] {
    const { id, ...wanted } = ask;
    if (link.serving.has(id)) return [closing(to, `asked twice as ${id}`)];
    if (link.serving.size >= MAX_OPEN_REQUESTS) return [send(to, { kind: 'failed', id, reason: 'busy' })];
    link.serving.add(id);
    return [{ kind: 'serve', to, id, ask: wanted }];
  }

  /** The other side challenges this device; `asks` are those of `challenge` that it answers. */
  prove(
    to: DeviceId,
    link: PeerLink,
    { id }: Message & { readonly kind: 'challenge' },
    asks: () => (PeerEffect & { readonly kind: 'prove' })['asks'],
  ): PeerEffect[] {
    if (link.proving.has(id) || link.proving.size >= MAX_OPEN_PROOFS)
      return [closing(to, 'sends challenges before the last were answered')];
    link.proving.add(id);
    return [{ kind: 'prove', to, id, asks: asks() }];
  }
}

/** The same moments for all links, so that a device with many wakes no more often. */
export function nextPulseMs(nowMs: MonotonicMs): MonotonicMs {
  return (Math.floor(nowMs / PULSE_MS) + 1) * PULSE_MS;
}

export function closing(device: DeviceId, reason: string): PeerEffect {
  return { kind: 'close-link', device, reason };
}
