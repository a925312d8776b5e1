// A simulated network of authenticated links. Like the data channels it stands for, a link keeps the order
// within a lane and loses nothing while it lives; loss shows as delay, and as links that break with
// everything under way. Bulk and control overtake each other, links overtake each other, and the two ends of
// a link notice its beginning and its end at different times.

import { createHash } from 'node:crypto';
import { increase } from '../../src/core/catalogue/counts.ts';
import { concatBytes } from '../../src/core/model/bytes.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import type { RoomKeys } from '../../src/core/model/invite-door.ts';
import type { DoorLimits, Lane, Transport, TransportEvents } from '../../src/core/transport-port.ts';
import type { SimNetwork, TransportNeeds } from './device.ts';
import type { SimProcess } from './process.ts';
import { cancelled, linkClosed } from './send-failures.ts';
import type { World } from './world.ts';

export interface NetworkFaults {
  /** Least and most time of one message, ms. */
  readonly delayMs: readonly [number, number];
  /** Bytes that one device sends to another in a ms, in each lane. */
  readonly bytesPerMs: number;
  /** Share of messages that are lost once and sent again, RETRANSMIT_MS later. */
  readonly loss: number;
  /** Share of messages that break their link. */
  readonly breaks: number;
}

export const CALM: NetworkFaults = { delayMs: [1, 5], bytesPerMs: 50_000, loss: 0, breaks: 0 };
export const ROUGH: NetworkFaults = { delayMs: [1, 400], bytesPerMs: 5_000, loss: 0.05, breaks: 0.002 };

const RETRANSMIT_MS = 800;
/** A link that ended is built again this long after both ends know, ms. */
const RELINK_MS = 1_500;
/** An end that was absent when the link broke notices within this, ms. */
const NOTICE_MS = 3_000;
/** A frozen device's links die after this, ms: its probes get no answer. */
const FROZEN_LINK_MS = 10_000;

/** One device as the network sees it: it ends with the tab or the transport. */
interface Endpoint {
  readonly device: DeviceId;
  readonly process: SimProcess;
  readonly events: TransportEvents;
  readonly door: DoorLimits | undefined;
}

interface Sending {
  readonly fail: () => void;
}

interface Link {
  readonly ends: readonly [Endpoint, Endpoint];
  state: 'rising' | 'up' | 'down';
  /** Ends that heard linkUp and no linkDown yet. */
  readonly told: Set<Endpoint>;
  /** Devices whose messages still arrive although the link is down, because they closed it in good order. */
  drains: Endpoint | undefined;
  /** Earliest arrival of the next message, by sender and lane: keeps the order. */
  readonly arriveMs: Map<string, number>;
  /** When a device's last message arrived, by sender. */
  readonly heardAtMs: Map<string, number>;
  /** Bulk messages on their way, by sender, and when each sender's last one arrived. */
  readonly answers: Map<string, Set<{ readonly beginsMs: number }>>;
  readonly gaveAtMs: Map<string, number>;
  upAtMs: number;
  /** When the channel is free for the next message, by sender and lane. */
  readonly freeMs: Map<string, number>;
  readonly sending: Set<Sending>;
}

