// Devices with real link machines and routers on virtual time, over a relay and connections that misbehave as told:
// letters are lost, doubled, delayed and overtake each other; pages reload, freeze and have their clocks set. Everything
// follows from the seed. It checks, after every step, that link-up and link-down of each pair alternate.

import type { OpenedLetter } from '../../src/core/links/envelope.ts';
import type { ConnectionSignal, LinkEffect, LinkInput } from '../../src/core/links/link-events.ts';
import {
  newSessionId,
  SESSION_RANDOM_BYTES,
  type LinkId,
  type SessionId,
} from '../../src/core/links/link-ids.ts';
import { LinkMachine } from '../../src/core/links/link-machine.ts';
import { jitterOf } from '../../src/core/links/link-timing.ts';
import { SignalRouter, type Route, type Source } from '../../src/core/links/signal-router.ts';
import { deviceIdOf, type DeviceId } from '../../src/core/model/ids.ts';
import { connectionIdOf, type ConnectionId } from '../../src/core/wire/relay-protocol.ts';

export interface Weather {
  /** Chance that a letter is lost, 0 to 1. */
  loss: number;
  /** Chance that a letter arrives twice, 0 to 1. */
  doubling: number;
  /** Letters take up to this long, each its own time. */
  maxDelayMs: number;
  /** Chance that the end of a connection shows on the other side, 0 to 1. */
  noticedEnds: number;
}

const START_MS = 1_700_000_000_000;

/** One end of a faked connection. */
interface Endpoint {
  readonly link: LinkId;
  readonly node: Node;
  /** The device at the other end, as far as this end knows. */
  readonly device: DeviceId;
  other: Endpoint | undefined;
  isOpen: boolean;
  isGone: boolean;
}

export interface Node {
  readonly device: DeviceId;
  machine: LinkMachine;
  router: SignalRouter;
  session: SessionId;
  /** Undefined while its relay connection is down. */
  connection: ConnectionId | undefined;
  /** Up links by device, as the effects told. */
  readonly links: Map<DeviceId, LinkId>;
  readonly endpoints: Map<DeviceId, Endpoint>;
  readonly ended: { readonly atMs: number; readonly device: DeviceId; readonly reason: string }[];
  /** Rises with each reload: what was meant for the page before it never arrives. */
  life: number;
  seq: number;
  createdCount: number;
  tickCount: number;
  frozenUntilMs: number;
  readonly waiting: LinkInput[];
  clockSetByMs: number;
}

export class LinkNetwork {
  readonly nodes: Node[];
  readonly weather: Weather = { loss: 0, doubling: 0, maxDelayMs: 5, noticedEnds: 1 };
  nowMs = START_MS;
  readonly #random: () => number;
  readonly #events: { atMs: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(nodeCount: number, seed: number) {
    this.#random = jitterOf(seed);
    this.nodes = Array.from({ length: nodeCount }, (_, index) => this.#newNode(index));
  }

  node(index: number): Node {
    const node = this.nodes[index % this.nodes.length];
    if (node === undefined) throw new Error('a network has nodes');
    return node;
  }

