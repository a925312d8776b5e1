// Connections as a platform makes them, on virtual time: two ends that find each other through signals, and
// an ordered channel that keeps bytes until its bandwidth lets them go out. By the world's seed, connections
// are slow, lose frames and send them again, break, and fall silent.

import { createHash } from 'node:crypto';
import type { Connection, ConnectionEvents } from '../../src/adapters/portable/links/connection.ts';
import type { ConnectionSignal } from '../../src/core/links/link-events.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import { FRAME_BYTES, SEND_QUEUE_LOW_BYTES } from '../../src/core/model/limits.ts';
import type { LinkPath } from '../../src/core/transport-port.ts';
import { DOUBTED_WITHIN_MS } from '../fixtures/platform-doubt.ts';
import type { NetworkFaults } from './network.ts';
import type { SimProcess } from './process.ts';
import type { World } from './world.ts';

const RETRANSMIT_MS = 800;
/** From the answer to an open channel, least and most, ms. */
const OPENING_MS = [20, 200] as const;
/** How long ends look for a path to each other that does not exist, ms. */
const FRUITLESS_MS = 15_000;
/** An end whose other end is gone notices within this, ms, if at all. */
const NOTICE_MS = 3_000;

export class SimConnections {
  faults: NetworkFaults;
  /** Share of ends that notice that their other end is gone; the others hear nothing again. */
  noticedEnds = 0.5;
  /** Channels that opened. */
  openedCount = 0;
  /** What the ends that offer call their channels' protocol, and how the bytes go, if ends are told. */
  protocol = '';
  path: LinkPath | undefined;
  readonly #world: World;
  readonly #ends = new Map<string, End>();
  readonly #trace = createHash('sha256');
  #group: (device: DeviceId) => number = () => 0;
  /** Senders and receivers, of whom the second hears nothing from the first. */
  readonly #muted = new Set<string>();

  constructor(world: World, faults: NetworkFaults) {
    this.#world = world;
    this.faults = faults;
  }

