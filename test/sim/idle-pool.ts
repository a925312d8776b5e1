// Many peer machines, all linked, over virtual time: what a pool that is left alone sends. Without runtimes,
// disks and links, so that two hundred of them fit; messages are encoded, and each takes a few ms.

import { encodeSigned } from '../../src/core/encoding/signed-record.ts';
import { Catalogue } from '../../src/core/catalogue/catalogue.ts';
import { decodeAlive, encodeAlivePayload } from '../../src/core/membership/alive-record.ts';
import { deviceIdOf, type DeviceId } from '../../src/core/model/ids.ts';
import { Peer } from '../../src/core/peer/peer.ts';
import type { PeerEffect, PeerInput } from '../../src/core/peer/peer-events.ts';
import { encodeMessage, type Message } from '../../src/core/wire/messages.ts';
import { seededBytes } from '../fixtures/erasure-oracle.ts';
import { POOL_KEYS, write } from '../fixtures/pool-fixture.ts';

const NO_SIGNATURE = new Uint8Array(64);
const NO_BYTES = new Uint8Array(0);
const SPACE = 2 ** 40;

export interface Sent {
  readonly count: number;
  readonly bytes: number;
}

interface Node {
  readonly publicKey: Uint8Array;
  readonly peer: Peer;
  /** When it is told of the time. */
  tickMs: number;
}

export class IdlePool {
  /** A page's monotonic clock. */
  nowMs = 0;
  /** What happens in each ms. */
  readonly #events = new Map<number, (() => void)[]>();
  readonly #nodes = new Map<DeviceId, Node>();
  /** By kind, while it counts. */
  #sent: Map<Message['kind'], { count: number; bytes: number }> | undefined;
  /** Whether a message arrives. */
  arrives: (from: DeviceId, to: DeviceId, message: Message) => boolean = () => true;

  constructor(count: number) {
    const devices = Array.from({ length: count }, (_, index) => {
      const publicKey = seededBytes(32, index);
      return { publicKey, deviceId: deviceIdOf(publicKey) };
    });
    const profiles = devices.map((device) =>
      write(new Catalogue(), device, 1, { kind: 'profile', name: '' }),
    );
    for (const { deviceId, publicKey } of devices) {
      const node = { publicKey, peer: new Peer(deviceId, 0), tickMs: Infinity };
      node.peer.catalogue.add(profiles);
      this.#nodes.set(deviceId, node);
      this.input(deviceId, { kind: 'space', freeBytes: SPACE });
    }
    for (const a of this.#nodes.keys())
      for (const b of this.#nodes.keys()) if (a !== b) this.input(a, { kind: 'link-up', device: b });
    // All have the same catalogue already: comparing all pairs would take most of the test's time.
    this.arrives = (_from, _to, { kind }) => kind !== 'sync';
    this.pass(100);
    this.arrives = () => true;
  }

  get devices(): DeviceId[] {
    return [...this.#nodes.keys()];
  }

  peer(device: DeviceId): Peer {
    return this.#node(device).peer;
  }

  input(device: DeviceId, input: PeerInput): void {
    const node = this.#node(device);
    for (const effect of node.peer.handle(this.nowMs, input)) this.#carryOut(device, node, effect);
    this.#planTick(device, node);
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (; this.nowMs <= endMs; this.nowMs++) {
      for (const run of this.#events.get(this.nowMs) ?? []) run();
      this.#events.delete(this.nowMs);
    }
    this.nowMs = endMs;
  }

  /** What all devices send within the next `ms`, by kind. */
  sentWithin(ms: number): ReadonlyMap<Message['kind'], Sent> {
    const sent = new Map<Message['kind'], { count: number; bytes: number }>();
    this.#sent = sent;
    this.pass(ms);
    this.#sent = undefined;
    return sent;
  }

  #after(ms: number, run: () => void): void {
    const atMs = this.nowMs + ms;
    const events = this.#events.get(atMs) ?? [];
    events.push(run);
    this.#events.set(atMs, events);
  }

  #node(device: DeviceId): Node {
    const node = this.#nodes.get(device);
    if (node === undefined) throw new Error(`no device ${device}`);
    return node;
  }

  #planTick(device: DeviceId, node: Node): void {
    const dueMs = Math.max(this.nowMs, Math.ceil(node.peer.nextDeadlineMs()));
    if (dueMs >= node.tickMs) return;
    node.tickMs = dueMs;
    this.#after(dueMs - this.nowMs, () => {
      if (node.tickMs !== dueMs) return;
      node.tickMs = Infinity;
      this.input(device, { kind: 'tick' });
    });
  }

  #carryOut(device: DeviceId, node: Node, effect: PeerEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#send(device, effect.to, effect.message);
        break;
      case 'try-store':
        this.input(device, { kind: 'store-tried', works: true });
        break;
      case 'sign-alive': {
        const { incarnation, beat, class: ownClass } = effect;
        const { publicKey } = node;
        const claim = { pool: POOL_KEYS.poolId, publicKey, incarnation, beat, class: ownClass };
        const record = decodeAlive(encodeSigned(encodeAlivePayload(claim), NO_SIGNATURE));
        this.input(device, { kind: 'alive-signed', record });
        break;
      }
      case 'check-alive':
        this.input(device, { ...effect, kind: 'alive-checked', refusedCount: 0 });
        break;
      default:
        break;
    }
  }

  #send(from: DeviceId, to: DeviceId, message: Message): void {
    if (this.#sent !== undefined) {
      const sent = this.#sent.get(message.kind) ?? { count: 0, bytes: 0 };
      sent.count += 1;
      for (const part of encodeMessage(message)) sent.bytes += part.length;
      this.#sent.set(message.kind, sent);
    }
    if (!this.arrives(from, to, message)) return;
    // The order within a link stays, since each takes the same time.
    this.#after(2, () => this.input(to, { kind: 'message', from, message, payload: NO_BYTES }));
  }
}
