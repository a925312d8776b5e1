// The link machine: scripted cases, then random histories of two and three devices. Each history must end
// with one link for each pair and nothing stuck.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignalBody } from '../../../../src/core/links/envelope.ts';
import type { LinkEffect } from '../../../../src/core/links/link-events.ts';
import { newLinkId, newSessionId, type LinkId, type SessionId } from '../../../../src/core/links/link-ids.ts';
import { LinkMachine } from '../../../../src/core/links/link-machine.ts';
import {
  BACKOFF_MAX_MS,
  CHECK_MS,
  DEAD_AFTER_MS,
  MAX_ANNOUNCE_EVERY_MS,
  OVERSLEPT_MS,
  PING_AFTER_MS,
  TWIN_AFTER_MS,
  WAKE_CHECK_MS,
} from '../../../../src/core/links/link-timing.ts';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import { MAX_LINK_COUNT } from '../../../../src/core/model/limits.ts';
import { DOUBTED_WITHIN_MS } from '../../../fixtures/platform-doubt.ts';
import { LinkNetwork } from '../../../fixtures/link-network.ts';

const CALM_MS = 120_000;

/** A network whose devices have all met. */
function metNetwork(nodeCount: number, seed = 1): LinkNetwork {
  const network = new LinkNetwork(nodeCount, seed);
  for (const node of network.nodes) network.setRelay(node, true);
  network.run(2_000);
  expect(network.problems()).toEqual([]);
  return network;
}

describe('devices on one relay', () => {
  it('have one link for each pair within a second or two', () => {
    metNetwork(5);
  });

  it('keep it without further attempts', () => {
    const network = metNetwork(3);
    network.run(10 * 60_000);
    expect(network.problems()).toEqual([]);
    expect(network.nodes.map((node) => node.createdCount)).toEqual([2, 2, 2]);
  });

  it('keep it when the relay goes away, and when it comes back', () => {
    const network = metNetwork(3);
    for (const node of network.nodes) network.setRelay(node, false);
    network.run(60_000);
    for (const node of network.nodes) network.setRelay(node, true);
    network.run(60_000);
    expect(network.problems()).toEqual([]);
    expect(network.nodes.flatMap((node) => node.ended)).toEqual([]);
  });

  it.each([1, 0])('are linked again at once after a reload (its end noticed: %d)', (noticedEnds) => {
    for (const index of [0, 1]) {
      const network = metNetwork(2);
      network.weather.noticedEnds = noticedEnds;
      network.reload(network.node(index));
      network.run(3_000);
      expect(network.problems()).toEqual([]);
    }
  });

  it('are linked again after a reload with the clock set back', () => {
    const network = metNetwork(2);
    network.weather.noticedEnds = 0;
    network.setClock(network.node(0), -3_600_000);
    network.reload(network.node(0));
    network.run(30_000);
    expect(network.problems()).toEqual([]);
  });

  it('notice a silent death within the allowed silence, and sooner when the relay tells them', () => {
    const network = metNetwork(2);
    const atMs = network.nowMs;
    network.setRelay(network.node(0), false);
    network.unplug(network.node(0));
    network.run(DOUBTED_WITHIN_MS + CHECK_MS + 1_000);
    const allowedMs = [DOUBTED_WITHIN_MS + CHECK_MS, CHECK_MS];
    for (const [index, { ended }] of network.nodes.entries()) {
      expect(ended.map(({ reason }) => reason)).toEqual(['nothing was heard from the device']);
      // A pong that was under way when the network failed counts as heard some ms later.
      expect((ended[0]?.atMs ?? Infinity) - atMs).toBeLessThanOrEqual((allowedMs[index] ?? 0) + 10);
    }
  });

  it('do not drop the others because they slept themselves', () => {
    const network = metNetwork(2);
    const [sleeper, other] = [network.node(0), network.node(1)];
    // Asleep for less than the other allows: neither side may end the link.
    network.freeze(sleeper, DEAD_AFTER_MS - PING_AFTER_MS - 500);
    network.run(60_000);
    expect([...sleeper.ended, ...other.ended]).toEqual([]);
    // Asleep for long: the other ends it, and they link again.
    network.freeze(sleeper, 600_000);
    network.run(700_000);
    expect(network.problems()).toEqual([]);
  });

  it('are not disturbed when a clock is set', () => {
    for (const byMs of [3_600_000, -3_600_000]) {
      const network = metNetwork(2);
      network.setClock(network.node(0), byMs);
      network.run(60_000);
      expect(network.problems()).toEqual([]);
      expect(network.nodes.flatMap((node) => node.ended)).toEqual([]);
      // And it still notices a death.
      network.unplug(network.node(1));
      network.run(DOUBTED_WITHIN_MS + CHECK_MS + 500);
      expect(network.node(0).ended.length).toBe(1);
    }
  });

  it('close a link on purpose from either side, and link again after a wait', () => {
    for (const index of [0, 1]) {
      const network = metNetwork(2);
      const [closer, other] = [network.node(index), network.node(1 - index)];
      network.input(closer, { kind: 'close-device', device: other.device, reason: 'it misbehaved' });
      network.run(1_000);
      expect(closer.ended.map(({ reason }) => reason)).toEqual(['it misbehaved']);
      expect(other.ended.map(({ reason }) => reason)).toEqual(['the device said goodbye']);
      expect(closer.links.size).toBe(0);
      network.run(BACKOFF_MAX_MS);
      expect(network.problems()).toEqual([]);
    }
  });

  it('see immediately that one leaves, do not call it, and link again when it wakes', () => {
    const network = metNetwork(3);
    const leaver = network.node(1);
    network.input(leaver, { kind: 'leave' });
    network.run(100);
    expect(network.node(0).ended.map(({ reason }) => reason)).toEqual(['the device said goodbye']);
    expect(network.nodes.map(({ ended }) => ended.map(({ isLeft }) => isLeft))).toEqual([
      [true],
      [false, false],
      [true],
    ]);
    const before = network.nodes.map((node) => node.createdCount);
    network.run(30_000);
    expect(network.nodes.map((node) => node.createdCount)).toEqual(before);
    network.input(leaver, { kind: 'wake' });
    network.run(3_000);
    expect(network.problems()).toEqual([]);
  });
});

