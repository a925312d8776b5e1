// Which way letters go: through the relay while it carries them, else over the mesh, where linked devices pass them on.
//
// Invariants: a letter is taken once, however many copies arrive; one passed on loses a hop; an announce goes on to at
// most FANOUT neighbours, a letter for one session only toward that session. Routes are hints and prove nothing: a wrong
// one costs an attempt, because every letter carries its own signature.

import { MAX_SIGNAL_HOPS } from '../wire/frames.ts';
import type { ConnectionId } from '../wire/relay-protocol.ts';
import type { OpenedLetter } from './envelope.ts';
import type { LinkId, SessionId } from './link-ids.ts';
import { ReplayGuard } from './replay-guard.ts';

/** Neighbours that get a copy of a letter whose way is not known: all of them in a pool of the usual size. */
const FANOUT = 16;
/** Sessions whose way is remembered, by relay and by mesh; the one learned longest ago is forgotten first. */
const MAX_WAYS = 1_024;

export type Route =
  /** `to: null` is everyone in the room. */
  | { readonly kind: 'relay'; readonly to: ConnectionId | null }
  /** Over a link, in a signal frame. */
  | { readonly kind: 'link'; readonly link: LinkId; readonly hopsLeft: number };

export type Source =
  | { readonly kind: 'relay'; readonly from: ConnectionId }
  | { readonly kind: 'link'; readonly link: LinkId; readonly hopsLeft: number };

export interface Routing {
  /** Whether this device should act on the letter. */
  readonly forUs: boolean;
  /** Where its envelope goes on to, unchanged. */
  readonly onward: readonly Route[];
}

const NOWHERE: Routing = { forUs: false, onward: [] };

export class SignalRouter {
  readonly #session: SessionId;
  readonly #guard = new ReplayGuard();
  #relayUp = false;
  /** Where the relay has each session, as far as letters have shown. */
  readonly #connections = new Map<SessionId, ConnectionId>();
  readonly #neighbours = new Map<SessionId, LinkId>();
  /** Through which neighbour a session's letters came last. */
  readonly #ways = new Map<SessionId, LinkId>();

  constructor(session: SessionId) {
    this.#session = session;
  }

  /** The relay carries envelopes, or no longer does. Either way its connections are new. */
  setRelay(up: boolean): void {
    this.#relayUp = up;
    this.#connections.clear();
  }

  /** A connection has left the relay. Answers the sessions that were there. */
  dropConnection(connection: ConnectionId): SessionId[] {
    const sessions = [...this.#connections].flatMap(([session, where]) =>
      where === connection ? [session] : [],
    );
    for (const session of sessions) this.#connections.delete(session);
    return sessions;
  }

  addNeighbour(session: SessionId, link: LinkId): void {
    this.#neighbours.set(session, link);
  }

  dropNeighbour(link: LinkId): void {
    for (const [session, other] of this.#neighbours) if (other === link) this.#neighbours.delete(session);
    for (const [session, other] of this.#ways) if (other === link) this.#ways.delete(session);
  }

  /** The ways for a letter of our own; null is everyone. Empty when there is none now. */
  routesTo(session: SessionId | null): Route[] {
    if (session === null) {
      return this.#relayUp ? [{ kind: 'relay', to: null }] : this.#flood([], MAX_SIGNAL_HOPS);
    }
    const connection = this.#connections.get(session);
    if (connection !== undefined) return [{ kind: 'relay', to: connection }];
    const link = this.#neighbours.get(session) ?? this.#ways.get(session);
    if (link !== undefined) return [{ kind: 'link', link, hopsLeft: MAX_SIGNAL_HOPS }];
    // Nobody else can do anything with it, so asking the whole room, or every neighbour, only costs bytes.
    return this.#relayUp ? [{ kind: 'relay', to: null }] : this.#flood([], 1);
  }

  /** Takes an opened letter. */
  take(letter: OpenedLetter, source: Source): Routing {
    if (letter.fromSession === this.#session || !this.#guard.accept(letter)) return NOWHERE;
    this.#learn(letter.fromSession, source);
    if (letter.toSession === this.#session) return { forUs: true, onward: [] };
    if (letter.toSession !== null) return { forUs: false, onward: this.#onward(letter.toSession, source) };
    if (source.kind === 'relay' || source.hopsLeft === 0) return { forUs: true, onward: [] };
    const known = [source.link, this.#neighbours.get(letter.fromSession)];
    return { forUs: true, onward: this.#flood(known, source.hopsLeft - 1) };
  }

  #onward(session: SessionId, source: Source): Route[] {
    // The relay reaches everyone in its room itself; what it brings for others was a search, and ends here.
    if (source.kind === 'relay' || source.hopsLeft === 0) return [];
    const link = this.#neighbours.get(session) ?? this.#ways.get(session);
    if (link === undefined || link === source.link) return [];
    return [{ kind: 'link', link, hopsLeft: source.hopsLeft - 1 }];
  }

  #flood(except: readonly (LinkId | undefined)[], hopsLeft: number): Route[] {
    return [...this.#neighbours.values()]
      .filter((link) => !except.includes(link))
      .slice(0, FANOUT)
      .map((link): Route => ({ kind: 'link', link, hopsLeft }));
  }

  #learn(session: SessionId, source: Source): void {
    if (source.kind === 'relay') {
      remember(this.#connections, session, source.from);
    } else if (this.#neighbours.get(session) !== source.link) {
      remember(this.#ways, session, source.link);
    }
  }
}

function remember<Way>(ways: Map<SessionId, Way>, session: SessionId, way: Way): void {
  ways.delete(session);
  ways.set(session, way);
  if (ways.size <= MAX_WAYS) return;
  const [oldest] = ways.keys();
  if (oldest !== undefined) ways.delete(oldest);
}
