// Which way letters go: through the relay while it carries them, otherwise over the mesh, where linked
// devices pass them on. A wire leads to one device, and gets what that one may want.
//
// Invariants: a letter is taken once, however many copies arrive. One that is passed on loses a hop. An
// announce goes on to at most FANOUT neighbours, a letter for one session only toward that session. Routes
// are hints and prove nothing: a wrong one costs an attempt, because every letter carries its own signature.
// They are kept by the signing device and its session, so no device can misdirect letters for another,
// whatever session it claims. Announces are passed on within a budget for each neighbour that brings them.

import type { DeviceId } from '../model/ids.ts';
import type { MonotonicMs } from '../model/time.ts';
import { MAX_SIGNAL_HOPS } from '../wire/frames.ts';
import type { ConnectionId } from '../wire/relay-protocol.ts';
import { Budget } from './attempt-budget.ts';
import type { OpenedLetter } from './envelope.ts';
import type { Way } from './link-events.ts';
import type { SessionId, WireId } from './link-ids.ts';
import { ReplayGuard } from './replay-guard.ts';

/** Neighbours that get a copy of a letter whose way is not known: all of them in a pool of the usual size. */
const FANOUT = 16;
/** Sessions whose way is remembered, by relay and by mesh; the one learned longest ago is forgotten first. */
const MAX_WAYS = 1_024;
/** Announces of one neighbour, its own and others', passed on in one burst; then one every so many ms. */
const ANNOUNCE_BURST = 64;
const ANNOUNCE_REFILL_MS = 250;

/** One device in one of its sessions. */
export interface Addressee {
  readonly device: DeviceId;
  readonly session: SessionId;
}

export type Route =
  /** `to: null` is everyone in the room. */
  | { readonly kind: 'relay'; readonly to: ConnectionId | null }
  | { readonly kind: 'wire'; readonly wire: WireId }
  /** Over a link, in a signal frame. */
  | { readonly kind: 'link'; readonly device: DeviceId; readonly hopsLeft: number };

export type Source =
  | { readonly kind: 'relay'; readonly from: ConnectionId }
  | { readonly kind: 'wire'; readonly wire: WireId }
  | { readonly kind: 'link'; readonly device: DeviceId; readonly hopsLeft: number };

/** The way of a letter that came from there. */
export function wayOf(source: Source): Way {
  if (source.kind === 'wire') return source.wire;
  return source.kind === 'relay' ? source.from : source.device;
}

export interface Routing {
  /** Whether this device should act on the letter. */
  readonly forUs: boolean;
  /** Where its envelope is passed on to, unchanged. */
  readonly onward: readonly Route[];
}

const NOWHERE: Routing = { forUs: false, onward: [] };

export class SignalRouter {
  readonly #session: SessionId;
  readonly #guard = new ReplayGuard();
  #relayUp = false;
  readonly #wires = new Set<WireId>();
  /** Where the relay has each session, as learned from letters. */
  readonly #connections = new Ways<ConnectionId>();
  /** Each linked device, in the session that has the link. */
  readonly #neighbours = new Map<DeviceId, SessionId>();
  /** Sessions whose letters came over a wire that there is. */
  readonly #wired = new Ways<WireId>();
  /** The neighbour that last brought a session's letters. */
  readonly #ways = new Ways<DeviceId>();
  readonly #announces = new Map<DeviceId, Budget>();

  constructor(session: SessionId) {
    this.#session = session;
  }

  /** The relay begins or ceases to carry envelopes. Either way its connections are new. */
  setRelay(up: boolean): void {
    this.#relayUp = up;
    this.#connections.clear();
  }

  /** A wire is there, or gone. Returns whether there is any. */
  setWire(wire: WireId, up: boolean): boolean {
    if (up) this.#wires.add(wire);
    else this.#wires.delete(wire);
    this.#wired.dropWay(wire);
    return this.#wires.size > 0;
  }

  /** A connection has left the relay. Returns the sessions that were there. */
  dropConnection(connection: ConnectionId): Addressee[] {
    return this.#connections.dropWay(connection);
  }

  /** Whether `connections` of the relay are all of linked devices, as far as their letters came that way. */
  areLinked(connections: Iterable<ConnectionId>): boolean {
    const linked = new Set(
      this.#connections.waysOf(({ device, session }) => this.#neighbours.get(device) === session),
    );
    return [...connections].every((connection) => linked.has(connection));
  }

  addNeighbour(device: DeviceId, session: SessionId): void {
    this.#neighbours.set(device, session);
  }

  dropNeighbour(device: DeviceId): void {
    this.#neighbours.delete(device);
    this.#announces.delete(device);
    this.#ways.dropWay(device);
  }

