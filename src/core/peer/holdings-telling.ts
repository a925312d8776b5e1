// Tells the linked devices what this one holds: everything to a device that greets, then the changes. Also
// the pulse, by which a device that cannot vouch finds out that it missed something; others get one only
// when somebody waits for it (hurry).

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Holding } from '../placement/holdings.ts';
import { nextPulseMs, PULSE_MS, type PeerLink, type PeerLinks } from './peer-links.ts';
import type { OwnHoldings } from './own-holdings.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';

/**
 * Holdings that change within this, ms, are told together: hundreds of small files may arrive each second.
 */
const TELL_GAP_MS = 20;
/** Pulses that are sent ahead of their time follow each other after the first of these, then twice it… */
const HURRY_GAP_MS = 20;
/** …and at last after this, ms: members may cause them at any rate. */
const MAX_HURRY_GAP_MS = 1_000;

export class HoldingsTelling {
  readonly #own: OwnHoldings;
  readonly #links: PeerLinks;
  #nextTellMs = 0;
  #hurriedAtMs = -Infinity;
  #hurryGapMs = HURRY_GAP_MS;

  constructor(own: OwnHoldings, links: PeerLinks) {
    this.#own = own;
    this.#links = links;
  }

  snapshotFor(device: DeviceId, link: PeerLink): PeerEffect[] {
    link.sentVersion = 0;
    return this.#own.snapshot().map((held) => this.#message(device, link, held));
  }

  /** Everything that was here is gone. */
  nothingLeft(): PeerEffect[] {
    this.#own.lose();
    return this.#links.greeted().flatMap(([device, link]) => this.snapshotFor(device, link));
  }

  /**
   * What changed: told immediately after a quiet while, otherwise together with the changes within the gap.
   */
  changes(nowMs: MonotonicMs): PeerEffect[] {
    if (nowMs < this.#nextTellMs || !this.#own.hasChanges) return [];
    this.#nextTellMs = nowMs + TELL_GAP_MS;
    const portions = this.#own.changes();
    const greeted = this.#links.greeted();
    return portions.flatMap((held) => greeted.map(([device, link]) => this.#message(device, link, held)));
  }

  /** The next pulses are sent now, or soon: others wait to hear that the catalogues are the same. */
  hurry(nowMs: MonotonicMs): void {
    const isLong = nowMs - this.#hurriedAtMs > PULSE_MS;
    this.#hurryGapMs = isLong ? HURRY_GAP_MS : Math.min(2 * this.#hurryGapMs, MAX_HURRY_GAP_MS);
    const dueMs = isLong ? nowMs : Math.max(nowMs, this.#hurriedAtMs + this.#hurryGapMs);
    for (const [, link] of this.#links.all()) {
      link.pulseAtMs = Math.min(link.pulseAtMs, dueMs);
      link.isPulseDue = true;
    }
    this.#hurriedAtMs = dueMs;
  }

  pulses(nowMs: MonotonicMs, digestFor: (device: DeviceId) => string): PeerEffect[] {
    const effects: PeerEffect[] = [];
    for (const [device, link] of this.#links.all()) {
      if (link.pulseAtMs > nowMs) continue;
      link.pulseAtMs = nextPulseMs(nowMs);
      const isWanted = link.isPulseDue || !link.features.has('vouch');
      link.isPulseDue = false;
      if (link.greeted && isWanted)
        effects.push(
          send(device, { kind: 'pulse', catalogue: digestFor(device), holdings: link.sentVersion }),
        );
    }
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    let next = this.#own.hasChanges ? this.#nextTellMs : Infinity;
    for (const [, { pulseAtMs }] of this.#links.all()) next = Math.min(next, pulseAtMs);
    return next;
  }

  #message(device: DeviceId, link: PeerLink, held: readonly Holding[]): PeerEffect {
    const { heldBytes, freeBytes } = this.#own;
    const message = { kind: 'holdings', base: link.sentVersion, held, heldBytes, freeBytes } as const;
    link.sentVersion += 1;
    return send(device, message);
  }
}