  /** Runs everything that is due within `durationMs`. */
  run(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    for (;;) {
      this.#events.sort((a, b) => b.atMs - a.atMs || b.order - a.order);
      const next = this.#events.at(-1);
      if (next === undefined || next.atMs > untilMs) break;
      this.#events.pop();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = untilMs;
  }

  setRelay(node: Node, up: boolean): void {
    if (up === (node.connection !== undefined)) return;
    const left = node.connection;
    node.connection = up ? connectionIdOf(this.#randomBytes(16)) : undefined;
    node.router.setRelay(up);
    this.input(node, { kind: 'relay', up });
    if (left === undefined) return;
    for (const other of this.nodes) {
      if (other.connection === undefined) continue;
      for (const gone of other.router.dropConnection(left))
        this.input(other, { kind: 'session-gone', ...gone });
    }
  }

  /** The page is gone, without a word, and a new one opens. */
  reload(node: Node): void {
    for (const endpoint of node.endpoints.values()) this.#end(endpoint);
    node.endpoints.clear();
    node.links.clear();
    node.life += 1;
    node.seq = 0;
    node.frozenUntilMs = 0;
    node.waiting.length = 0;
    node.session = this.#newSession(node.clockSetByMs);
    node.machine = new LinkMachine(node);
    node.router = new SignalRouter(node.session);
    if (node.connection === undefined) return;
    this.setRelay(node, false);
    this.setRelay(node, true);
  }

  freeze(node: Node, durationMs: number): void {
    node.frozenUntilMs = Math.max(node.frozenUntilMs, this.nowMs + durationMs);
  }

  setClock(node: Node, byMs: number): void {
    node.clockSetByMs += byMs;
  }

  /** Its network is gone: connections fall silent, and nobody is told. */
  unplug(node: Node): void {
    for (const endpoint of node.endpoints.values()) {
      if (endpoint.other !== undefined) endpoint.other.other = undefined;
      endpoint.other = undefined;
    }
  }

  input(node: Node, input: LinkInput): void {
    node.waiting.push(input);
    this.#takeWaiting(node);
  }

  /** A frozen page takes what came meanwhile when it thaws, in order. */
  #takeWaiting(node: Node): void {
    if (node.frozenUntilMs > this.nowMs) {
      this.#at(node, node.frozenUntilMs - this.nowMs, () => {
        this.#takeWaiting(node);
      });
      return;
    }
    for (const input of node.waiting.splice(0)) this.#handle(node, input);
  }

  #handle(node: Node, input: LinkInput): void {
    const effects = node.machine.handle(this.#wallMs(node), input);
    for (const effect of effects) this.#apply(node, effect);
    this.#planTick(node);
  }

  /** Every pair has one link, the same on both sides, with a live connection under it. */
  problems(): string[] {
    const found: string[] = [];
    for (const node of this.nodes) {
      for (const other of this.nodes) {
        if (node === other) continue;
        const link = node.links.get(other.device);
        if (link === undefined) found.push(`${this.#name(node)} has no link to ${this.#name(other)}`);
        else if (other.links.get(node.device) !== link) found.push(`${this.#name(node)} has its own link`);
        else if (node.endpoints.get(other.device)?.other?.node !== other)
          found.push(`a link without a connection`);
      }
      if (node.endpoints.size !== node.links.size) found.push(`${this.#name(node)} has attempts under way`);
    }
    return found;
  }

  #apply(node: Node, effect: LinkEffect): void {
    switch (effect.kind) {
      case 'letter':
        this.#post(node, effect);
        break;
      case 'create':
        this.#create(node, effect);
        break;
      case 'apply':
        this.#signal(node, effect);
        break;
      case 'destroy':
        this.#destroy(node, effect);
        break;
      case 'ping':
        this.#ping(node, effect);
        break;
      case 'link-up':
        if (node.links.has(effect.device)) throw new Error('link-up of a device that is up');
        node.links.set(effect.device, effect.link);
        node.router.addNeighbour(effect.device, effect.session);
        break;
      case 'link-down':
        if (node.links.get(effect.device) !== effect.link)
          throw new Error('link-down of a link that is not up');
        node.links.delete(effect.device);
        node.router.dropNeighbour(effect.device);
        node.ended.push({ atMs: this.nowMs, device: effect.device, reason: effect.reason });
        break;
      case 'refused':
        throw new Error(`an honest device was refused: ${effect.reason}`);
    }
  }

  // Letters

  #post(node: Node, { to, link, body }: Extract<LinkEffect, { kind: 'letter' }>): void {
    node.seq += 1;
    const letter: OpenedLetter = {
      from: node.device,
      fromSession: node.session,
      toSession: to?.session ?? null,
      link,
      seq: node.seq,
      body,
    };
    for (const route of node.router.routesTo(to)) this.#carry(node, route, letter);
  }

  #carry(node: Node, route: Route, letter: OpenedLetter): void {
    if (route.kind === 'link') {
      const other = node.endpoints.get(route.device)?.other;
      if (other === undefined || !other.isOpen) return;
      this.#deliver(other.node, { kind: 'link', device: node.device, hopsLeft: route.hopsLeft }, letter, 5);
      return;
    }
    const from = node.connection;
    if (from === undefined) return;
    for (const other of this.nodes) {
      const wanted = route.to === null ? other !== node : other.connection === route.to;
      if (!wanted || other.connection === undefined || this.#random() < this.weather.loss) continue;
      const copies = this.#random() < this.weather.doubling ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) {
        this.#deliver(other, { kind: 'relay', from }, letter, this.weather.maxDelayMs);
      }
    }
  }

  #deliver(node: Node, source: Source, letter: OpenedLetter, maxDelayMs: number): void {
    this.#at(node, this.#random() * maxDelayMs, () => {
      const { forUs, onward } = node.router.take(this.#wallMs(node), letter, source);
      for (const route of onward) this.#carry(node, route, letter);
      const way = source.kind === 'relay' ? source.from : source.device;
      if (forUs) this.input(node, { kind: 'letter', letter, way });
    });
  }

  // Connections

  #create(node: Node, { device, link, initiator }: Extract<LinkEffect, { kind: 'create' }>): void {
    if (node.endpoints.has(device)) throw new Error('a device has one connection at a time');
    node.createdCount += 1;
    const endpoint: Endpoint = { link, node, device, other: undefined, isOpen: false, isGone: false };
    node.endpoints.set(device, endpoint);
    if (initiator) this.#tell(endpoint, { kind: 'offer', sdp: link });
  }

  #signal(node: Node, { device, link, signal }: Extract<LinkEffect, { kind: 'apply' }>): void {
    const endpoint = node.endpoints.get(device);
    if (endpoint?.link !== link) throw new Error('a signal for no connection');
    if (signal.kind === 'offer') {
      this.#tell(endpoint, { kind: 'answer', sdp: signal.sdp });
      this.#tell(endpoint, {
        kind: 'candidate',
        candidate: { candidate: 'x', sdpMid: null, sdpMLineIndex: null },
      });
    } else if (signal.kind === 'answer') {
      const other = this.nodes.find((each) => each.device === device)?.endpoints.get(node.device);
      if (other?.link !== link || other.isGone) return;
      endpoint.other = other;
      other.other = endpoint;
      for (const end of [endpoint, other]) {
        this.#at(end.node, 20 + this.#random() * 200, () => {
          if (end.isGone || end.other === undefined) return;
          end.isOpen = true;
          this.input(end.node, { kind: 'connected', device: end.device, link });
        });
      }
    }
  }

  #tell(endpoint: Endpoint, signal: ConnectionSignal): void {
    this.#at(endpoint.node, this.#random() * 20, () => {
      const { device, link } = endpoint;
      if (!endpoint.isGone) this.input(endpoint.node, { kind: 'signal', device, link, signal });
    });
  }

  #destroy(node: Node, { device, link, goodbye }: Extract<LinkEffect, { kind: 'destroy' }>): void {
    const endpoint = node.endpoints.get(device);
    if (endpoint?.link !== link) throw new Error('a connection is destroyed once');
    node.endpoints.delete(device);
    const { other } = endpoint;
    if (goodbye && endpoint.isOpen && other !== undefined && !other.isGone) {
      this.#at(other.node, 1, () => {
        this.input(other.node, { kind: 'bye', device: other.device, link });
      });
    }
    this.#end(endpoint);
  }

  #end(endpoint: Endpoint): void {
    endpoint.isGone = true;
    const { other } = endpoint;
    if (other === undefined || other.isGone) return;
    other.other = undefined;
    if (this.#random() >= this.weather.noticedEnds) return;
    this.#at(other.node, 5 + this.#random() * 100, () => {
      if (!other.isGone)
        this.input(other.node, {
          kind: 'closed',
          device: other.device,
          link: other.link,
          reason: 'the channel closed',
        });
    });
  }

  #ping(node: Node, { device, link }: Extract<LinkEffect, { kind: 'ping' }>): void {
    const endpoint = node.endpoints.get(device);
    if (endpoint?.link !== link) throw new Error('a ping on no connection');
    const { other } = endpoint;
    if (other === undefined || !endpoint.isOpen || !other.isOpen) return;
    this.#at(other.node, 2, () => {
      if (other.isGone) return;
      // A frozen page neither hears nor answers; its pong goes out when it thaws.
      const delayMs = Math.max(other.node.frozenUntilMs - this.nowMs, 0);
      this.input(other.node, { kind: 'heard', device: other.device, link });
      this.#at(node, delayMs + 2, () => {
        if (!endpoint.isGone && endpoint.other === other) this.input(node, { kind: 'heard', device, link });
      });
    });
  }

  // Time

  /** As a driver with one timer does: a clock that is set moves neither the timer nor the tick that it brings. */
  #planTick(node: Node): void {
    node.tickCount += 1;
    const { tickCount } = node;
    const delayMs = node.machine.nextDeadlineMs() - this.#wallMs(node);
    if (!Number.isFinite(delayMs)) return;
    this.#at(node, Math.max(delayMs, 0), () => {
      if (node.tickCount === tickCount) this.input(node, { kind: 'tick' });
    });
  }

  #at(node: Node, delayMs: number, run: () => void): void {
    const { life } = node;
    this.#order += 1;
    this.#events.push({
      atMs: this.nowMs + delayMs,
      order: this.#order,
      run: () => {
        if (node.life === life) run();
      },
    });
  }

  #wallMs(node: Node): number {
    return this.nowMs + node.clockSetByMs;
  }

  #newNode(index: number): Node {
    const device = deviceIdOf(Uint8Array.of(index));
    const session = this.#newSession(0);
    return {
      device,
      session,
      machine: new LinkMachine({ device, session }),
      router: new SignalRouter(session),
      connection: undefined,
      links: new Map(),
      endpoints: new Map(),
      ended: [],
      life: 0,
      seq: 0,
      createdCount: 0,
      tickCount: 0,
      frozenUntilMs: 0,
      waiting: [],
      clockSetByMs: 0,
    };
  }

  #newSession(clockSetByMs: number): SessionId {
    return newSessionId(this.nowMs + clockSetByMs, this.#randomBytes(SESSION_RANDOM_BYTES));
  }

  #randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.#random() * 256));
  }

  #name(node: Node): string {
    return `node ${this.nodes.indexOf(node)}`;
  }
}