export class Network implements SimNetwork {
  readonly #world: World;
  faults: NetworkFaults;
  readonly #open = new Map<DeviceId, Endpoint>();
  readonly #links = new Map<string, Link>();
  /** How many cuts keep two devices apart. */
  readonly #cuts = new Map<string, number>();
  readonly #trace = createHash('sha256');
  #group: (device: DeviceId) => number = () => 0;
  /** The rooms of invites, each a network of its own. */
  readonly #rooms = new Map<string, Network>();
  /** Bytes that wait to go out, by sender and receiver. */
  readonly #queues = new Map<string, { bytes: number; mostBytes: number }>();
  /** How long a device takes over each answer before it sends it, one after the other, ms. */
  readonly thinkingMs = new Map<DeviceId, number>();
  /** Devices whose sending takes no time. */
  readonly unlimited = new Set<DeviceId>();
  /** Message bytes that were delivered. */
  deliveredBytes = 0;
  /** Messages on their way, and link events that an end has not heard yet. */
  inFlightCount = 0;
  /** Called with each message as it is handed to its receiver. */
  onDelivery: (from: DeviceId, to: DeviceId, bytes: Uint8Array<ArrayBuffer>) => void = () => undefined;
  /** What a device really sends when it means to send `bytes`: a fault of its own memory or software. */
  distort: (from: DeviceId, to: DeviceId, bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> = (
    _from,
    _to,
    bytes,
  ) => bytes;

  /** What a device means to send and never does: its link is sound, and something above it is not. */
  swallows: (from: DeviceId, to: DeviceId, bytes: Uint8Array<ArrayBuffer>) => boolean = () => false;

  constructor(world: World, faults: NetworkFaults = CALM) {
    this.#world = world;
    this.faults = faults;
  }

  /** The most bytes that ever waited to go out from one device to another. */
  mostQueuedBytes(from: DeviceId, to: DeviceId): number {
    return this.#queues.get(`${from} ${to}`)?.mostBytes ?? 0;
  }

  /** SHA-256 over every message delivered so far: when, from whom, to whom, and its bytes. Ends the trace. */
  traceDigest(): string {
    return this.#trace.digest('hex');
  }

  /** Devices talk only within their group; links across groups break. */
  partition(group: (device: DeviceId) => number): void {
    for (const room of this.#rooms.values()) room.partition(group);
    this.#group = group;
    for (const link of this.#links.values())
      if (!this.#together(...link.ends)) this.#break(link, 'partition');
    this.#linkAll();
  }

  /** Two devices never link again, whoever else they are linked with. */
  cut(a: DeviceId, b: DeviceId): void {
    increase(this.#cuts, keyOf(a, b), 1);
    this.breakLink(a, b);
  }

  /** Takes one cut back: two devices that no other keeps apart may link again. */
  mend(a: DeviceId, b: DeviceId): void {
    increase(this.#cuts, keyOf(a, b), -1);
    this.#linkAll();
  }

  heal(): void {
    this.#cuts.clear();
    this.partition(() => 0);
  }

  transportFor(needs: Pick<TransportNeeds, 'identity' | 'process' | 'door' | 'keys'>): Transport {
    return needs.door === undefined
      ? this.#transportFor(needs)
      : this.#roomOf(needs.keys).#transportFor(needs);
  }

  #roomOf({ poolId }: RoomKeys): Network {
    const room = this.#rooms.get(poolId) ?? new Network(this.#world, this.faults);
    room.#group = this.#group;
    this.#rooms.set(poolId, room);
    return room;
  }

  #transportFor({
    identity,
    process,
    door,
  }: Pick<TransportNeeds, 'identity' | 'process' | 'door'>): Transport {
    const device = identity.deviceId;
    let endpoint: Endpoint | undefined;
    return {
      open: (events) => {
        endpoint = { device, process, events, door };
        this.#open.set(device, endpoint);
        process.run(() => events.relayState('connected'));
        this.#linkAll();
      },
      send: (to, parts, lane, signal) => {
        if (endpoint === undefined) return Promise.reject(linkClosed());
        const bytes = this.distort(device, to, concatBytes(...parts));
        if (this.swallows(device, to, bytes)) return Promise.resolve();
        return this.#send(endpoint, to, bytes, lane, signal);
      },
      silentForMs: (from) => {
        const link = this.#links.get(keyOf(device, from));
        const other = link?.ends.find((end) => end.device === from);
        // A device that runs answers pings.
        if (link?.state !== 'up' || other?.process.frozen !== true) return 0;
        return this.#world.nowMs - (link.heardAtMs.get(from) ?? link.upAtMs);
      },
      givesNothingForMs: (from) => {
        const link = this.#links.get(keyOf(device, from));
        if (link?.state !== 'up') return 0;
        // While an answer is on its way, its frames arrive.
        const answers = [...(link.answers.get(from) ?? [])];
        if (answers.some(({ beginsMs }) => beginsMs <= this.#world.nowMs)) return 0;
        return this.#world.nowMs - (link.gaveAtMs.get(from) ?? -Infinity);
      },
      // What waits in one lane never holds up the other.
      followQueue: () => () => false,
      closeLink: (to, reason) => {
        const link = this.#links.get(keyOf(device, to));
        if (link !== undefined) this.#break(link, reason);
      },
      // Links of devices that do not answer end anyway (frozen).
      doubtLink: () => undefined,
      move: () => undefined,
      wake: () => undefined,
      close: async () => {
        if (endpoint !== undefined) this.#close(endpoint);
      },
    };
  }

  /** The device vanishes from the network, as a killed tab does; the others notice. */
  unplug(device: DeviceId): void {
    for (const room of this.#rooms.values()) room.unplug(device);
    this.#open.delete(device);
    for (const link of this.#links.values()) if (hasEnd(link, device)) this.#break(link, 'vanished');
  }

  /** The device's process is frozen: what is sent to it waits, and after a while its links die. */
  frozen(device: DeviceId): void {
    for (const room of this.#rooms.values()) room.frozen(device);
    this.#world.after(FROZEN_LINK_MS, () => {
      if (this.#open.get(device)?.process.frozen !== true) return;
      for (const link of this.#links.values()) if (hasEnd(link, device)) this.#break(link, 'silent');
    });
  }

  thawed(): void {
    for (const room of this.#rooms.values()) room.thawed();
    this.#linkAll();
  }

  freezing(device: DeviceId): void {
    this.#open.get(device)?.events.freezing?.();
  }

  /** Breaks the link between two devices, if there is one; it is built again. */
  breakLink(a: DeviceId, b: DeviceId): void {
    const link = this.#links.get(keyOf(a, b));
    if (link !== undefined) this.#break(link, 'broke');
  }

  #together(a: Endpoint, b: Endpoint): boolean {
    const isThere = (end: Endpoint): boolean =>
      this.#open.get(end.device) === end && !end.process.frozen && !end.process.dead;
    if (this.#cuts.has(keyOf(a.device, b.device))) return false;
    if (a.door?.accepts(b.device) === false || b.door?.accepts(a.device) === false) return false;
    return isThere(a) && isThere(b) && this.#group(a.device) === this.#group(b.device);
  }

  #linkAll(): void {
    for (const a of this.#open.values()) {
      for (const b of this.#open.values()) {
        const key = keyOf(a.device, b.device);
        if (a.device >= b.device || this.#links.has(key) || !this.#together(a, b)) continue;
        const link: Link = {
          ends: [a, b],
          state: 'rising',
          told: new Set(),
          drains: undefined,
          arriveMs: new Map(),
          freeMs: new Map(),
          heardAtMs: new Map(),
          answers: new Map(),
          gaveAtMs: new Map(),
          upAtMs: 0,
          sending: new Set(),
        };
        this.#links.set(key, link);
        this.#world.after(this.#delayMs(), () => this.#raise(link));
      }
    }
  }

  #raise(link: Link): void {
    const [a, b] = link.ends;
    if (link.state !== 'rising') return;
    if (!this.#together(a, b)) {
      this.#break(link, 'not there');
      return;
    }
    link.state = 'up';
    link.upAtMs = this.#world.nowMs;
    for (const [end, other] of bothWays(link)) {
      const delayMs = this.#delayMs();
      // What the other end says sooner is heard only after that.
      for (const lane of ['control', 'bulk']) {
        link.arriveMs.set(`${other.device}/${lane}`, this.#world.nowMs + delayMs);
      }
      this.#inFlight(delayMs, end, () => {
        if (link.state !== 'up') return;
        link.told.add(end);
        end.events.linkUp(other.device);
      });
    }
  }

  #send(
    from: Endpoint,
    to: DeviceId,
    bytes: Uint8Array<ArrayBuffer>,
    lane: Lane,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const link = this.#links.get(keyOf(from.device, to));
    const other = link?.ends.find((end) => end !== from);
    if (link?.state !== 'up' || !link.told.has(from) || other === undefined)
      return Promise.reject(linkClosed());
    if (signal?.aborted === true) return Promise.reject(cancelled());
    const { nowMs, random } = this.#world;
    if (random.unit() < this.faults.breaks) {
      this.#break(link, 'broke');
      return Promise.reject(linkClosed());
    }
    const laneKey = `${from.device}/${lane}`;
    const lostMs = random.unit() < this.faults.loss ? RETRANSMIT_MS : 0;
    const thinksMs = lane === 'bulk' ? (this.thinkingMs.get(from.device) ?? 0) : 0;
    const beginsMs = Math.max(nowMs, link.freeMs.get(laneKey) ?? 0) + thinksMs;
    const goesOutMs =
      beginsMs + (this.unlimited.has(from.device) ? 0 : bytes.length / this.faults.bytesPerMs);
    const arrivesMs = Math.max(
      Math.ceil(goesOutMs) + this.#delayMs() + lostMs,
      link.arriveMs.get(laneKey) ?? 0,
    );
    link.freeMs.set(laneKey, goesOutMs);
    link.arriveMs.set(laneKey, arrivesMs);
    const answer = { beginsMs };
    const answers = link.answers.get(from.device) ?? new Set();
    if (lane === 'bulk') link.answers.set(from.device, answers.add(answer));
    return new Promise((resolve, reject) => {
      let isWanted = true;
      const sending = { fail: () => from.process.run(() => reject(linkClosed())) };
      link.sending.add(sending);
      signal?.addEventListener('abort', () => {
        if (this.#world.nowMs >= beginsMs) return;
        isWanted = false;
        answers.delete(answer);
        link.sending.delete(sending);
        reject(cancelled());
      });
      this.#queued(from.device, to, bytes.length);
      this.#world.after(Math.ceil(goesOutMs) - nowMs, () => {
        this.#queued(from.device, to, -bytes.length);
        if (link.sending.delete(sending)) from.process.run(resolve);
      });
      this.#inFlight(arrivesMs - nowMs, other, () => {
        if (isWanted && (link.state === 'up' || link.drains === from) && link.told.has(other)) {
          link.heardAtMs.set(from.device, this.#world.nowMs);
          if (answers.delete(answer)) link.gaveAtMs.set(from.device, this.#world.nowMs);
          this.#deliver(from.device, other, bytes);
        }
      });
    });
  }

  #deliver(from: DeviceId, to: Endpoint, bytes: Uint8Array<ArrayBuffer>): void {
    this.deliveredBytes += bytes.length;
    this.#trace.update(`${this.#world.nowMs} ${from} ${to.device} ${bytes.length}\n`).update(bytes);
    this.onDelivery(from, to.device, bytes);
    to.events.message(from, bytes);
  }

  #queued(from: DeviceId, to: DeviceId, bytes: number): void {
    const key = `${from} ${to}`;
    const queue = this.#queues.get(key) ?? { bytes: 0, mostBytes: 0 };
    queue.bytes += bytes;
    queue.mostBytes = Math.max(queue.mostBytes, queue.bytes);
    this.#queues.set(key, queue);
  }

  /** What `end` will hear in `delayMs`. */
  #inFlight(delayMs: number, end: Endpoint, event: () => void): void {
    this.inFlightCount += 1;
    this.#world.after(delayMs, () => {
      this.inFlightCount -= 1;
      end.process.run(event);
    });
  }