describe('without a relay', () => {
  it('two devices meet through a neighbour, and through two', () => {
    const network = new LinkNetwork(4, 3);
    // A chain: each meets only the next one while both are on the relay.
    for (const index of [0, 1, 2]) {
      network.setRelay(network.node(index), true);
      network.setRelay(network.node(index + 1), true);
      network.run(2_000);
      network.setRelay(network.node(index), false);
      network.setRelay(network.node(index + 1), false);
      if (index === 0) expect(network.node(0).links.size).toBe(1);
    }
    network.run(CALM_MS);
    expect(network.problems()).toEqual([]);
  });

  it('a lost link comes back through a neighbour', () => {
    const network = metNetwork(3);
    for (const node of network.nodes) network.setRelay(node, false);
    const link = network.node(0).links.get(network.node(1).device);
    if (link === undefined) throw new Error('expected a link');
    const { device } = network.node(1);
    network.input(network.node(0), { kind: 'closed', device, link, reason: 'ice failed' });
    network.run(20_000);
    expect(network.problems()).toEqual([]);
  });
});

describe('after any history', () => {
  const happening = fc.record({
    kind: fc.constantFrom(
      'relay-up',
      'relay-down',
      'reload',
      'freeze',
      'clock',
      'unplug',
      'close',
      'wake',
      'leave',
    ),
    node: fc.nat(2),
    other: fc.nat(2),
    amountMs: fc.integer({ min: -100_000, max: 100_000 }),
    pauseMs: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 30_000 })),
  });
  const weather = fc.record({
    loss: fc.double({ min: 0, max: 0.6, noNaN: true }),
    doubling: fc.double({ min: 0, max: 0.5, noNaN: true }),
    maxDelayMs: fc.integer({ min: 0, max: 3_000 }),
    noticedEnds: fc.double({ min: 0, max: 1, noNaN: true }),
  });

  function happen(network: LinkNetwork, { kind, node: index, other, amountMs, pauseMs }: Happening): void {
    const node = network.node(index);
    if (kind === 'relay-up') network.setRelay(node, true);
    else if (kind === 'relay-down') network.setRelay(node, false);
    else if (kind === 'reload') network.reload(node);
    else if (kind === 'freeze') network.freeze(node, Math.abs(amountMs));
    else if (kind === 'clock') network.setClock(node, amountMs);
    else if (kind === 'unplug') network.unplug(node);
    else if (kind === 'wake' || kind === 'leave') network.input(node, { kind });
    else network.input(node, { kind: 'close-device', device: network.node(other).device, reason: 'test' });
    network.run(pauseMs);
  }
  type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never;

  it.each([2, 3])('%d devices end with one link for each pair, and nothing under way', (nodeCount) => {
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 25 }), weather, fc.nat(), (history, storm, seed) => {
        const network = new LinkNetwork(nodeCount, seed);
        Object.assign(network.weather, storm);
        for (const event of history) happen(network, event);
        Object.assign(network.weather, { loss: 0, doubling: 0, maxDelayMs: 20 });
        for (const node of network.nodes) {
          network.setRelay(node, true);
          network.input(node, { kind: 'wake' });
        }
        network.run(CALM_MS + 100_000);
        expect(network.problems()).toEqual([]);
        const before = network.nodes.map((node) => node.createdCount);
        network.run(CALM_MS);
        expect(network.nodes.map((node) => node.createdCount)).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  it('a relay that keeps losing, doubling and reordering letters only slows it down', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const network = new LinkNetwork(3, seed);
        Object.assign(network.weather, { loss: 0.3, doubling: 0.3, maxDelayMs: 1_500, noticedEnds: 0.5 });
        for (const node of network.nodes) network.setRelay(node, true);
        network.run(30 * 60_000);
        expect(network.problems()).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('the same seed gives the same history', () => {
    const endings = [1, 2].map(() => {
      const network = new LinkNetwork(3, 99);
      Object.assign(network.weather, { loss: 0.4, doubling: 0.3, maxDelayMs: 2_000, noticedEnds: 0.5 });
      for (const node of network.nodes) network.setRelay(node, true);
      network.run(60_000);
      return network.nodes.map((node) => [node.createdCount, [...node.links], node.ended]);
    });
    expect(endings[0]).toEqual(endings[1]);
  });
});

