// A simulated network of authenticated links. Like the data channels it stands for, a link keeps the order within a lane
// and loses nothing while it lives; loss shows as delay, and as links that break with everything under way. Bulk and
// control overtake each other, links overtake each other.

import { concatBytes } from '../../src/core/model/bytes.ts';
import { PalmError } from '../../src/core/model/errors.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import type { Lane, Transport, TransportEvents } from '../../src/core/ports.ts';
import type { World } from './world.ts';

export interface NetworkFaults {
  /** Least and most time of one message, ms. */
  readonly delayMs: readonly [number, number];
  /** Share of messages that are lost once and sent again, RETRANSMIT_MS later. */
  readonly loss: number;
  /** Share of messages that break their link. */
  readonly breaks: number;
}

export const CALM: NetworkFaults = { delayMs: [1, 5], loss: 0, breaks: 0 };
export const ROUGH: NetworkFaults = { delayMs: [1, 400], loss: 0.05, breaks: 0.002 };

const RETRANSMIT_MS = 800;
/** A broken link is built again after this, ms. */
const RELINK_MS = 1_500;
/** A device that vanished is noticed after this, ms. */
const NOTICE_MS = 3_000;

interface Link {
  readonly ends: readonly [DeviceId, DeviceId];
  up: boolean;
  /** Earliest time of the next message, by sender and lane: keeps the order. */
  readonly clearMs: Map<string, number>;
}

export class Network {
  readonly #world: World;
  faults: NetworkFaults;
  readonly #open = new Map<DeviceId, TransportEvents>();
  readonly #links = new Map<string, Link>();
  #group: (device: DeviceId) => number = () => 0;
  /** Message bytes that were delivered. */
  deliveredBytes = 0;

  constructor(world: World, faults: NetworkFaults = CALM) {
    this.#world = world;
    this.faults = faults;
  }

  /** Devices talk only within their group; links across break. */
  partition(group: (device: DeviceId) => number): void {
    this.#group = group;
    for (const link of this.#links.values())
      if (!this.#together(...link.ends)) this.#break(link, 'partition');
    this.#linkAll();
  }

  heal(): void {
    this.partition(() => 0);
  }

  transportOf(device: DeviceId): Transport {
    return {
      open: (events) => {
        this.#open.set(device, events);
        this.#linkAll();
      },
      send: (to, parts, lane) => this.#send(device, to, concatBytes(...parts), lane),
      closeLink: (to, reason) => {
        const link = this.#links.get(keyOf(device, to));
        if (link !== undefined) this.#break(link, reason);
        this.#linkAll();
      },
      wake: () => undefined,
      close: async () => this.unplug(device),
    };
  }

  /** The device is gone from the network at once, as a killed tab; the others notice. */
  unplug(device: DeviceId): void {
    this.#open.delete(device);
    for (const link of this.#links.values()) if (link.ends.includes(device)) this.#break(link, 'vanished');
  }

  #together(a: DeviceId, b: DeviceId): boolean {
    return this.#open.has(a) && this.#open.has(b) && this.#group(a) === this.#group(b);
  }

  #linkAll(): void {
    const devices = [...this.#open.keys()];
    for (const a of devices) {
      for (const b of devices) {
        if (a >= b || !this.#together(a, b) || this.#links.has(keyOf(a, b))) continue;
        const link: Link = { ends: [a, b], up: false, clearMs: new Map() };
        this.#links.set(keyOf(a, b), link);
        this.#world.after(this.#delayMs(), () => this.#raise(link));
      }
    }
  }

  #raise(link: Link): void {
    const [a, b] = link.ends;
    if (this.#links.get(keyOf(a, b)) !== link || !this.#together(a, b)) return;
    link.up = true;
    this.#open.get(a)?.linkUp(b);
    this.#open.get(b)?.linkUp(a);
  }

  async #send(from: DeviceId, to: DeviceId, bytes: Uint8Array<ArrayBuffer>, lane: Lane): Promise<void> {
    const link = this.#links.get(keyOf(from, to));
    if (link?.up !== true) throw new PalmError('link-closed', 'The simulated link is down.');
    if (this.#world.random.unit() < this.faults.breaks) {
      this.#break(link, 'broke');
      throw new PalmError('link-closed', 'The simulated link broke.');
    }
    const lostMs = this.#world.random.unit() < this.faults.loss ? RETRANSMIT_MS : 0;
    const laneKey = `${from}/${lane}`;
    const atMs = Math.max(this.#world.nowMs + this.#delayMs() + lostMs, link.clearMs.get(laneKey) ?? 0);
    link.clearMs.set(laneKey, atMs);
    this.#world.after(atMs - this.#world.nowMs, () => {
      if (!link.up) return;
      this.deliveredBytes += bytes.length;
      this.#open.get(to)?.message(from, bytes);
    });
  }

  #break(link: Link, reason: string): void {
    const [a, b] = link.ends;
    if (this.#links.get(keyOf(a, b)) !== link) return;
    const wasUp = link.up;
    link.up = false;
    const [noticedByA, noticedByB] = [this.#open.get(a), this.#open.get(b)];
    // Both ends learn of it before a new link can come up; neither hears anything in between.
    this.#world.after(NOTICE_MS, () => {
      if (wasUp && this.#open.get(a) === noticedByA) noticedByA?.linkDown(b, reason);
      if (wasUp && this.#open.get(b) === noticedByB) noticedByB?.linkDown(a, reason);
      this.#links.delete(keyOf(a, b));
      this.#world.after(RELINK_MS, () => this.#linkAll());
    });
  }

  #delayMs(): number {
    const [least, most] = this.faults.delayMs;
    return Math.round(least + this.#world.random.unit() * (most - least));
  }
}

function keyOf(a: DeviceId, b: DeviceId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