  /** A transport closes in good order: what it had sent arrives, and then the link is gone. */
  #close(endpoint: Endpoint): void {
    if (this.#open.get(endpoint.device) === endpoint) this.#open.delete(endpoint.device);
    for (const link of this.#links.values()) {
      if (!link.ends.includes(endpoint)) continue;
      link.drains = endpoint;
      const lastMs = Math.max(...link.arriveMs.values(), this.#world.nowMs);
      this.#break(link, 'closed', lastMs - this.#world.nowMs + 1);
    }
  }

  #break(link: Link, reason: string, atLeastMs = 0): void {
    if (link.state === 'down') return;
    link.state = 'down';
    for (const sending of link.sending) sending.fail();
    link.sending.clear();
    let noticedMs = 0;
    for (const [end, other] of bothWays(link)) {
      const delayMs = atLeastMs + this.#world.random.below(NOTICE_MS);
      noticedMs = Math.max(noticedMs, delayMs);
      this.#inFlight(delayMs, end, () => {
        if (link.told.delete(end) && this.#open.get(end.device) === end) {
          end.events.linkDown(other.device, reason);
        }
      });
    }
    this.#world.after(noticedMs + RELINK_MS, () => {
      // A frozen end hears of this end before it hears of a new link: its backlog keeps the order.
      this.#links.delete(keyOf(link.ends[0].device, link.ends[1].device));
      this.#linkAll();
    });
  }

  #delayMs(): number {
    const [least, most] = this.faults.delayMs;
    return Math.round(least + this.#world.random.unit() * (most - least));
  }
}

function bothWays({ ends: [a, b] }: Link): readonly (readonly [Endpoint, Endpoint])[] {
  return [
    [a, b],
    [b, a],
  ];
}

function hasEnd(link: Link, device: DeviceId): boolean {
  return link.ends.some((end) => end.device === device);
}

function keyOf(a: DeviceId, b: DeviceId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
