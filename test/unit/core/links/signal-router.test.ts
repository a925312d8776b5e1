// The router: which way a letter goes, what is passed on, and that nothing goes in circles.

import { describe, expect, it } from 'vitest';
import type { OpenedLetter } from '../../../../src/core/links/envelope.ts';
import {
  newLinkId,
  newSessionId,
  SESSION_RANDOM_BYTES,
  type SessionId,
} from '../../../../src/core/links/link-ids.ts';
import { SignalRouter, type Addressee, type Source } from '../../../../src/core/links/signal-router.ts';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import { MAX_SIGNAL_HOPS } from '../../../../src/core/wire/frames.ts';
import { connectionIdOf } from '../../../../src/core/wire/relay-protocol.ts';

function sessionOf(byte: number): SessionId {
  return newSessionId(1_000, new Uint8Array(SESSION_RANDOM_BYTES).fill(byte));
}

const [HERE, NEAR, NEAR_TOO, FAR] = [sessionOf(0), sessionOf(1), sessionOf(2), sessionOf(3)];
const [TO_NEAR, TO_NEAR_TOO] = [deviceOf(NEAR), deviceOf(NEAR_TOO)];
const CONNECTION = connectionIdOf(new Uint8Array(16).fill(9));
const BY_RELAY: Source = { kind: 'relay', from: CONNECTION };

/** A device for each session. */
function deviceOf(session: SessionId): DeviceId {
  return deviceIdOf(new TextEncoder().encode(session));
}

function at(session: SessionId): Addressee {
  return { device: deviceOf(session), session };
}

function letter(
  fromSession: SessionId,
  toSession: SessionId | null,
  seq = 1,
  from = deviceOf(fromSession),
): OpenedLetter {
  return { from, fromSession, toSession, link: newLinkId(fromSession, 1), seq, body: { kind: 'announce' } };
}

function byLink(device: DeviceId, hopsLeft: number): Extract<Source, { kind: 'link' }> {
  return { kind: 'link', device, hopsLeft };
}

/** A router with two neighbours and no relay. */
function meshRouter(): SignalRouter {
  const router = new SignalRouter(HERE);
  router.addNeighbour(TO_NEAR, NEAR);
  router.addNeighbour(TO_NEAR_TOO, NEAR_TOO);
  return router;
}

describe('a wire', () => {
  const WIRE = 'wire-1';
  const BY_WIRE: Source = { kind: 'wire', wire: WIRE };

  it('gets what is for everyone, besides relay and mesh, and the letters for whoever wrote over it', () => {
    const router = meshRouter();
    router.setWire(WIRE, true);
    expect(router.routesTo(null).map(({ kind }) => kind)).toEqual(['wire', 'link', 'link']);
    expect(router.take(0, letter(FAR, null), BY_WIRE)).toEqual({ forUs: true, onward: [] });
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'wire', wire: WIRE }]);
    router.setRelay(true);
    expect(router.routesTo(null).map(({ kind }) => kind)).toEqual(['wire', 'relay']);
    router.setWire(WIRE, false);
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'relay', to: null }]);
  });

  it('carries nothing more once the other end is linked, which would take no copy over the link', () => {
    const router = meshRouter();
    router.setWire(WIRE, true);
    router.take(0, letter(FAR, null), BY_WIRE);
    router.addNeighbour(deviceOf(FAR), FAR);
    expect(router.routesTo(null).map(({ kind }) => kind)).toEqual(['link', 'link', 'link']);
    expect(router.routesTo(at(FAR))).toEqual([
      { kind: 'link', device: deviceOf(FAR), hopsLeft: MAX_SIGNAL_HOPS },
    ]);
  });

  it('is one of several: each leads to the device that wrote over it, and ends by itself', () => {
    const router = new SignalRouter(HERE);
    expect([router.setWire(WIRE, true), router.setWire('wire-2', true)]).toEqual([true, true]);
    router.take(0, letter(FAR, null), BY_WIRE);
    router.take(0, letter(NEAR, null), { kind: 'wire', wire: 'wire-2' });
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'wire', wire: WIRE }]);
    expect(router.routesTo(at(NEAR))).toEqual([{ kind: 'wire', wire: 'wire-2' }]);
    router.addNeighbour(deviceOf(FAR), FAR);
    expect(router.routesTo(null)).toContainEqual({ kind: 'wire', wire: 'wire-2' });
    expect(router.routesTo(null)).not.toContainEqual({ kind: 'wire', wire: WIRE });
    expect(router.setWire('wire-2', false)).toBe(true);
    expect(router.routesTo(at(NEAR))).not.toContainEqual({ kind: 'wire', wire: 'wire-2' });
    expect(router.setWire(WIRE, false)).toBe(false);
  });

  it('does not bring letters for others', () => {
    const router = meshRouter();
    router.setWire(WIRE, true);
    expect(router.take(0, letter(FAR, NEAR), BY_WIRE)).toEqual({ forUs: false, onward: [] });
  });
});

