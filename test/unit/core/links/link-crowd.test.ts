// A member that makes up hundreds of devices: they may take what nobody else wants, and keep no other device
// from linking.

import { describe, expect, it } from 'vitest';
import type { LinkEffect, LinkInput, Way } from '../../../../src/core/links/link-events.ts';
import { newLinkId, newSessionId, type LinkId, type SessionId } from '../../../../src/core/links/link-ids.ts';
import { LinkMachine } from '../../../../src/core/links/link-machine.ts';
import {
  backoffMs,
  jitterOf,
  MAX_ATTEMPT_COUNT,
  STABLE_AFTER_MS,
} from '../../../../src/core/links/link-timing.ts';
import { deviceIdOf, type DeviceId } from '../../../../src/core/model/ids.ts';
import { MAX_LINK_COUNT } from '../../../../src/core/model/limits.ts';
import { connectionIdOf } from '../../../../src/core/wire/relay-protocol.ts';

const START_MS = 1_700_000_000_000;
const STEP_MS = 50;

/** Another device, in one session, on one connection with the relay. */
class Caller {
  readonly device: DeviceId;
  readonly way: Way;
  session: SessionId;
  link: LinkId;
  #counter = 0;

  constructor(device: DeviceId, index: number, way: number) {
    this.device = device;
    this.way = connectionIdOf(new Uint8Array(16).fill(way));
    this.session = newSessionId(
      START_MS,
      new Uint8Array(10)
        .fill(3)
        .with(0, index >> 8)
        .with(1, index & 255),
    );
    this.link = newLinkId(this.session, 0);
  }

  reload(atMs: number): void {
    this.session = newSessionId(atMs, new Uint8Array(10).fill(4));
    this.#counter = 0;
  }