describe('one machine', () => {
  const [small, large] = [deviceIdOf(Uint8Array.of(1)), deviceIdOf(Uint8Array.of(2))].toSorted() as [
    DeviceId,
    DeviceId,
  ]; // two ids
  const session = newSessionId(1_000, new Uint8Array(10).fill(1));
  const theirs = newSessionId(1_000, new Uint8Array(10).fill(2));
  const later = newSessionId(2_000, new Uint8Array(10).fill(3));

  function sessionOf(index: number): SessionId {
    return newSessionId(
      1_000,
      new Uint8Array(10)
        .fill(9)
        .with(0, index >> 8)
        .with(1, index & 255),
    );
  }

  function machineOf(device: DeviceId): LinkMachine {
    const machine = new LinkMachine({ device, session });
    machine.handle(0, { kind: 'relay', up: true });
    return machine;
  }

  function receive(
    machine: LinkMachine,
    atMs: number,
    from: DeviceId,
    body: SignalBody,
    seq = 1,
    fromSession = theirs,
    to: SessionId | null = session,
    link = newLinkId(fromSession, seq),
  ): LinkEffect[] {
    return machine.handle(atMs, {
      kind: 'letter',
      letter: { from, fromSession, toSession: to, link, seq, body },
      way: from,
    });
  }

  function kinds(effects: readonly LinkEffect[]): string[] {
    return effects.map((effect) => (effect.kind === 'letter' ? effect.body.kind : effect.kind));
  }

  it('of another page with this device’s identity tell of a copied profile, once for each of its sessions', () => {
    const machine = machineOf(large);
    const meet = (atMs: number, seq: number, fromSession = theirs) =>
      kinds(receive(machine, atMs, large, { kind: 'announce' }, seq, fromSession, null));
    expect(meet(TWIN_AFTER_MS, 1)).toEqual(['twin']);
    expect(meet(TWIN_AFTER_MS + 1, 2)).toEqual([]);
    expect(meet(TWIN_AFTER_MS + 2, 1, later)).toEqual(['twin']);
    // The other page hears of this one when it is old enough to know that this is no remnant.
    const announced = kinds(machine.handle(3 * TWIN_AFTER_MS + 2, { kind: 'tick' }));
    expect(announced).toContain('announce');
    expect(machine.linkedDevices()).toEqual([]);
  });

  it('of this device’s previous page prove nothing while they may still be under way', () => {
    const machine = machineOf(large);
    for (const atMs of [0, 1, TWIN_AFTER_MS - 1]) {
      expect(kinds(receive(machine, atMs, large, { kind: 'announce' }, 1, theirs, null))).toEqual([]);
    }
  });

  /** A machine with a link up to `large`, made at 0 ms. */
  function linkedMachine(): LinkMachine {
    const machine = machineOf(large);
    receive(machine, 0, small, { kind: 'offer', sdp: 'x' });
    expect(
      kinds(machine.handle(0, { kind: 'connected', device: small, link: newLinkId(theirs, 1) })),
    ).toEqual(['link-up']);
    return machine;
  }

  it('initiates when its id is the smaller, and otherwise prods', () => {
    const announce: SignalBody = { kind: 'announce' };
    expect(receive(machineOf(small), 0, large, announce, 1, theirs, null)).toMatchObject([
      { kind: 'create', device: large, initiator: true },
    ]);
    expect(receive(machineOf(large), 0, small, announce, 1, theirs, null)).toMatchObject([
      { kind: 'letter', to: { device: small, session: theirs }, body: announce },
    ]);
  });

  it('ignores its own device, and refuses an offer from the side that it should offer to', () => {
    expect(receive(machineOf(small), 0, small, { kind: 'announce' }, 1, theirs, null)).toEqual([]);
    expect(kinds(receive(machineOf(small), 0, large, { kind: 'offer', sdp: 'x' }))).toContain('refused');
  });

  it('takes the later of two offers, in either order', () => {
    const machine = machineOf(large);
    expect(kinds(receive(machine, 0, small, { kind: 'offer', sdp: 'b' }, 5))).toEqual(['create', 'apply']);
    expect(receive(machine, 1, small, { kind: 'offer', sdp: 'a' }, 4)).toEqual([]);
    expect(kinds(receive(machine, 2, small, { kind: 'offer', sdp: 'c' }, 6))).toEqual([
      'destroy',
      'create',
      'apply',
    ]);
  });

  it('lets a later session displace an earlier one, never the reverse', () => {
    const machine = linkedMachine();
    const effects = receive(machine, 10, small, { kind: 'offer', sdp: 'x' }, 1, later);
    expect(kinds(effects)).toEqual(['destroy', 'link-down', 'create', 'apply']);
    expect(receive(machine, 20, small, { kind: 'offer', sdp: 'x' }, 9, theirs)).toEqual([]);
    expect(receive(machine, 20, small, { kind: 'announce' }, 10, theirs, null)).toEqual([]);
  });

  it('pings no link on which nothing is expected, and one in doubt at once', () => {
    const machine = linkedMachine();
    const link = { device: small, link: newLinkId(theirs, 1) };
    machine.handle(200, { kind: 'heard', ...link });
    const quietUntilMs = machine.nextDeadlineMs();
    // Only the next announce is due.
    expect(quietUntilMs).toBeGreaterThan(30_000);
    expect(kinds(machine.handle(20_000, { kind: 'doubted', ...link }))).toEqual(['ping']);
    // Doubted again, it gets no more time.
    expect(kinds(machine.handle(21_000, { kind: 'doubted', ...link }))).toEqual([]);
    expect(kinds(machine.handle(20_000 + CHECK_MS, { kind: 'tick' }))).toContain('link-down');
  });

  it('pings a link after something was sent, until the other end is heard', () => {
    const machine = linkedMachine();
    const link = { device: small, link: newLinkId(theirs, 1) };
    machine.handle(200, { kind: 'heard', ...link });
    machine.handle(1_000, { kind: 'sent', ...link });
    expect(kinds(machine.handle(1_000 + PING_AFTER_MS, { kind: 'tick' }))).toEqual(['ping']);
    machine.handle(4_000, { kind: 'heard', ...link, isWaiting: true });
    expect(kinds(machine.handle(4_000 + PING_AFTER_MS, { kind: 'tick' }))).toEqual(['ping']);
    machine.handle(7_000, { kind: 'heard', ...link });
    expect(machine.nextDeadlineMs()).toBeGreaterThan(7_000 + DEAD_AFTER_MS);
    machine.handle(20_000, { kind: 'sent', ...link });
    const ticks = [PING_AFTER_MS, 2 * PING_AFTER_MS, 3 * PING_AFTER_MS, DEAD_AFTER_MS];
    const effects = ticks.flatMap((ms) => kinds(machine.handle(20_000 + ms, { kind: 'tick' })));
    expect(effects).toEqual(['ping', 'ping', 'ping', 'bye', 'destroy', 'link-down']);
  });

  it('announces ever less often while nothing changes', () => {
    const machine = linkedMachine();
    machine.handle(200, { kind: 'heard', device: small, link: newLinkId(theirs, 1) });
    const atMs: number[] = [];
    while (machine.nextDeadlineMs() < 3_600_000) {
      const effects = machine.handle(machine.nextDeadlineMs(), { kind: 'tick' });
      for (const effect of effects) if (effect.kind === 'letter') atMs.push(machine.nextDeadlineMs());
    }
    expect(atMs.length).toBeGreaterThan(3_600_000 / MAX_ANNOUNCE_EVERY_MS);
    expect(atMs.length).toBeLessThan(2 * (3_600_000 / MAX_ANNOUNCE_EVERY_MS) + 8);
  });

  it('pings a silent link, and ends one that stays silent', () => {
    const machine = linkedMachine();
    const timeline: [number, string[]][] = [];
    while (machine.nextDeadlineMs() <= DEAD_AFTER_MS) {
      const atMs = machine.nextDeadlineMs();
      timeline.push([atMs, kinds(machine.handle(atMs, { kind: 'tick' }))]);
    }
    expect(timeline).toEqual([
      [2_500, ['ping']],
      [5_000, ['ping']],
      [7_500, ['ping']],
      [10_000, ['bye', 'destroy', 'link-down']],
    ]);
  });

  it.each([-3_600_000, 1_000])('measures silence as before when the clock is set by %i ms', (byMs) => {
    const machine = linkedMachine();
    expect(machine.handle(1_000, { kind: 'clock-jumped', byMs })).toEqual([]);
    let [atMs, effects]: [number, string[]] = [0, []];
    while (!effects.includes('link-down') && atMs < Infinity) {
      atMs = machine.nextDeadlineMs();
      effects = kinds(machine.handle(atMs, { kind: 'tick' }));
    }
    expect(atMs).toBe(DEAD_AFTER_MS);
  });

  it('gives the others time to answer after a sleep that only the wall clock shows', () => {
    const machine = linkedMachine();
    const wokeMs = DEAD_AFTER_MS - 1;
    const woke = machine.handle(wokeMs, { kind: 'clock-jumped', byMs: 100_000 });
    expect(kinds(woke)).toEqual(['ping', 'announce']);
    expect(kinds(machine.handle(wokeMs + CHECK_MS - 1, { kind: 'tick' }))).not.toContain('link-down');
    expect(kinds(machine.handle(wokeMs + CHECK_MS, { kind: 'tick' }))).toContain('link-down');
  });

  const WOKE_MS = DEAD_AFTER_MS + OVERSLEPT_MS + 100_000;

  /** A machine that slept, with a link up to `large`, and now checks it. */
  function wokenMachine(): LinkMachine {
    const machine = linkedMachine();
    expect(kinds(machine.handle(WOKE_MS, { kind: 'tick' }))).toEqual(['ping', 'announce']);
    expect(kinds(machine.handle(WOKE_MS, { kind: 'wake' }))).toEqual([]);
    return machine;
  }

  it('gives the others a moment to answer after it slept, and tries again at once', () => {
    const machine = wokenMachine();
    const soonMs = WOKE_MS + WAKE_CHECK_MS;
    expect(kinds(machine.handle(soonMs - 1, { kind: 'tick' }))).not.toContain('link-down');
    expect(kinds(machine.handle(soonMs, { kind: 'tick' }))).toContain('link-down');
    expect(machine.nextDeadlineMs()).toBe(soonMs);
    expect(kinds(machine.handle(soonMs, { kind: 'tick' }))).toContain('announce');
  });

  it('keeps a link that answers after it slept', () => {
    const machine = wokenMachine();
    machine.handle(WOKE_MS + 5, { kind: 'heard', device: small, link: newLinkId(theirs, 1) });
    machine.handle(WOKE_MS + 10, { kind: 'tick' });
    expect(kinds(machine.handle(WOKE_MS + CHECK_MS, { kind: 'tick' }))).not.toContain('link-down');
    // A later doubt is no longer about the sleep.
    expect(kinds(receive(machine, WOKE_MS + CHECK_MS, small, { kind: 'announce' }, 2))).toEqual(['ping']);
  });

  it('makes a new link at once if the other end says after the sleep that it has none', () => {
    const effects = kinds(receive(wokenMachine(), WOKE_MS + 5, small, { kind: 'announce' }, 2));
    expect(effects).toEqual(['bye', 'destroy', 'link-down', 'announce']);
  });

  it('offers again what it offered before it knew that its relay was gone', () => {
    const machine = machineOf(small);
    receive(machine, 0, large, { kind: 'announce' }, 1, theirs, null);
    machine.handle(100, { kind: 'relay', up: false });
    expect(kinds(machine.handle(200, { kind: 'relay', up: true }))).toEqual(['destroy', 'create']);
    const link = newLinkId(session, 3);
    receive(machine, 300, large, { kind: 'answer', sdp: 'x' }, 2, theirs, session, link);
    machine.handle(400, { kind: 'relay', up: false });
    expect(kinds(machine.handle(500, { kind: 'relay', up: true }))).toEqual([]);
  });

  it('asks for its neighbours’ neighbours when a link comes up without a relay', () => {
    const machine = linkedMachine();
    machine.handle(1_500, { kind: 'relay', up: false });
    receive(machine, 1_500, small, { kind: 'offer', sdp: 'again' }, 2);
    const up = machine.handle(1_600, { kind: 'connected', device: small, link: newLinkId(theirs, 2) });
    expect(kinds(up)).toEqual(['link-up', 'announce']);
  });

  it('checks a link that the other side asks for, and says bye to an answer for a dead attempt', () => {
    expect(kinds(receive(linkedMachine(), 100, small, { kind: 'announce' }, 2))).toEqual(['ping']);
    const machine = machineOf(small);
    receive(machine, 0, large, { kind: 'announce' }, 1, theirs, null);
    expect(kinds(receive(machine, 1, large, { kind: 'answer', sdp: 'x' }, 2))).toEqual(['bye']);
  });

  it('checks a link whose device left the relay, and keeps it if the device answers', () => {
    const machine = linkedMachine();
    expect(kinds(machine.handle(100, { kind: 'session-gone', device: small, session: theirs }))).toEqual([
      'ping',
    ]);
    machine.handle(200, { kind: 'heard', device: small, link: newLinkId(theirs, 1) });
    expect(kinds(machine.handle(100 + CHECK_MS, { kind: 'tick' }))).not.toContain('link-down');
    machine.handle(5_000, { kind: 'session-gone', device: small, session: theirs });
    expect(kinds(machine.handle(5_000 + CHECK_MS, { kind: 'tick' }))).toContain('link-down');
  });

  it('waits longer after each failure, and forgets a device that never answers', () => {
    const machine = machineOf(small);
    receive(machine, 0, large, { kind: 'announce' }, 1, theirs, null);
    let createdCount = 1;
    let atMs = 0;
    while (atMs < 3_600_000) {
      atMs = machine.nextDeadlineMs();
      createdCount += kinds(machine.handle(atMs, { kind: 'tick' })).filter(
        (kind) => kind === 'create',
      ).length;
    }
    expect(createdCount).toBe(8);
  });

  it('holds no more links than the limit, and refuses more', () => {
    const devices = Array.from({ length: MAX_LINK_COUNT + 5 }, (_, index) =>
      deviceIdOf(Uint8Array.of(index >> 8, index)),
    );
    const largest = devices.toSorted().at(-1);
    if (largest === undefined) throw new Error('expected a device');
    const machine = machineOf(largest);
    // Each has a session of its own, and is linked before the next one asks.
    const outcomes = devices
      .filter((device) => device !== largest)
      .map((device, index) => {
        const atMs = index * 1_000;
        const outcome = kinds(
          receive(machine, atMs, device, { kind: 'offer', sdp: 'x' }, 1, sessionOf(index)),
        );
        machine.handle(atMs, { kind: 'connected', device, link: newLinkId(sessionOf(index), 1) });
        for (const linked of machine.linkedDevices()) {
          const link = newLinkId(sessionOf(devices.filter((each) => each !== largest).indexOf(linked)), 1);
          machine.handle(atMs, { kind: 'heard', device: linked, link });
        }
        return outcome.filter((kind) => kind === 'create' || kind === 'bye');
      });
    expect(outcomes.filter((kind) => kind.includes('create')).length).toBe(MAX_LINK_COUNT);
    expect(outcomes.at(-1)).toEqual(['bye']);
  });
});

