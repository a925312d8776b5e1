// The router: which way a letter goes, what is passed on, and that nothing goes in circles.

import { describe, expect, it } from 'vitest';
import type { OpenedLetter } from '../../src/core/links/envelope.ts';
import {
  newLinkId,
  newSessionId,
  SESSION_RANDOM_BYTES,
  type LinkId,
  type SessionId,
} from '../../src/core/links/link-ids.ts';
import { SignalRouter, type Source } from '../../src/core/links/signal-router.ts';
import { deviceIdOf } from '../../src/core/model/ids.ts';
import { connectionIdOf } from '../../src/core/wire/relay-protocol.ts';

function sessionOf(byte: number): SessionId {
  return newSessionId(1_000, new Uint8Array(SESSION_RANDOM_BYTES).fill(byte));
}

const [HERE, NEAR, NEAR_TOO, FAR] = [sessionOf(0), sessionOf(1), sessionOf(2), sessionOf(3)];
const [TO_NEAR, TO_NEAR_TOO] = [newLinkId(HERE, 1), newLinkId(HERE, 2)];
const CONNECTION = connectionIdOf(new Uint8Array(16).fill(9));
const BY_RELAY: Source = { kind: 'relay', from: CONNECTION };

function letter(fromSession: SessionId, toSession: SessionId | null, seq = 1): OpenedLetter {
  const from = deviceIdOf(new TextEncoder().encode(fromSession));
  return { from, fromSession, toSession, link: newLinkId(fromSession, 1), seq, body: { kind: 'announce' } };
}

function byLink(link: LinkId, hopsLeft: number): Source {
  return { kind: 'link', link, hopsLeft };
}

/** A router with two neighbours and no relay. */
function meshRouter(): SignalRouter {
  const router = new SignalRouter(HERE);
  router.addNeighbour(NEAR, TO_NEAR);
  router.addNeighbour(NEAR_TOO, TO_NEAR_TOO);
  return router;
}

describe('a letter of our own', () => {
  it('goes by the relay when it is there: to its session when that is known, else to everyone', () => {
    const router = new SignalRouter(HERE);
    expect(router.routesTo(null)).toEqual([]);
    router.setRelay(true);
    expect(router.routesTo(null)).toEqual([{ kind: 'relay', to: null }]);
    expect(router.routesTo(FAR)).toEqual([{ kind: 'relay', to: null }]);
    router.take(letter(FAR, null), BY_RELAY);
    expect(router.routesTo(FAR)).toEqual([{ kind: 'relay', to: CONNECTION }]);
    expect(router.dropConnection(CONNECTION)).toEqual([FAR]);
    expect(router.routesTo(FAR)).toEqual([{ kind: 'relay', to: null }]);
  });

  it('goes over the mesh when there is no relay', () => {
    const router = meshRouter();
    expect(router.routesTo(null)).toEqual([byLink(TO_NEAR, 2), byLink(TO_NEAR_TOO, 2)]);
    expect(router.routesTo(NEAR)).toEqual([byLink(TO_NEAR, 2)]);
    // An unknown way is asked of every neighbour, one hop far.
    expect(router.routesTo(FAR)).toEqual([byLink(TO_NEAR, 1), byLink(TO_NEAR_TOO, 1)]);
    router.take(letter(FAR, null), byLink(TO_NEAR_TOO, 0));
    expect(router.routesTo(FAR)).toEqual([byLink(TO_NEAR_TOO, 2)]);
    router.dropNeighbour(TO_NEAR_TOO);
    expect(router.routesTo(FAR)).toEqual([byLink(TO_NEAR, 1)]);
  });

  it('forgets where the relay had everyone when the relay is lost', () => {
    const router = new SignalRouter(HERE);
    router.setRelay(true);
    router.take(letter(FAR, null), BY_RELAY);
    router.setRelay(false);
    expect(router.routesTo(FAR)).toEqual([]);
  });
});

describe('a letter that arrives', () => {
  it('is taken once, however many ways it came', () => {
    const router = meshRouter();
    expect(router.take(letter(FAR, HERE), BY_RELAY).forUs).toBe(true);
    expect(router.take(letter(FAR, HERE), byLink(TO_NEAR, 1))).toEqual({ forUs: false, onward: [] });
    expect(router.take(letter(FAR, HERE, 2), byLink(TO_NEAR, 1)).forUs).toBe(true);
  });

  it('is not ours when it was written for an earlier session of this device', () => {
    expect(new SignalRouter(sessionOf(7)).take(letter(FAR, HERE), BY_RELAY).forUs).toBe(false);
  });

  it('is dropped when it is our own, come back', () => {
    expect(meshRouter().take(letter(HERE, null), byLink(TO_NEAR, 1))).toEqual({ forUs: false, onward: [] });
  });

  it('as an announce goes on to the other neighbours, a hop poorer, until it has none', () => {
    expect(meshRouter().take(letter(FAR, null), byLink(TO_NEAR, 2))).toEqual({
      forUs: true,
      onward: [byLink(TO_NEAR_TOO, 1)],
    });
    expect(meshRouter().take(letter(FAR, null), byLink(TO_NEAR, 0)).onward).toEqual([]);
    expect(meshRouter().take(letter(FAR, null), BY_RELAY).onward).toEqual([]);
    // Not back to its writer, who is a neighbour too.
    expect(meshRouter().take(letter(NEAR_TOO, null), byLink(TO_NEAR, 2)).onward).toEqual([]);
  });

  it('for another session goes on toward that session only', () => {
    const router = meshRouter();
    expect(router.take(letter(FAR, NEAR_TOO), byLink(TO_NEAR, 1))).toEqual({
      forUs: false,
      onward: [byLink(TO_NEAR_TOO, 0)],
    });
    expect(router.take(letter(FAR, NEAR_TOO, 2), byLink(TO_NEAR, 0)).onward).toEqual([]);
    expect(router.take(letter(FAR, NEAR_TOO, 3), BY_RELAY).onward).toEqual([]);
    expect(router.take(letter(FAR, sessionOf(8), 4), byLink(TO_NEAR, 2)).onward).toEqual([]);
    // Never back where it came from.
    expect(router.take(letter(FAR, NEAR, 5), byLink(TO_NEAR, 2)).onward).toEqual([]);
  });
});