describe('a letter of our own', () => {
  it('goes by the relay if there is one: to its session if that is known, otherwise to everyone', () => {
    const router = new SignalRouter(HERE);
    expect(router.routesTo(null)).toEqual([]);
    router.setRelay(true);
    expect(router.routesTo(null)).toEqual([{ kind: 'relay', to: null }]);
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'relay', to: null }]);
    router.take(0, letter(FAR, null), BY_RELAY);
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'relay', to: CONNECTION }]);
    expect(router.dropConnection(CONNECTION)).toEqual([at(FAR)]);
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'relay', to: null }]);
  });

  it('goes over the mesh when there is no relay', () => {
    const router = meshRouter();
    expect(router.routesTo(null)).toEqual([byLink(TO_NEAR, 2), byLink(TO_NEAR_TOO, 2)]);
    expect(router.routesTo(at(NEAR))).toEqual([byLink(TO_NEAR, 2)]);
    // For an unknown way every neighbour gets it, with one hop.
    expect(router.routesTo(at(FAR))).toEqual([byLink(TO_NEAR, 1), byLink(TO_NEAR_TOO, 1)]);
    router.take(0, letter(FAR, null), byLink(TO_NEAR_TOO, 0));
    expect(router.routesTo(at(FAR))).toEqual([byLink(TO_NEAR_TOO, 2)]);
    router.dropNeighbour(TO_NEAR_TOO);
    expect(router.routesTo(at(FAR))).toEqual([byLink(TO_NEAR, 1)]);
  });

  it('forgets everyone’s place on the relay when the relay is lost', () => {
    const router = new SignalRouter(HERE);
    router.setRelay(true);
    router.take(0, letter(FAR, null), BY_RELAY);
    router.setRelay(false);
    expect(router.routesTo(at(FAR))).toEqual([]);
  });
});

describe('a letter that arrives', () => {
  it('is taken once, however many ways it came', () => {
    const router = meshRouter();
    expect(router.take(0, letter(FAR, HERE), BY_RELAY).forUs).toBe(true);
    expect(router.take(0, letter(FAR, HERE), byLink(TO_NEAR, 1))).toEqual({ forUs: false, onward: [] });
    expect(router.take(0, letter(FAR, HERE, 2), byLink(TO_NEAR, 1)).forUs).toBe(true);
  });

  it('is not ours when it was written for an earlier session of this device', () => {
    expect(new SignalRouter(sessionOf(7)).take(0, letter(FAR, HERE), BY_RELAY).forUs).toBe(false);
  });

  it('is dropped when it is our own and comes back', () => {
    expect(meshRouter().take(0, letter(HERE, null), byLink(TO_NEAR, 1))).toEqual({
      forUs: false,
      onward: [],
    });
  });

  it('as an announce goes on to the other neighbours with one hop fewer, until none is left', () => {
    expect(meshRouter().take(0, letter(FAR, null), byLink(TO_NEAR, 2))).toEqual({
      forUs: true,
      onward: [byLink(TO_NEAR_TOO, 1)],
    });
    expect(meshRouter().take(0, letter(FAR, null), byLink(TO_NEAR, 0)).onward).toEqual([]);
    expect(meshRouter().take(0, letter(FAR, null), BY_RELAY).onward).toEqual([]);
    // Not back to its writer, which is also a neighbour.
    expect(meshRouter().take(0, letter(NEAR_TOO, null), byLink(TO_NEAR, 2)).onward).toEqual([]);
  });

  it('for another session goes on toward that session only', () => {
    const router = meshRouter();
    expect(router.take(0, letter(FAR, NEAR_TOO), byLink(TO_NEAR, 1))).toEqual({
      forUs: false,
      onward: [byLink(TO_NEAR_TOO, 0)],
    });
    expect(router.take(0, letter(FAR, NEAR_TOO, 2), byLink(TO_NEAR, 0)).onward).toEqual([]);
    expect(router.take(0, letter(FAR, NEAR_TOO, 3), BY_RELAY).onward).toEqual([]);
    expect(router.take(0, letter(FAR, sessionOf(8), 4), byLink(TO_NEAR, 2)).onward).toEqual([]);
    // Never back to where it came from.
    expect(router.take(0, letter(FAR, NEAR, 5), byLink(TO_NEAR, 2)).onward).toEqual([]);
  });
});

describe('a member that lies', () => {
  const liar = deviceOf(sessionOf(66));

  it('does not attract letters for another device by claiming its session', () => {
    const router = new SignalRouter(HERE);
    router.setRelay(true);
    const theirs = connectionIdOf(new Uint8Array(16).fill(8));
    router.take(0, letter(FAR, null), BY_RELAY);
    router.take(0, letter(FAR, HERE, 5, liar), { kind: 'relay', from: theirs });
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'relay', to: CONNECTION }]);
    // And its leaving does not mean that the other left.
    expect(router.dropConnection(theirs)).toEqual([{ device: liar, session: FAR }]);
  });

  it('does not attract letters passed on to a neighbour by claiming its session', () => {
    const router = meshRouter();
    router.addNeighbour(liar, NEAR);
    expect(router.routesTo(at(NEAR))).toEqual([byLink(TO_NEAR, 2)]);
    expect(router.take(0, letter(FAR, NEAR), byLink(TO_NEAR_TOO, 1)).onward).toContainEqual(
      byLink(TO_NEAR, 0),
    );
  });

  it('does not change where another is by passing on through the relay what was not meant for us', () => {
    const router = new SignalRouter(HERE);
    router.setRelay(true);
    router.take(0, letter(FAR, NEAR), BY_RELAY);
    expect(router.routesTo(at(FAR))).toEqual([{ kind: 'relay', to: null }]);
  });

  it('has only so many announces passed on, under any names, and does not use up the others’', () => {
    const router = meshRouter();
    const floods = Array.from({ length: 1_000 }, (_, seq) =>
      router.take(0, letter(FAR, null, seq + 1, seq % 2 === 0 ? liar : deviceOf(FAR)), byLink(TO_NEAR, 2)),
    );
    expect(floods.filter(({ onward }) => onward.length > 0).length).toBe(64);
    expect(floods.every(({ forUs }) => forUs)).toBe(true);
    expect(router.take(0, letter(sessionOf(7), null), byLink(TO_NEAR_TOO, 2)).onward).toEqual([
      byLink(TO_NEAR, 1),
    ]);
    expect(router.take(1_000, letter(sessionOf(8), null), byLink(TO_NEAR, 2)).onward.length).toBe(1);
  });
});