  connect(device: DeviceId, process: SimProcess, initiator: boolean, events: ConnectionEvents): Connection {
    const end = new End(this.#world, this, device, process, events);
    this.#ends.set(end.name, end);
    if (initiator) end.signal({ kind: 'offer', sdp: end.name });
    return end;
  }

  /** Devices hear each other only within their group; channels across groups fall silent for good. */
  partition(group: (device: DeviceId) => number): void {
    this.#group = group;
    for (const end of this.#ends.values())
      if (end.other !== undefined && !this.#together(end, end.other)) end.silence();
  }

  /**
   * From now on nothing that `from` sends reaches `to`: their channel goes down, and no other opens. Returns
   * the function that ends this.
   */
  mute(from: DeviceId, to: DeviceId): () => void {
    const key = `${from} ${to}`;
    this.#muted.add(key);
    for (const end of this.#ends.values()) if (end.device === from && end.other?.device === to) end.silence();
    return () => this.#muted.delete(key);
  }

  /** The tab is gone: nothing comes from its ends again. */
  unplug(process: SimProcess): void {
    for (const end of this.#ends.values()) if (end.process === process) this.ended(end, NOTICE_MS);
  }

  /** The channels of this tab's device fall silent for good, and nobody is told. */
  silence(process: SimProcess): void {
    for (const end of this.#ends.values()) if (end.process === process) end.silence();
  }

  /** Whether a channel between two devices is open at both ends, and carries frames. */
  areLinked(a: DeviceId, b: DeviceId): boolean {
    return [...this.#ends.values()].some((end) => end.device === a && end.other?.device === b && end.works);
  }

  /** Breaks the channel between two devices, if there is one. */
  breakLink(a: DeviceId, b: DeviceId): void {
    for (const end of this.#ends.values())
      if (end.device === a && end.other?.device === b && end.isOpen) this.break(end);
  }

  /** The connections between two devices, the oldest first. */
  between(a: DeviceId, b: DeviceId): readonly End[] {
    return [...this.#ends.values()].filter((end) => end.device === a && end.other?.device === b);
  }

  /** Frames that a device means to send and never does. */
  swallows: (from: DeviceId, frame: Uint8Array) => boolean = () => false;

  /** SHA-256 over every frame delivered so far: when, from whom, to whom, and its bytes. Ends the trace. */
  traceDigest(): string {
    return this.#trace.digest('hex');
  }

  /** Called with each frame as it is handed to its receiver. */
  onFrame: (frame: Uint8Array) => void = () => undefined;

  /** Called with each frame as it arrives, and the end that sent it. */
  onDelivered: (from: End, frame: Uint8Array) => void = () => undefined;

  delivered(from: End, to: End, frame: Uint8Array): void {
    this.onFrame(frame);
    this.onDelivered(from, frame);
    this.#trace.update(`${this.#world.nowMs} ${from.device} ${to.device} ${frame.length}\n`).update(frame);
  }

  /** The initiator has the answer of `name`: the two look for a path to each other. */
  pair(end: End, name: string): void {
    const other = this.#ends.get(name);
    const canMeet = other !== undefined && other.other === undefined && this.#together(end, other);
    if (!canMeet) {
      end.fail(FRUITLESS_MS, 'no way to the other device was found');
      return;
    }
    end.other = other;
    other.other = end;
    const [least, most] = OPENING_MS;
    for (const each of [end, other]) each.openAfter(least + this.#world.random.below(most - least));
  }

  forget(end: End): void {
    this.#ends.delete(end.name);
  }

  /** An end was closed, or is gone with its tab. Its other end may or may not notice. */
  ended(end: End, noticeMs: number): void {
    end.isOver = true;
    this.forget(end);
    const { other } = end;
    if (other === undefined || other.isOver) return;
    other.silence();
    if (this.#world.random.unit() < this.noticedEnds)
      other.fail(5 + this.#world.random.below(noticeMs), 'the channel closed');
  }

  break(end: End): void {
    for (const each of [end, end.other]) {
      each?.silence();
      each?.fail(this.#world.random.below(NOTICE_MS), 'the channel broke');
    }
  }

  /** Time of one frame, ms. */
  delayMs(): number {
    const [least, most] = this.faults.delayMs;
    const { random } = this.#world;
    const lostMs = random.unit() < this.faults.loss ? RETRANSMIT_MS : 0;
    return Math.round(least + random.unit() * (most - least)) + lostMs;
  }

  #together(a: End, b: End): boolean {
    const isMuted = this.#muted.has(`${a.device} ${b.device}`) || this.#muted.has(`${b.device} ${a.device}`);
    const isAlive = !a.process.dead && !b.process.dead;
    return isAlive && !isMuted && this.#group(a.device) === this.#group(b.device);
  }
}

class End implements Connection {
  readonly maxFrameBytes = FRAME_BYTES;
  readonly protocol: string;
  readonly name: string;
  readonly device: DeviceId;
  readonly process: SimProcess;
  other: End | undefined;
  isOpen = false;
  isOver = false;
  bufferedBytes = 0;
  /** How many times as long as others it takes for its bytes. */
  slowness = 1;
  readonly #world: World;
  readonly #net: SimConnections;
  readonly #events: ConnectionEvents;
  /** Everything that this end sends is lost. */
  #isSilent = false;
  #opensAtMs = Infinity;
  #closedAtMs = Infinity;
  /** When the channel is free for the next frame, and the earliest arrival of that frame. */
  #freeMs = 0;
  #arriveMs = 0;

  constructor(
    world: World,
    net: SimConnections,
    device: DeviceId,
    process: SimProcess,
    events: ConnectionEvents,
  ) {
    this.#world = world;
    this.#net = net;
    this.device = device;
    this.process = process;
    this.#events = events;
    this.protocol = net.protocol;
    this.name = Buffer.from(world.random.bytes(8)).toString('hex');
  }

  apply(signal: ConnectionSignal): void {
    if (this.isOver) return;
    if (signal.kind === 'answer') this.#net.pair(this, signal.sdp);
    if (signal.kind !== 'offer') return;
    this.signal({ kind: 'answer', sdp: this.name });
    const candidate = { candidate: this.name, sdpMid: null, sdpMLineIndex: null };
    this.signal({ kind: 'candidate', candidate });
  }

  write(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.isOver || !this.isOpen) return false;
    const { nowMs, random } = this.#world;
    if (random.unit() < this.#net.faults.breaks) this.#net.break(this);
    const copy = frame.slice();
    this.bufferedBytes += copy.length;
    this.#freeMs =
      Math.max(nowMs, this.#freeMs) + (this.slowness * copy.length) / this.#net.faults.bytesPerMs;
    const outMs = Math.ceil(this.#freeMs);
    this.#world.after(outMs - nowMs, () => this.#gone(copy.length));
    // The other end may open later than this one.
    const opensAtMs = this.other?.opensAtMs ?? 0;
    this.#arriveMs = Math.max(this.#arriveMs, opensAtMs, outMs + this.#net.delayMs());
    this.#world.after(this.#arriveMs - nowMs, () => {
      // Frames that had not gone out when the end was closed never do.
      if (this.#isSilent || outMs > this.#closedAtMs || this.#net.swallows(this.device, copy)) return;
      this.other?.hear(this, copy);
    });
    return true;
  }

  get works(): boolean {
    return [this, this.other].every((end) => end?.isOpen === true && !end.isOver && !end.#isSilent);
  }

  get opensAtMs(): number {
    return this.#opensAtMs;
  }

  destroy(): void {
    if (this.isOver) return;
    this.#closedAtMs = this.#world.nowMs;
    this.#net.ended(this, 100);
  }

  /** Tells this end's device what its other end must know. */
  signal(signal: ConnectionSignal): void {
    this.#later(this.#world.random.below(20), () => this.#events.signal(signal));
  }

  openAfter(delayMs: number): void {
    this.#opensAtMs = this.#world.nowMs + delayMs;
    this.#later(delayMs, () => {
      if (this.#isSilent) {
        this.fail(FRUITLESS_MS, 'no way to the other device was found');
        return;
      }
      this.isOpen = true;
      this.#net.openedCount += 1;
      this.#events.connected();
      if (this.#net.path !== undefined) this.#events.path?.(this.#net.path);
    });
  }

  fail(delayMs: number, reason: string): void {
    this.#later(delayMs, () => {
      this.isOver = true;
      this.#net.forget(this);
      this.#events.closed(reason);
    });
  }

  /** Nothing that it sends arrives, so neither end's keep-alive gets answers. */
  silence(): void {
    if (this.#isSilent) return;
    this.#isSilent = true;
    for (const end of [this, this.other]) end?.doubtLater();
  }

  doubtLater(): void {
    this.#later(DOUBTED_WITHIN_MS, () => this.#events.doubted());
  }

  #gone(byteCount: number): void {
    // Without the other end's receipts nothing leaves the queue.
    if (this.#isSilent) return;
    const before = this.bufferedBytes;
    this.bufferedBytes -= byteCount;
    const isDrained = before > SEND_QUEUE_LOW_BYTES && this.bufferedBytes <= SEND_QUEUE_LOW_BYTES;
    if (isDrained) this.#later(0, () => this.#events.drained());
  }

  hear(from: End, frame: Uint8Array<ArrayBuffer>): void {
    this.process.run(() => {
      if (this.isOver || !this.isOpen) return;
      this.#net.delivered(from, this, frame);
      this.#events.frame(frame);
    });
  }

  #later(delayMs: number, run: () => void): void {
    this.#world.after(delayMs, () =>
      this.process.run(() => {
        if (!this.isOver) run();
      }),
    );
  }
}