describe('a member that attacks', () => {
  /** Devices by id. The last one is attacked, so that all others may offer to it. */
  const devices = Array.from({ length: 1_003 }, (_, index) =>
    deviceIdOf(Uint8Array.of(7, index >> 8, index)),
  ).toSorted();
  const [attacker, friend] = devices as [DeviceId, DeviceId];
  const strangers = devices.slice(2, -1);
  const [first] = devices;
  const self = devices.at(-1) ?? first;
  const session = newSessionId(1_000, new Uint8Array(10).fill(1));
  const friendSession = newSessionId(1_000, new Uint8Array(10).fill(2));
  const attackSession = newSessionId(1_000, new Uint8Array(10).fill(3));
  const friendLink = newLinkId(friendSession, 5);
  const offer: SignalBody = { kind: 'offer', sdp: 'x' };

  function machineOf(device: DeviceId | undefined): LinkMachine {
    if (device === undefined) throw new Error('expected a device');
    const machine = new LinkMachine({ device, session });
    machine.handle(0, { kind: 'relay', up: true });
    return machine;
  }

  interface Said {
    readonly from: DeviceId;
    readonly fromSession: SessionId;
    readonly link: LinkId;
    readonly seq?: number;
    readonly body?: SignalBody;
  }

  function say(machine: LinkMachine, atMs: number, { seq = 1, body = offer, ...said }: Said): LinkEffect[] {
    const toSession = body.kind === 'announce' ? null : session;
    return machine.handle(atMs, {
      kind: 'letter',
      letter: { ...said, toSession, seq, body },
      way: said.from,
    });
  }

  function kinds(effects: readonly LinkEffect[]): string[] {
    return effects.map((effect) => (effect.kind === 'letter' ? effect.body.kind : effect.kind));
  }

  function countOf(effects: readonly LinkEffect[], kind: string): number {
    return kinds(effects).filter((each) => each === kind).length;
  }

  /** Has a link with `friend`, up since 0 ms. */
  function linkedMachine(): LinkMachine {
    const machine = machineOf(self);
    say(machine, 0, { from: friend, fromSession: friendSession, link: friendLink });
    const up = machine.handle(0, { kind: 'connected', device: friend, link: friendLink });
    expect(kinds(up)).toEqual(['link-up']);
    return machine;
  }

  it('does not get a connection by offering a link id that another device uses', () => {
    const machine = linkedMachine();
    const stolen = say(machine, 1, { from: attacker, fromSession: attackSession, link: friendLink });
    expect(kinds(stolen)).toContain('refused');
    expect(countOf(stolen, 'create')).toBe(0);
    expect(machine.linkedDevices()).toEqual([friend]);
  });

  it('does not keep a device from its own id by using it first', () => {
    const machine = machineOf(self);
    const squatted = say(machine, 0, { from: attacker, fromSession: attackSession, link: friendLink });
    expect(kinds(squatted)).toEqual(['create', 'apply']);
    const own = say(machine, 1, { from: friend, fromSession: friendSession, link: friendLink });
    expect(kinds(own)).toEqual(['create', 'apply']);
    // Each of the two is its own device's.
    const gone = machine.handle(2, { kind: 'closed', device: attacker, link: friendLink, reason: 'x' });
    expect(gone).toContainEqual({ kind: 'destroy', device: attacker, link: friendLink, goodbye: false });
    const up = machine.handle(3, { kind: 'connected', device: friend, link: friendLink });
    expect(kinds(up)).toEqual(['link-up']);
  });

  it.each([
    { kind: 'answer', sdp: 'x' },
    { kind: 'candidate', candidate: { candidate: 'x', sdpMid: null, sdpMLineIndex: null } },
    { kind: 'bye' },
  ] satisfies SignalBody[])('does nothing to the link of another with a $kind that names it', (body) => {
    const machine = linkedMachine();
    say(machine, 1, { from: attacker, fromSession: attackSession, link: newLinkId(attackSession, 1) });
    const effects = say(machine, 2, {
      from: attacker,
      fromSession: attackSession,
      link: friendLink,
      seq: 2,
      body,
    });
    expect(effects.every((effect) => effect.kind === 'letter' && effect.to?.device === attacker)).toBe(true);
    expect(machine.linkedDevices()).toEqual([friend]);
    // Nor by claiming the session that the other has its link in.
    say(machine, 3, { from: attacker, fromSession: friendSession, link: friendLink, seq: 3, body });
    machine.handle(4, { kind: 'session-gone', device: attacker, session: friendSession });
    machine.handle(5, { kind: 'closed', device: attacker, link: friendLink, reason: 'x' });
    expect(machine.linkedDevices()).toEqual([friend]);
  });

  it('makes eight connections with 1,000 offers together, and one more every two seconds', () => {
    const machine = linkedMachine();
    let createdCount = 0;
    let answeredCount = 0;
    const offerAll = (atMs: number, fromSeq: number): void => {
      for (let seq = fromSeq; seq < fromSeq + 1_000; seq++) {
        const link = newLinkId(attackSession, seq);
        const effects = say(machine, atMs, { from: attacker, fromSession: attackSession, link, seq });
        createdCount += countOf(effects, 'create');
        answeredCount += countOf(effects, 'bye');
      }
    };
    offerAll(10, 1);
    expect([createdCount, answeredCount]).toEqual([8, 0]);
    offerAll(4_010, 2_001);
    expect(createdCount).toBe(10);
    machine.handle(5_000, { kind: 'heard', device: friend, link: friendLink });
    expect(machine.linkedDevices()).toEqual([friend]);
  });

  it.each(['announce', 'offer'] as const)(
    'makes just as few with an %s in each of 1,000 sessions',
    (kind) => {
      // Announces make the smaller device offer.
      const machine = machineOf(kind === 'announce' ? first : self);
      const from = kind === 'announce' ? self : attacker;
      if (from === undefined) throw new Error('expected a device');
      let createdCount = 0;
      for (let index = 0; index < 1_000; index++) {
        const random = new Uint8Array(10)
          .fill(4)
          .with(0, index >> 8)
          .with(1, index & 255);
        const fromSession = newSessionId(2_000 + index, random);
        const body = kind === 'offer' ? offer : ({ kind } as const);
        const link = newLinkId(fromSession, 1);
        createdCount += countOf(say(machine, 10, { from, fromSession, link, body }), 'create');
      }
      expect(createdCount).toBe(8);
    },
  );

  it('makes few connections under 1,000 names, and a device that was linked before still gets one', () => {
    const machine = linkedMachine();
    let createdCount = 0;
    let mostAtOnce = 0;
    const open = new Set<DeviceId>();
    const perform = (effects: readonly LinkEffect[]): void => {
      for (const effect of effects) {
        if (effect.kind === 'create') open.add(effect.device);
        if (effect.kind === 'destroy') open.delete(effect.device);
        createdCount += effect.kind === 'create' ? 1 : 0;
        mostAtOnce = Math.max(mostAtOnce, open.size);
      }
    };
    // A minute in which each name offers every five seconds.
    for (let atMs = 0; atMs < 60_000; atMs += 5) {
      const from = strangers[(atMs / 5) % strangers.length];
      if (from === undefined) continue;
      const fromSession = newSessionId(3_000, new Uint8Array(10).fill(5));
      const link = newLinkId(attackSession, atMs);
      perform(say(machine, atMs, { from, fromSession, link, seq: atMs }));
      if (machine.nextDeadlineMs() <= atMs) perform(machine.handle(atMs, { kind: 'tick' }));
      if (atMs % 1_000 === 0) machine.handle(atMs, { kind: 'heard', device: friend, link: friendLink });
    }
    expect(mostAtOnce).toBeLessThanOrEqual(32);
    expect(createdCount).toBeLessThanOrEqual(64 + 120);
    expect(machine.linkedDevices()).toEqual([friend]);
    // It reloads, and is linked again immediately.
    const again = newSessionId(60_000, new Uint8Array(10).fill(2));
    const effects = say(machine, 60_000, { from: friend, fromSession: again, link: newLinkId(again, 1) });
    expect(kinds(effects)).toEqual(expect.arrayContaining(['destroy', 'link-down', 'create', 'apply']));
  });
});