  /** The ways for a letter of our own; null is everyone. Empty when there is none now. */
  routesTo(to: Addressee | null): Route[] {
    if (to === null) {
      return [...this.#unlinkedWires(), ...this.#everywhere(MAX_SIGNAL_HOPS)];
    }
    const connection = this.#connections.get(to);
    if (connection !== undefined) return [{ kind: 'relay', to: connection }];
    const isNeighbour = this.#neighbours.get(to.device) === to.session;
    const wire = isNeighbour ? undefined : this.#wired.get(to);
    if (wire !== undefined) return [{ kind: 'wire', wire }];
    const device = isNeighbour ? to.device : this.#ways.get(to);
    if (device !== undefined) return [{ kind: 'link', device, hopsLeft: MAX_SIGNAL_HOPS }];
    // Nobody else can use it, so asking the whole room, or every neighbour, would only cost bytes.
    return [...this.#unlinkedWires(), ...this.#everywhere(1)];
  }

  /** Takes an opened letter. */
  take(nowMs: MonotonicMs, letter: OpenedLetter, source: Source): Routing {
    if (letter.fromSession === this.#session || !this.#guard.accept(letter)) return NOWHERE;
    const { toSession } = letter;
    const isForUs = toSession === this.#session;
    // Letters for others came through the relay on request: they say nothing of where their writer is.
    if (isForUs || toSession === null || source.kind === 'link') this.#learn(letter, source);
    if (isForUs) return { forUs: true, onward: [] };
    if (toSession !== null) return { forUs: false, onward: this.#onward(toSession, source) };
    if (source.kind !== 'link' || source.hopsLeft === 0) return { forUs: true, onward: [] };
    if (!this.#budgetOf(source.device).take(nowMs)) return { forUs: true, onward: [] };
    return { forUs: true, onward: this.#flood([source.device, letter.from], source.hopsLeft - 1) };
  }

  #onward(session: SessionId, source: Source): Route[] {
    // The relay itself reaches everyone in its room; its letters for others are searches, and end here.
    // A wire leads to one device, which asks over it for itself.
    if (source.kind !== 'link' || source.hopsLeft === 0) return [];
    const { hopsLeft } = source;
    // Only the session is named. Several devices may claim it; only one of them can use the letter.
    const claimants = [...this.#neighbours].filter(([, theirs]) => theirs === session);
    const devices =
      claimants.length > 0 ? claimants.map(([device]) => device) : this.#ways.ofSession(session);
    return [...new Set(devices)]
      .filter((device) => device !== source.device)
      .slice(0, FANOUT)
      .map((device): Route => ({ kind: 'link', device, hopsLeft: hopsLeft - 1 }));
  }

  /**
   * None once the device at its other end is linked: of two copies it would take the one from the wire, and
   * pass on neither.
   */
  #unlinkedWires(): Route[] {
    const linked = this.#wired.waysOf(({ device, session }) => this.#neighbours.get(device) === session);
    return [...this.#wires]
      .filter((wire) => !linked.includes(wire))
      .map((wire): Route => ({ kind: 'wire', wire }));
  }

  #everywhere(hopsLeft: number): Route[] {
    return this.#relayUp ? [{ kind: 'relay', to: null }] : this.#flood([], hopsLeft);
  }

  #flood(except: readonly DeviceId[], hopsLeft: number): Route[] {
    return [...this.#neighbours.keys()]
      .filter((device) => !except.includes(device))
      .slice(0, FANOUT)
      .map((device): Route => ({ kind: 'link', device, hopsLeft }));
  }

  #learn({ from, fromSession }: OpenedLetter, source: Source): void {
    const writer = { device: from, session: fromSession };
    if (source.kind === 'relay') this.#connections.remember(writer, source.from);
    else if (source.kind === 'wire') this.#wired.remember(writer, source.wire);
    else if (from !== source.device) this.#ways.remember(writer, source.device);
  }

  #budgetOf(device: DeviceId): Budget {
    const known = this.#announces.get(device);
    if (known !== undefined) return known;
    const budget = new Budget(ANNOUNCE_BURST, ANNOUNCE_REFILL_MS);
    // Frames of an ended link may still arrive: a budget set then would never be forgotten.
    if (this.#neighbours.has(device)) this.#announces.set(device, budget);
    return budget;
  }
}

/** The last known ways to sessions, MAX_WAYS at most. */
class Ways<Via> {
  readonly #ways = new Map<string, Addressee & { readonly way: Via }>();

  get(to: Addressee): Via | undefined {
    return this.#ways.get(keyOf(to))?.way;
  }

  ofSession(session: SessionId): Via[] {
    return [...this.#ways.values()].filter((known) => known.session === session).map(({ way }) => way);
  }

  waysOf(isMeant: (to: Addressee) => boolean): Via[] {
    return [...this.#ways.values()].filter(isMeant).map(({ way }) => way);
  }

  remember({ device, session }: Addressee, way: Via): void {
    const key = keyOf({ device, session });
    this.#ways.delete(key);
    this.#ways.set(key, { device, session, way });
    if (this.#ways.size <= MAX_WAYS) return;
    const [oldest] = this.#ways.keys();
    if (oldest !== undefined) this.#ways.delete(oldest);
  }

  /** Returns the sessions that were reached this way. */
  dropWay(way: Via): Addressee[] {
    const lost = [...this.#ways.values()].filter((known) => known.way === way);
    for (const known of lost) this.#ways.delete(keyOf(known));
    return lost.map(({ device, session }) => ({ device, session }));
  }

  clear(): void {
    this.#ways.clear();
  }
}

function keyOf({ device, session }: Addressee): string {
  return `${device}/${session}`;
}