  offer(): LinkInput {
    this.#counter += 1;
    const { device, session, way } = this;
    this.link = newLinkId(session, this.#counter);
    const body = { kind: 'offer', sdp: 'x' } as const;
    const addressed = { from: device, fromSession: session, toSession: null, link: this.link };
    return { kind: 'letter', letter: { ...addressed, seq: this.#counter, body }, way };
  }
}

/** The attacked device, to which all others offer. */
class Attacked {
  readonly machine: LinkMachine;
  readonly honest: Caller;
  readonly madeUp: readonly Caller[];
  nowMs = START_MS;
  attempts = 0;
  #shown = 0;

  /** The number of relay connections that the made-up devices share. */
  constructor(madeUpCount: number, wayCount = 1) {
    const ids = Array.from({ length: madeUpCount + 2 }, (_, index) =>
      deviceIdOf(Uint8Array.of(7, index >> 8, index & 255)),
    ).toSorted();
    const callers = ids.map(
      (device, index) => new Caller(device, index, index === 0 ? 0 : 1 + (index % wayCount)),
    );
    const [honest, self] = [callers[0], callers.at(-1)];
    if (honest === undefined || self === undefined) throw new Error('expected a device');
    this.honest = honest;
    this.madeUp = callers.slice(1, -1);
    this.machine = new LinkMachine({ device: self.device, session: self.session });
    this.handle({ kind: 'relay', up: true });
  }

  handle(input: LinkInput): LinkEffect[] {
    return this.machine.handle(this.nowMs, input);
  }

  /** Whether the caller's offer led to an attempt. */
  takes(caller: Caller): boolean {
    const effects = this.handle(caller.offer());
    const isTaken = effects.some(({ kind }) => kind === 'create');
    this.attempts += isTaken ? 1 : 0;
    return isTaken;
  }

  link(caller: Caller): boolean {
    if (!this.takes(caller)) return false;
    this.handle({ kind: 'connected', device: caller.device, link: caller.link });
    return true;
  }

  /** Callers with a link keep giving signs of life. */
  pass(durationMs: number, linked: Iterable<Caller>): void {
    const callers = [...linked];
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) {
      this.nowMs += Math.min(2_000, endMs - this.nowMs);
      for (const { device, link } of callers) this.handle({ kind: 'heard', device, link });
      this.handle({ kind: 'tick' });
    }
  }

  close({ device, link }: Caller): void {
    this.handle({ kind: 'closed', device, link, reason: 'it closed' });
  }

  /** The next ones offer, `perSecond` of them, and never connect. */
  flood(durationMs: number, perSecond: number): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) {
      this.nowMs = Math.min(this.nowMs + STEP_MS, endMs);
      if (this.machine.nextDeadlineMs() <= this.nowMs) this.handle({ kind: 'tick' });
      for (let count = 0; count < (perSecond * STEP_MS) / 1_000; count++) {
        const caller = this.madeUp[this.#shown % this.madeUp.length];
        this.#shown += 1;
        if (caller !== undefined) this.takes(caller);
      }
    }
  }

  /** The honest device offers with honest waits. Returns after which waits, ms, an attempt was made. */
  offersOfHonest(
    durationMs: number,
    perSecond: number,
  ): { readonly offers: number; readonly takenMs: number[] } {
    const [beginMs, takenMs, jitter] = [this.nowMs, [] as number[], jitterOf(1)];
    let offers = 0;
    while (this.nowMs - beginMs < durationMs) {
      offers += 1;
      if (this.takes(this.honest)) takenMs.push(Math.round(this.nowMs - beginMs));
      this.flood(backoffMs(offers, jitter()), perSecond);
    }
    return { offers, takenMs };
  }
}

describe('a device that was met before is linked again while made-up ones offer 80 times a second', () => {
  it('and had only momentary links', () => {
    const attacked = new Attacked(20);
    attacked.link(attacked.honest);
    attacked.pass(2 * STABLE_AFTER_MS, [attacked.honest]);
    for (const caller of attacked.madeUp) {
      expect(attacked.link(caller)).toBe(true);
      attacked.pass(600, [attacked.honest]);
      attacked.close(caller);
    }
    attacked.honest.reload(attacked.nowMs);
    attacked.flood(60_000, 80);
    const { takenMs, offers } = attacked.offersOfHonest(120_000, 80);
    expect(takenMs.length).toBe(offers);
  });

  it('and had links that lasted: its first attempt is made within 20 s', () => {
    const attacked = new Attacked(20);
    for (const caller of [attacked.honest, ...attacked.madeUp]) expect(attacked.link(caller)).toBe(true);
    attacked.pass(2 * STABLE_AFTER_MS, [attacked.honest, ...attacked.madeUp]);
    for (const caller of [attacked.honest, ...attacked.madeUp]) attacked.close(caller);
    attacked.honest.reload(attacked.nowMs);
    attacked.flood(60_000, 80);
    const begunCount = attacked.attempts;
    const { takenMs } = attacked.offersOfHonest(120_000, 80);
    // The turns of 20 others take 10 s, and its own next offer comes up to 8 s later.
    expect(takenMs[0]).toBeLessThanOrEqual(20_000);
    // All together still make two a second.
    expect(attacked.attempts - begunCount).toBeLessThanOrEqual(2 * 125 + MAX_LINK_COUNT);
  });
});

describe('when made-up devices hold all links', () => {
  /** The honest device was linked first and lost its link; the last made-up one took its place. */
  function full(): { readonly attacked: Attacked; readonly held: Caller[] } {
    const attacked = new Attacked(MAX_LINK_COUNT + 1);
    attacked.link(attacked.honest);
    attacked.pass(2 * STABLE_AFTER_MS, [attacked.honest]);
    const held: Caller[] = [];
    for (const caller of attacked.madeUp.slice(0, MAX_LINK_COUNT)) {
      if (held.length === MAX_LINK_COUNT - 1) attacked.close(attacked.honest);
      expect(attacked.link(caller)).toBe(true);
      held.push(caller);
      attacked.pass(600, held.length < MAX_LINK_COUNT ? [attacked.honest, ...held] : held);
    }
    expect(attacked.machine.linkedDevices().length).toBe(MAX_LINK_COUNT);
    return { attacked, held };
  }

  it.each([0, 2 * STABLE_AFTER_MS])(
    'the newest gives way to a device met earlier (after %d ms)',
    (heldMs) => {
      const { attacked, held } = full();
      attacked.pass(heldMs, held);
      const newest = held.at(-1);
      if (newest === undefined) throw new Error('expected a link');
      attacked.honest.reload(attacked.nowMs);
      const effects = attacked.handle(attacked.honest.offer());
      expect(effects.map(({ kind }) => kind)).toEqual(['destroy', 'link-down', 'create', 'apply']);
      expect(effects[0]).toEqual({
        kind: 'destroy',
        device: newest.device,
        link: newest.link,
        goodbye: true,
      });
      const { device, link } = attacked.honest;
      attacked.handle({ kind: 'connected', device, link });
      // The one that gave way waits, and does not get the place back.
      attacked.pass(60_000, [attacked.honest, ...held.slice(0, -1)]);
      expect(attacked.takes(newest)).toBe(false);
      expect(attacked.machine.linkedDevices()).toContain(device);
      expect(attacked.machine.linkedDevices().length).toBe(MAX_LINK_COUNT);
    },
  );

  it('a stranger displaces nobody', () => {
    const { attacked } = full();
    const stranger = attacked.madeUp.at(-1);
    if (stranger === undefined) throw new Error('expected a stranger');
    const kinds = attacked.handle(stranger.offer()).map((effect) => effect.kind);
    expect(kinds).toEqual(['letter']);
  });
});

describe('a newcomer is tried while strangers’ offers, 20 a second, fail', () => {
  it.each([
    { wayCount: 1, withinMs: 10_000 },
    { wayCount: 10, withinMs: 20_000 },
    { wayCount: 60, withinMs: 60_000 },
  ])('over $wayCount connections with the relay: within $withinMs ms', ({ wayCount, withinMs }) => {
    for (const floodedMs of [5_000, 60_000]) {
      const attacked = new Attacked(1_000, wayCount);
      attacked.flood(floodedMs, 20);
      const { takenMs } = attacked.offersOfHonest(60_000, 20);
      expect(takenMs[0] ?? Infinity, `after ${floodedMs} ms`).toBeLessThanOrEqual(withinMs);
      expect(attacked.attempts).toBeLessThanOrEqual(
        2 * MAX_ATTEMPT_COUNT + (attacked.nowMs - START_MS) / 500,
      );
    }
  });
});
